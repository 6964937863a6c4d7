"""Routes under which a customer reads a transfer's notice and answers it. The token in the path is the key."""

from collections.abc import Callable
from typing import Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.bodies import Body
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, fingerprint, once
from api.in_thread import in_thread
from api.transfers.link_acts import answered, ask, consent, page, rate, slot_of, visit
from api.transfers.link_bodies import (
    LinkTransferAnswer,
    TransferConsentBody,
    TransferRatingBody,
    TransferRequestBody,
)
from compliance.vault.link_tokens import PATH

_PUBLIC: Final = {"public": True}


class LinkTransferController(Controller):
    """What a customer does about a transfer of their information (客户信息变更告知)."""

    path = f"{PATH}/{{token:str}}/transfer"
    tags = ("Links",)

    @get("/", opt=_PUBLIC, sync_to_thread=True, operation_id="ReadTransferNotice")
    def read(self, token: FromPath[str], deps: Deps, locale: Locale) -> LinkTransferAnswer:
        """The notice in the words that were kept, what is asked, and what became of the customer's own requests."""
        return page(deps, visit(deps, token), token, locale=locale)

    @post("/consent", opt=_PUBLIC, operation_id="AnswerTransferConsent")
    async def consent(
        self,
        token: FromPath[str],
        data: JSONBody[TransferConsentBody],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[LinkTransferAnswer]:
        """Give, refuse or withdraw separate consent (单独同意). Who refuses is not asked again."""
        return await _act(deps, token, data, consent, route="consent", key=idempotency_key, locale=locale)

    @post("/requests", opt=_PUBLIC, operation_id="AskAfterTransfer")
    async def ask(
        self,
        token: FromPath[str],
        data: JSONBody[TransferRequestBody],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[LinkTransferAnswer]:
        """Object, or ask for correction or erasure (异议、更正、删除); one request of a kind at a time."""
        return await _act(deps, token, data, ask, route="ask", key=idempotency_key, locale=locale)

    @post("/rating", opt=_PUBLIC, operation_id="RateTransfer")
    async def rate(
        self,
        token: FromPath[str],
        data: JSONBody[TransferRatingBody],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[LinkTransferAnswer]:
        """Say how satisfied one is, once (满意度); the score is kept without anything of the customer's."""
        return await _act(deps, token, data, rate, route="rate", key=idempotency_key, locale=locale)


async def _act(
    deps: ApiDeps, token: str, data: Body, does: Callable[..., str], *, route: str, key: str, locale: str
) -> Response[Any]:
    came = await in_thread(visit, deps, token)
    slot = slot_of(came, route=route, key=key)
    digest = await in_thread(fingerprint, deps, slot, data)
    return await once(
        deps,
        slot,
        fingerprint=digest,
        act=lambda: does(deps, came, data, slot=slot, fingerprint=digest),
        rebuild=lambda _: answered(deps, came, token, locale=locale),
    )
