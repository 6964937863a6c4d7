"""Erasure and legal hold of a customer's record: asked for here, decided where every request of erasure is."""

from http import HTTPStatus

from litestar import Controller, Response, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.customers.reveal import customer_for
from api.deps import Deps, Locale
from api.erasures import acts
from api.erasures.bodies import ErasureAnswer, ErasureBody, HoldAnswer, HoldBody
from api.erasures.controller import PATH as ERASURES
from api.erasures.holds_controller import PATH as HOLDS
from api.erasures.views import erasure_answer, hold_answer
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
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
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(request_id: str) -> Stored:
            request = acts.request_for(deps, principal, request_id)
            return Stored(
                status=HTTPStatus.CREATED,
                body=erasure_answer(request, locale=locale).model_dump(mode="json"),
                headers={"Location": f"{ERASURES}/{request_id}"},
            )

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: acts.request_for_person(
                deps, principal, record.subject_id, data, target=record.id, slot=slot, digest=digest
            ),
            rebuild=rebuild,
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
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(hold_id: str) -> Stored:
            hold = acts.hold_for(deps, principal, hold_id)
            return Stored(
                status=HTTPStatus.CREATED,
                body=hold_answer(hold, locale=locale).model_dump(mode="json"),
                headers={"Location": f"{HOLDS}/{hold_id}"},
            )

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: acts.hold_for_person(
                deps, principal, record.subject_id, data, target=record.id, slot=slot, digest=digest
            ),
            rebuild=rebuild,
        )
