"""Erasure (删除权): asked for by one person, approved by another, carried out by a duty, certified."""

from typing import Annotated, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.deps import Deps, Locale
from api.erasures import acts
from api.erasures.asking import ERASURES, ask_erasure
from api.erasures.bodies import ErasureAnswer, ErasureBody, ErasurePage, RejectionBody, ShownBody
from api.erasures.pages import next_place, place_of
from api.erasures.views import erasure_answer
from api.idempotency import KeyHeader, key_slot
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller
from api.paging import DEFAULT_LIMIT, After, Limit
from models.domain.privacy.erasing import ErasureState
from models.domain.roles import Permission
from models.errors import NotFound
from models.queries import erasure as erasures

_KIND: Final = "erasure-requests"
InState = Annotated[ErasureState | None, QueryParameter(name="state")]


class SubjectErasureController(Controller):
    """Requests that are made for a person."""

    path = "/v1/subjects/{subject_id:str}/erasure-requests"
    tags = ("Personal data",)

    @post("/", guards=[requires(Permission.ERASURES_REQUEST)], operation_id="RequestErasure")
    async def request_erasure(
        self,
        *,
        subject_id: FromPath[str],
        data: JSONBody[ErasureBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ErasureAnswer]:
        """Ask that a person's data are erased. `REFUSED` at once, with why and until when, while a law keeps them."""
        slot = key_slot(principal, route=f"erasures.request/{subject_id}", key=idempotency_key)
        return await ask_erasure(
            deps,
            principal,
            data,
            slot=slot,
            locale=locale,
            act=lambda digest: acts.request_erasure(deps, principal, subject_id, data, slot=slot, digest=digest),
        )


class ErasureController(Controller):
    """Requests that wait for their second person, were refused, or are carried out."""

    path = ERASURES
    tags = ("Personal data",)

    @get("/", guards=[requires(Permission.PRIVACY_READ)], sync_to_thread=True, operation_id="ListErasureRequests")
    def show_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        in_state: InState = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> ErasurePage:
        """Requests, the newest first."""
        with deps.database.read() as session:
            rows = erasures.requests_page(
                session,
                tenant=principal.tenant,
                state=None if in_state is None else in_state.value,
                before=place_of(after, kind=_KIND),
                limit=limit + 1,
            )
        shown = rows[:limit]
        cursor = next_place(_KIND, shown[-1].requested_at, shown[-1].id) if len(rows) > limit else None
        return ErasurePage(items=[erasure_answer(row, locale=locale) for row in shown], end_cursor=cursor)

    @get(
        "/{erasure_id:str}",
        guards=[requires(Permission.PRIVACY_READ)],
        sync_to_thread=True,
        operation_id="GetErasureRequest",
    )
    def get_request(self, erasure_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> ErasureAnswer:
        """One request."""
        return erasure_answer(acts.request_for(deps, principal, erasure_id), locale=locale)

    @get(
        "/{erasure_id:str}/certificate",
        guards=[requires(Permission.PRIVACY_READ)],
        sync_to_thread=True,
        media_type="application/json",
        operation_id="GetErasureCertificate",
    )
    def get_certificate(self, erasure_id: FromPath[str], deps: Deps, principal: Caller) -> Response[bytes]:
        """The signed certificate, as a file: `casework privacy verify-certificate` checks it offline."""
        request = acts.request_for(deps, principal, erasure_id)
        if request.certificate is None:
            raise NotFound
        headers = {"Content-Disposition": f'attachment; filename="{request.id}.json"'}
        return Response(request.certificate.encode(), media_type="application/json", headers=headers)

    @post(
        "/{erasure_id:str}/endorsement",
        guards=[requires(Permission.ERASURES_REQUEST)],
        sync_to_thread=True,
        status_code=200,
        operation_id="EndorseErasure",
    )
    def endorse(
        self,
        *,
        erasure_id: FromPath[str],
        data: JSONBody[ShownBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> ErasureAnswer:
        """Make a proposal of the retention sweep one's own; another person then decides."""
        return erasure_answer(acts.endorse(deps, principal, erasure_id, shown=data.shown_hash), locale=locale)

    @post(
        "/{erasure_id:str}/approval",
        guards=[requires(Permission.ERASURES_DECIDE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ApproveErasure",
    )
    def approve(
        self,
        *,
        erasure_id: FromPath[str],
        data: JSONBody[ShownBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> ErasureAnswer:
        """Approve as the second person: the keys are destroyed within seconds, for good. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        return erasure_answer(acts.decide(deps, principal, erasure_id, shown=data.shown_hash), locale=locale)

    @post(
        "/{erasure_id:str}/rejection",
        guards=[requires(Permission.ERASURES_DECIDE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectErasure",
    )
    def reject(
        self,
        *,
        erasure_id: FromPath[str],
        data: JSONBody[RejectionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> ErasureAnswer:
        """Reject a proposal, or as second person, with a reason that the customer is told (个人信息保护法 Art. 50)."""
        decided = acts.decide(deps, principal, erasure_id, shown=data.shown_hash, reason=data.reason.value)
        return erasure_answer(decided, locale=locale)
