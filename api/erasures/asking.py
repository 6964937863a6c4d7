"""Asking for an erasure and placing a hold, once per key: for a person of the cases and for a customer of the book."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from pydantic import BaseModel

from api.deps import ApiDeps
from api.erasures import acts
from api.erasures.bodies import ErasureBody, HoldBody
from api.erasures.views import erasure_answer, hold_answer
from api.idempotency import Stored, fingerprint, once
from api.identity.principal import Principal
from api.in_thread import in_thread
from models.operations.idempotency import KeySlot

ERASURES: Final = "/v1/erasure-requests"
HOLDS: Final = "/v1/legal-holds"
Act = Callable[[str], str]  # fingerprint of the body to the id of what was made


async def ask_erasure(
    deps: ApiDeps, principal: Principal, data: ErasureBody, *, slot: KeySlot, locale: str, act: Act
) -> Response[Any]:
    """`201` with the request, which may be refused already."""

    def made(request_id: str) -> BaseModel:
        return erasure_answer(acts.request_for(deps, principal, request_id), locale=locale)

    return await _created(deps, data, slot=slot, act=act, made=made, path=ERASURES)


async def place_hold(
    deps: ApiDeps, principal: Principal, data: HoldBody, *, slot: KeySlot, locale: str, act: Act
) -> Response[Any]:
    """`201` with the hold, which stands at once."""

    def made(hold_id: str) -> BaseModel:
        return hold_answer(acts.hold_for(deps, principal, hold_id), locale=locale)

    return await _created(deps, data, slot=slot, act=act, made=made, path=HOLDS)


async def _created(
    deps: ApiDeps, data: BaseModel, *, slot: KeySlot, act: Act, made: Callable[[str], BaseModel], path: str
) -> Response[Any]:
    digest = await in_thread(fingerprint, deps, slot, data)

    def rebuild(resource_id: str) -> Stored:
        body = made(resource_id).model_dump(mode="json")
        return Stored(status=HTTPStatus.CREATED, body=body, headers={"Location": f"{path}/{resource_id}"})

    return await once(deps, slot, fingerprint=digest, act=lambda: act(digest), rebuild=rebuild)
