"""Erasure and legal hold of a customer's record: asked for here, decided where every request of erasure is."""

from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.customers.reveal import customer_for
from api.deps import Deps, Locale
from api.erasures import acts
from api.erasures.asking import ask_erasure, place_hold
from api.erasures.bodies import ErasureAnswer, ErasureBody, HoldAnswer, HoldBody
from api.idempotency import KeyHeader, key_slot
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from models.domain.roles import Permission


class CustomerErasureController(Controller):
    """Requests about one record of the book; a transfer's rows that became it go with it."""

    path = "/v1/customers/{customer_id:str}"
    tags = ("Personal data",)

    @post("/erasure-requests", guards=[requires(Permission.ERASURES_REQUEST)], operation_id="RequestCustomerErasure")
    async def request_erasure(
        self,
        *,
        customer_id: FromPath[str],
        data: JSONBody[ErasureBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ErasureAnswer]:
        """Ask that a customer's data are erased. `REFUSED` at once, with why, while relation or law keep them."""
        record = await in_thread(customer_for, deps, principal, known_token(customer_id))
        slot = key_slot(principal, route=f"customers.erasure/{record.id}", key=idempotency_key)
        return await ask_erasure(
            deps,
            principal,
            data,
            slot=slot,
            locale=locale,
            act=lambda digest: acts.request_for_person(
                deps, principal, record.subject_id, data, target=record.id, slot=slot, digest=digest
            ),
        )

    @post("/legal-holds", guards=[requires(Permission.HOLDS_PLACE)], operation_id="PlaceCustomerLegalHold")
    async def place_hold(
        self,
        *,
        customer_id: FromPath[str],
        data: JSONBody[HoldBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[HoldAnswer]:
        """Keep a customer's data, whatever else says so; another person confirms."""
        record = await in_thread(customer_for, deps, principal, known_token(customer_id))
        slot = key_slot(principal, route=f"customers.hold/{record.id}", key=idempotency_key)
        return await place_hold(
            deps,
            principal,
            data,
            slot=slot,
            locale=locale,
            act=lambda digest: acts.hold_for_person(
                deps, principal, record.subject_id, data, target=record.id, slot=slot, digest=digest
            ),
        )
