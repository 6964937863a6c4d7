"""Legal holds (法律保全): placed by one person and standing at once, confirmed and released by another."""

from typing import Annotated, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.deps import Deps, Locale
from api.erasures import acts
from api.erasures.asking import HOLDS, place_hold
from api.erasures.bodies import HoldAnswer, HoldBody, HoldPage, ReleaseBody, ShownBody
from api.erasures.pages import next_place, place_of
from api.erasures.views import hold_answer
from api.idempotency import KeyHeader, key_slot
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller
from api.paging import DEFAULT_LIMIT, After, Limit
from models.domain.privacy.erasing import HoldState
from models.domain.roles import Permission
from models.queries import erasure as erasures

_KIND: Final = "legal-holds"
InState = Annotated[HoldState | None, QueryParameter(name="state")]


class SubjectHoldController(Controller):
    """Holds that are placed on a person's data."""

    path = "/v1/subjects/{subject_id:str}/legal-holds"
    tags = ("Personal data",)

    @post("/", guards=[requires(Permission.HOLDS_PLACE)], operation_id="PlaceLegalHold")
    async def place(
        self,
        *,
        subject_id: FromPath[str],
        data: JSONBody[HoldBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[HoldAnswer]:
        """Keep a person's data, whatever else says so; another person confirms."""
        slot = key_slot(principal, route=f"holds.place/{subject_id}", key=idempotency_key)
        return await place_hold(
            deps,
            principal,
            data,
            slot=slot,
            locale=locale,
            act=lambda digest: acts.place_hold(deps, principal, subject_id, data, slot=slot, digest=digest),
        )


class LegalHoldController(Controller):
    """Holds and their second persons."""

    path = HOLDS
    tags = ("Personal data",)

    @get("/", guards=[requires(Permission.PRIVACY_READ)], sync_to_thread=True, operation_id="ListLegalHolds")
    def show_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        in_state: InState = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> HoldPage:
        """Holds, the newest first."""
        with deps.database.read() as session:
            rows = erasures.holds_page(
                session,
                tenant=principal.tenant,
                state=None if in_state is None else in_state.value,
                before=place_of(after, kind=_KIND),
                limit=limit + 1,
            )
        shown = rows[:limit]
        cursor = next_place(_KIND, shown[-1].placed_at, shown[-1].id) if len(rows) > limit else None
        return HoldPage(items=[hold_answer(row, locale=locale) for row in shown], end_cursor=cursor)

    @get("/{hold_id:str}", guards=[requires(Permission.PRIVACY_READ)], sync_to_thread=True, operation_id="GetLegalHold")
    def get_hold(self, hold_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> HoldAnswer:
        """One hold."""
        return hold_answer(acts.hold_for(deps, principal, hold_id), locale=locale)

    @post(
        "/{hold_id:str}/confirmation",
        guards=[requires(Permission.HOLDS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ConfirmLegalHold",
    )
    def confirm(
        self, *, hold_id: FromPath[str], data: JSONBody[ShownBody], deps: Deps, principal: Caller, locale: Locale
    ) -> HoldAnswer:
        """Confirm as the second person."""
        held = acts.confirm_hold(deps, principal, hold_id, shown=data.shown_hash, agree=True)
        return hold_answer(held, locale=locale)

    @post(
        "/{hold_id:str}/rejection",
        guards=[requires(Permission.HOLDS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectLegalHold",
    )
    def reject(
        self, *, hold_id: FromPath[str], data: JSONBody[ShownBody], deps: Deps, principal: Caller, locale: Locale
    ) -> HoldAnswer:
        """Reject as the second person; the hold ends. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        held = acts.confirm_hold(deps, principal, hold_id, shown=data.shown_hash, agree=False)
        return hold_answer(held, locale=locale)

    @post(
        "/{hold_id:str}/release-request",
        guards=[requires(Permission.HOLDS_PLACE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="AskHoldRelease",
    )
    def ask_release(
        self, *, hold_id: FromPath[str], data: JSONBody[ReleaseBody], deps: Deps, principal: Caller, locale: Locale
    ) -> HoldAnswer:
        """Ask that a confirmed hold ends; it goes on standing until another person has agreed."""
        return hold_answer(acts.ask_release(deps, principal, hold_id, data), locale=locale)

    @post(
        "/{hold_id:str}/release",
        guards=[requires(Permission.HOLDS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ReleaseLegalHold",
    )
    def release(
        self, *, hold_id: FromPath[str], data: JSONBody[ShownBody], deps: Deps, principal: Caller, locale: Locale
    ) -> HoldAnswer:
        """Agree as the second person: the hold ends. Needs a fresh log-in. `shownHash` is the hold's `releaseHash`."""
        fresh_login(principal, now=deps.clock())
        held = acts.release_hold(deps, principal, hold_id, shown=data.shown_hash, agree=True)
        return hold_answer(held, locale=locale)

    @post(
        "/{hold_id:str}/release-rejection",
        guards=[requires(Permission.HOLDS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="KeepLegalHold",
    )
    def keep(
        self, *, hold_id: FromPath[str], data: JSONBody[ShownBody], deps: Deps, principal: Caller, locale: Locale
    ) -> HoldAnswer:
        """Disagree as the second person: the hold stands as before."""
        held = acts.release_hold(deps, principal, hold_id, shown=data.shown_hash, agree=False)
        return hold_answer(held, locale=locale)
