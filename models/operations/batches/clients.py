"""Corporate clients of payroll (代发委托单位), their accounts, and who may order and confirm for them.

The cells of a client are sealed by the caller under the client's own key (`BatchClient.id`). Functions over a session.
"""

from datetime import date, datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.domain.batches.payroll import source_fault
from models.errors import Conflict, FieldFault, FormInvalid, FourEyesViolation, NotFound
from models.tables.batch_clients import BatchClient, BatchClientUser, FundingAccount
from models.tables.staff import Staff

MAKER = "maker"
CHECKER = "checker"
_PARTS = (MAKER, CHECKER)


def add_client(session: Session, client: BatchClient) -> None:
    """Take a client on.

    Raises:
        FormInvalid: the agreed day is no day of a month, or the agreement ends before it begins.
        Conflict: its code is taken.
    """
    if client.agreed_day is not None and not 1 <= client.agreed_day <= 31:  # noqa: PLR2004 - days of a month
        raise FormInvalid(faults=(FieldFault(pointer="/agreedDay", code="too-large", params={"limit": 31}),))
    if client.agreement_to is not None and client.agreement_to < client.agreement_from:
        raise FormInvalid(faults=(FieldFault(pointer="/agreementTo", code="before-from"),))
    session.add(client)
    _flush(session, client.code)


def add_account(session: Session, account: FundingAccount) -> None:
    """An account of a client's. Money reaches it by `funding.pay_in` alone.

    Raises:
        FormInvalid: a special wage account of a client without a construction project, or the other way round.
        Conflict: the client has one of this number.
    """
    client = session.get_one(BatchClient, account.client)
    fault = source_fault(account.account_kind, wage_project=client.wage_project)
    if fault is not None:
        raise FormInvalid(faults=(FieldFault(pointer="/accountKind", code=f"funding-{fault}"),))
    account.balance_minor = account.held_minor = 0
    session.add(account)
    _flush(session, account.id)


def add_user(session: Session, client: BatchClient, *, staff_id: str, part: str, now: datetime) -> None:
    """Let somebody order or confirm for a client. Maker and checker are never one person, by whatever accounts.

    Raises:
        FormInvalid: there is no such part.
        NotFound: nobody of this tenant.
        FourEyesViolation: the person has the other part.
    """
    if part not in _PARTS:
        allowed: dict[str, str | int] = {"allowed": ", ".join(_PARTS)}
        raise FormInvalid(faults=(FieldFault(pointer="/part", code="not-one-of", params=allowed),))
    # Held, so that of two who are added at once one sees the other.
    session.get_one(BatchClient, client.id, with_for_update=True, populate_existing=True)
    staff = session.get(Staff, staff_id)
    if staff is None or staff.tenant != client.tenant:
        raise NotFound(detail=staff_id)
    if _persons(session, client.id, part=CHECKER if part == MAKER else MAKER) & {staff.person_id}:
        raise FourEyesViolation
    user = session.get(BatchClientUser, (client.id, staff_id))
    if user is None:
        user = BatchClientUser(client=client.id, staff_id=staff_id, tenant=client.tenant, part=part, added_at=now)
    user.part, user.removed_at = part, None
    session.add(user)
    session.flush()


def remove_user(session: Session, client: BatchClient, *, staff_id: str, now: datetime) -> None:
    """From now on they do neither.

    Raises:
        NotFound: they did not.
    """
    user = session.get(BatchClientUser, (client.id, staff_id))
    if user is None or user.removed_at is not None:
        raise NotFound(detail=staff_id)
    user.removed_at = now
    session.add(user)
    session.flush()


def require_part(session: Session, *, client: str, staff_id: str, part: str, on: date) -> BatchClient:
    """The client, if this person may do this for it on a day.

    Raises:
        NotFound: no such client, its agreement does not hold, or the person has no such part: one answer for all.
    """
    found = session.get(BatchClient, client)
    user = session.get(BatchClientUser, (client, staff_id))
    if found is None or user is None or user.part != part or user.removed_at is not None:
        raise NotFound(detail=client)
    ends = found.agreement_to
    if found.state != "active" or on < found.agreement_from or (ends is not None and on > ends):
        raise NotFound(detail=client)
    return found


def has_maker(session: Session, client: str) -> bool:
    """Whether a client has named who orders for it."""
    return bool(_persons(session, client, part=MAKER))


def _persons(session: Session, client: str, *, part: str) -> set[str]:
    rows = session.exec(
        select(Staff.person_id)
        .join(BatchClientUser, col(BatchClientUser.staff_id) == col(Staff.id))
        .where(
            col(BatchClientUser.client) == client,
            col(BatchClientUser.part) == part,
            col(BatchClientUser.removed_at).is_(None),
        )
    )
    return set(rows)


def _flush(session: Session, detail: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=detail) from None
