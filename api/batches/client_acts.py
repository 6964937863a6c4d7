"""What is done to corporate clients at the edge (委托单位): each one audited deed; keys come before rows. Blocking."""

from http import HTTPStatus

from sqlmodel import Session

from api.batches.client_bodies import (
    AccountAnswer,
    ClientAnswer,
    NewAccountBody,
    NewClientBody,
    PaymentBody,
    UserAnswer,
    UserBody,
)
from api.batches.run_acts import deed
from api.bodies import known_token
from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.masking import masked
from models.domain.privacy.masks import MaskPolicy
from models.domain.privacy.words import Mask
from models.domain.tokens import new_token
from models.errors import Conflict, FieldFault, FormInvalid, NotFound
from models.operations.batches import clients, funding
from models.operations.idempotency import KeySlot, open_key
from models.queries.batches.clients import accounts_of, client_for, users_of
from models.queries.products import masks_of
from models.tables.batch_clients import BatchClient, FundingAccount

_SAVED = "batch.client-saved"


def known_client(session: Session, principal: Principal, client: str) -> BatchClient:
    """A client of the caller's institution.

    Raises:
        NotFound: there is none, or it is another's.
    """
    found = client_for(session, known_token(client), tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def add(deps: ApiDeps, principal: Principal, body: NewClientBody, *, slot: KeySlot, digest: str) -> str:
    """Take a client on; returns its id.

    Raises:
        FormInvalid, Conflict: as `clients.add_client`.
    """
    now, client_id = deps.clock(), new_token("bcl")
    deps.vault.create_subject(tenant=principal.tenant, subject_id=client_id)
    client = BatchClient(
        id=client_id,
        tenant=principal.tenant,
        code=body.code,
        name_cell=deps.vault.seal(_name_of(principal.tenant, client_id), body.name),
        migrant_workers=body.migrant_workers,
        wage_project=body.wage_project,
        agreed_day=body.agreed_day,
        agreement_from=body.agreement_from,
        agreement_to=body.agreement_to,
        state="active",
        created_at=now,
    )
    with unit_of_work(deps.database, deed(principal, _SAVED, client_id, now, code=body.code)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=client_id, status=HTTPStatus.CREATED, now=now)
        clients.add_client(unit.session, client)
    return client_id


def add_account(
    deps: ApiDeps, principal: Principal, client: str, body: NewAccountBody, *, slot: KeySlot, digest: str
) -> str:
    """Give a client an account; returns the account's id.

    Raises:
        NotFound, FormInvalid, Conflict: as `clients.add_account`.
    """
    now, account_id = deps.clock(), new_token("fac")
    with deps.database.read() as session:
        found = known_client(session, principal, client)
        number = len(accounts_of(session, found.id)) + 1
    account = FundingAccount(
        id=account_id,
        tenant=principal.tenant,
        client=found.id,
        account_cell=deps.vault.seal(_account_of(principal.tenant, account_id, found.id), body.number),
        number=number,
        account_kind=body.account_kind,
        updated_at=now,
    )
    facts = {"account": account_id, "kind": body.account_kind}
    with unit_of_work(deps.database, deed(principal, _SAVED, found.id, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=account_id, status=HTTPStatus.CREATED, now=now)
        clients.add_account(unit.session, account)
    return account_id


def pay_in(
    deps: ApiDeps, principal: Principal, client: str, account: str, body: PaymentBody, *, slot: KeySlot, digest: str
) -> str:
    """Record money paid in; it counts once under the bank's reference. Returns the account's id.

    Raises:
        NotFound: no such client or account.
        Conflict: the reference is booked already.
    """
    now = deps.clock()
    facts = {"account": account, "amountMinor": body.amount_minor, "reference": body.reference}
    with unit_of_work(deps.database, deed(principal, "batch.funding-booked", client, now, **facts)) as unit:
        found = unit.session.get(FundingAccount, known_token(account))
        if found is None or found.client != known_client(unit.session, principal, client).id:
            raise NotFound
        open_key(unit.session, slot, fingerprint=digest, resource_id=found.id, status=HTTPStatus.CREATED, now=now)
        booked = funding.pay_in(
            unit.session,
            found,
            amount_minor=body.amount_minor,
            key=body.reference,
            value_date=body.value_date,
            now=now,
        )
        if not booked:
            raise Conflict(detail=account, params={"field": "reference"})
    return account


def put_user(deps: ApiDeps, principal: Principal, client: str, body: UserBody) -> None:
    """Let somebody order or confirm for a client; nobody appoints themselves.

    Raises:
        NotFound, FourEyesViolation: as `clients.add_user`.
        FormInvalid: the caller names themselves.
    """
    if body.staff_id == principal.staff_id:
        raise FormInvalid(faults=(FieldFault(pointer="/staffId", code="not-known"),))
    now = deps.clock()
    facts = {"staff": body.staff_id, "part": body.part}
    with unit_of_work(deps.database, deed(principal, _SAVED, client, now, **facts)) as unit:
        found = known_client(unit.session, principal, client)
        clients.add_user(unit.session, found, staff_id=body.staff_id, part=body.part, now=now)


def remove_user(deps: ApiDeps, principal: Principal, client: str, staff_id: str) -> None:
    """From now on they do neither; repeated, nothing changes.

    Raises:
        NotFound: no such client.
    """
    now = deps.clock()
    with unit_of_work(deps.database, deed(principal, _SAVED, client, now, removed=staff_id)) as unit:
        found = known_client(unit.session, principal, client)
        try:
            clients.remove_user(unit.session, found, staff_id=known_token(staff_id), now=now)
        except NotFound:
            raise Unchanged from None


def client_answer(deps: ApiDeps, session: Session, client: BatchClient) -> ClientAnswer:
    """A client, masked (掩码)."""
    masks = masks_of(session, client.tenant)
    name = deps.vault.open_text(_name_of(client.tenant, client.id), client.name_cell)
    return ClientAnswer(
        id=client.id,
        code=client.code,
        name_masked=masked(Mask.NAME, name, masks),
        migrant_workers=client.migrant_workers,
        wage_project=client.wage_project,
        agreed_day=client.agreed_day,
        agreement_from=client.agreement_from,
        agreement_to=client.agreement_to,
        state=client.state,
        accounts=[account_answer(deps, each, masks) for each in accounts_of(session, client.id)],
        users=[
            UserAnswer(staff_id=each.staff_id, part=each.part, added_at=each.added_at)
            for each in users_of(session, client.id)
        ],
        version=client.version,
    )


def account_answer(deps: ApiDeps, account: FundingAccount, masks: MaskPolicy) -> AccountAnswer:
    """An account, masked."""
    number = deps.vault.open_text(_account_of(account.tenant, account.id, account.client), account.account_cell)
    return AccountAnswer(
        id=account.id,
        number_masked=masked(Mask.CARD, number, masks),
        account_kind=account.account_kind,
        currency=account.currency,
        balance_minor=account.balance_minor,
        held_minor=account.held_minor,
        version=account.version,
    )


def _name_of(tenant: str, client: str) -> CellAddress:
    return CellAddress(tenant, "batch_clients", "name_cell", client, client)


def _account_of(tenant: str, account: str, client: str) -> CellAddress:
    return CellAddress(tenant, "funding_accounts", "account_cell", account, client)
