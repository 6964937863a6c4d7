"""Corporate clients of payroll over HTTP (代发委托单位): who they are, what they pay from, who acts for them.

Whoever runs batches keeps clients and accounts; money, and who orders, is recorded by whoever confirms batches: so
nobody brings money, order and payment about alone.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath, JSONBody

from api.batches import client_acts
from api.batches.client_bodies import (
    AccountAnswer,
    ClientAnswer,
    ClientList,
    NewAccountBody,
    NewClientBody,
    PaymentBody,
    UserBody,
)
from api.deps import ApiDeps, Deps
from api.etags import etag
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from models.domain.roles import Permission
from models.queries.batches.clients import clients_of
from models.queries.products import masks_of
from models.tables.batch_clients import FundingAccount

PATH: Final = "/v1/batch-clients"
_READ: Final = [requires(Permission.BATCHES_READ)]
_RUN: Final = [requires(Permission.BATCHES_RUN)]
_CONFIRM: Final = [requires(Permission.BATCHES_CONFIRM)]


class BatchClientController(Controller):
    """Companies that have their wages paid by us."""

    path = PATH
    tags = ("Batches",)

    @get("/", guards=_READ, sync_to_thread=True, operation_id="ListBatchClients")
    def list_all(self, deps: Deps, principal: Caller) -> ClientList:
        """Every client of the institution, masked."""
        with deps.database.read() as session:
            found = clients_of(session, principal.tenant)
            return ClientList(items=[client_acts.client_answer(deps, session, each) for each in found])

    @get("/{client_id:str}", guards=_READ, sync_to_thread=True, operation_id="GetBatchClient")
    def get_one(self, client_id: FromPath[str], deps: Deps, principal: Caller) -> Response[ClientAnswer]:
        """One client with accounts and users."""
        answer = _client(deps, principal, client_id)
        return Response(answer, status_code=200, headers={"ETag": etag(answer.version)})

    @post("/", guards=_RUN, operation_id="AddBatchClient")
    async def add(
        self, data: JSONBody[NewClientBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[ClientAnswer]:
        """Take a client on. Its name is sealed under a key of its own."""
        slot = key_slot(principal, route="batches.add-client", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(client: str) -> Stored:
            answer = _client(deps, principal, client)
            headers = {"Location": f"{PATH}/{client}", "ETag": etag(answer.version)}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: client_acts.add(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )

    @post("/{client_id:str}/accounts", guards=_RUN, operation_id="AddFundingAccount")
    async def add_account(
        self,
        client_id: FromPath[str],
        data: JSONBody[NewAccountBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[AccountAnswer]:
        """Give a client an account (资金账户). Wages of a construction project come from its special account alone."""
        slot = key_slot(principal, route=f"batches.add-account/{client_id}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: client_acts.add_account(deps, principal, client_id, data, slot=slot, digest=digest),
            rebuild=_account(deps, principal),
        )

    @post("/{client_id:str}/accounts/{account_id:str}/payments", guards=_CONFIRM, operation_id="RecordFunding")
    async def pay_in(
        self,
        *,
        client_id: FromPath[str],
        account_id: FromPath[str],
        data: JSONBody[PaymentBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[AccountAnswer]:
        """Record what a client has paid in; once under the bank's reference. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        slot = key_slot(principal, route=f"batches.pay-in/{account_id}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: client_acts.pay_in(deps, principal, client_id, account_id, data, slot=slot, digest=digest),
            rebuild=_account(deps, principal),
        )

    @post("/{client_id:str}/users", guards=_CONFIRM, status_code=200, operation_id="PutBatchClientUser")
    async def put_user(
        self, client_id: FromPath[str], data: JSONBody[UserBody], deps: Deps, principal: Caller
    ) -> ClientAnswer:
        """Let somebody order or confirm for a client. Once a maker is named, nobody else orders for it."""
        await in_thread(client_acts.put_user, deps, principal, client_id, data)
        return await in_thread(_client, deps, principal, client_id)

    @delete("/{client_id:str}/users/{staff_id:str}", guards=_CONFIRM, operation_id="RemoveBatchClientUser")
    async def remove_user(
        self, client_id: FromPath[str], staff_id: FromPath[str], deps: Deps, principal: Caller
    ) -> None:
        """From now on they do neither."""
        await in_thread(client_acts.remove_user, deps, principal, client_id, staff_id)


def _client(deps: ApiDeps, principal: Principal, client: str) -> ClientAnswer:
    with deps.database.read() as session:
        return client_acts.client_answer(deps, session, client_acts.known_client(session, principal, client))


def _account(deps: ApiDeps, principal: Principal) -> Callable[[str], Stored]:
    def rebuild(account: str) -> Stored:
        with deps.database.read() as session:
            found = session.get_one(FundingAccount, account)
            answer = client_acts.account_answer(deps, found, masks_of(session, principal.tenant))
        return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"))

    return rebuild
