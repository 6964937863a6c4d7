"""Runs of batches over HTTP: previewed, listed, read, held, gone on with, cancelled; their orders a page at a time."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

from litestar import Controller, Response, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import ServerSentEvent

from api.batches import run_acts
from api.batches.bodies import (
    CancelBody,
    CriteriaBody,
    NewRunBody,
    OrderPage,
    PreviewAnswer,
    PreviewBody,
    RunAnswer,
    RunPage,
    RunProgress,
)
from api.batches.lookup import known_run
from api.batches.views import order_answer, preview_answer, progress_answer, run_answer, run_item
from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, etag
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.progress import Standing, progress_stream
from compliance.audit.unit import unit_of_work
from models.domain.batches.kinds import KindName
from models.domain.batches.states import OrderState, RunStage
from models.domain.ids import batch_workflow_id
from models.domain.roles import Permission
from models.errors import BadRequest, FieldFault
from models.queries.batches.cohorts import preview as preview_cohort
from models.queries.batches.run_list import Position, list_orders, list_runs
from models.queries.batches.sides import START, place_of

PATH: Final = "/v1/batches"
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match")]
KindFilter = Annotated[KindName | None, QueryParameter(name="kind")]
StageFilter = Annotated[RunStage | None, QueryParameter(name="stage")]
StateFilter = Annotated[OrderState | None, QueryParameter(name="state")]
OpenOnly = Annotated[bool, QueryParameter(name="open")]


class BatchController(Controller):
    """Runs of debits and payments (批量业务)."""

    path = PATH
    tags = ("Batches",)

    @post("/", guards=[requires(Permission.BATCHES_RUN)], operation_id="BeginBatch")
    async def begin(
        self, data: JSONBody[NewRunBody], deps: Deps, principal: Caller, locale: Locale, idempotency_key: KeyHeader
    ) -> Response[RunAnswer]:
        """Begin a run. Its workflow starts at once; one of a file waits, paused, until its file has come."""
        slot = key_slot(principal, route="batches.begin", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(token: str) -> Stored:
            answer = _run(deps, principal, token, locale)
            headers = {"Location": f"{PATH}/{token}", "ETag": etag(answer.version)}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        answer = await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: run_acts.create(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )
        # Where that does not arrive, the relay starts it.
        await deps.dispatcher.start(batch_workflow_id(str(answer.headers["Location"]).rpartition("/")[2]))
        return answer

    @post(
        "/preview",
        guards=[requires(Permission.BATCHES_RUN)],
        sync_to_thread=True,
        status_code=200,
        operation_id="PreviewBatchCohort",
    )
    def preview(self, data: JSONBody[PreviewBody], deps: Deps, principal: Caller, locale: Locale) -> PreviewAnswer:
        """What the criteria would choose of the book today: counts, sums by class, exclusions and a masked sample."""
        on = run_acts.today(deps, principal)
        with deps.database.read() as session:
            found = preview_cohort(session, tenant=principal.tenant, kind=data.kind, criteria=data.criteria, on=on)
        facts = {"kind": data.kind.value, "members": found.figures.members, "excluded": found.figures.excluded}
        deed = run_acts.deed(principal, "batch.cohort-previewed", principal.tenant, deps.clock(), **facts)
        with unit_of_work(deps.database, deed):
            pass  # the event is all there is to write
        return preview_answer(found, on=on, locale=locale)

    @get("/", guards=[requires(Permission.BATCHES_READ)], sync_to_thread=True, operation_id="ListBatches")
    def list_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        kind: KindFilter = None,
        stage: StageFilter = None,
        only_open: OpenOnly = False,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> RunPage:
        """Runs of the institution, newest first; `kind`, `stage` and `open` narrow them down."""
        with deps.database.read() as session:
            found = list_runs(
                session,
                tenant=principal.tenant,
                kind=kind.value if kind is not None else None,
                stage=stage.value if stage is not None else None,
                only_open=only_open,
                after=_position(after),
                limit=limit + 1,
            )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return RunPage(
            items=[run_item(run, locale=locale) for run in page],
            end_cursor=encode_cursor("batches", last.created_at.isoformat(), last.token) if last else None,
        )

    @get(
        "/{run:str}",
        guards=[requires(Permission.BATCHES_READ)],
        sync_to_thread=True,
        operation_id="GetBatch",
        responses={304: ResponseSpec(None, description="The version named by If-None-Match is the present one")},
    )
    def get_one(
        self, run: FromPath[str], deps: Deps, principal: Caller, locale: Locale, if_none_match: IfNoneMatch = None
    ) -> Response[RunAnswer | None]:
        """One run: where it stands, its cohort and counts, and what the caller may do."""
        answer = _run(deps, principal, run, locale)
        headers = {"ETag": etag(answer.version), "Content-Language": locale, "Vary": "Accept-Language"}
        if if_none_match is not None and etag(answer.version) in {tag.strip() for tag in if_none_match.split(",")}:
            return Response(None, status_code=304, headers=headers)
        return Response(answer, status_code=200, headers=headers)

    @get(
        "/{run:str}/orders",
        guards=[requires(Permission.BATCHES_READ)],
        sync_to_thread=True,
        operation_id="ListBatchOrders",
    )
    def orders(
        self,
        *,
        run: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        order_state: StateFilter = None,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> OrderPage:
        """Orders with what became of each and why; who is debited or paid is not told."""
        place = decode_cursor(after, kind="batch-orders", types=(int, int))
        with deps.database.read() as session:
            found = list_orders(
                session,
                known_run(session, principal, run).token,
                state=order_state.value if order_state is not None else None,
                after=START if place is None else _place(place),
                limit=limit + 1,
            )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return OrderPage(
            items=[order_answer(each, locale=locale) for each in page],
            end_cursor=encode_cursor("batch-orders", *place_of(last)) if last else None,
        )

    @get(
        "/{run:str}/progress",
        guards=[requires(Permission.BATCHES_READ)],
        sync_to_thread=True,
        operation_id="GetBatchProgress",
    )
    def progress(self, run: FromPath[str], deps: Deps, principal: Caller) -> RunProgress:
        """How far the run is: stages, rows by what was expected, orders by state."""
        return _progress(deps, principal, run)

    @get(
        "/{run:str}/progress/events",
        guards=[requires(Permission.BATCHES_READ)],
        media_type="text/event-stream",
        operation_id="WatchBatch",
    )
    async def watch(self, run: FromPath[str], deps: Deps, principal: Caller) -> ServerSentEvent:
        """The same as a stream of events; it ends when the run has ended or is paused."""
        await in_thread(_progress, deps, principal, run)  # a run that is not there is a problem, and no stream
        return progress_stream(lambda: _standing(deps, principal, run))

    @put("/{run:str}/criteria", guards=[requires(Permission.BATCHES_RUN)], operation_id="AmendBatchCriteria")
    async def amend(
        self,
        *,
        run: FromPath[str],
        data: JSONBody[CriteriaBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[RunAnswer]:
        """Choose a run that was sent back by other criteria, before anything was chosen by the old ones."""
        await in_thread(run_acts.amend, deps, principal, run, data.criteria, read_version=if_match)
        return await _nudged(deps, principal, run, locale)

    @post("/{run:str}/pause", guards=[requires(Permission.BATCHES_RUN)], status_code=200, operation_id="PauseBatch")
    async def pause(self, run: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> Response[RunAnswer]:
        """Stop after what is under way. Answers of the bank are taken all the same."""
        await in_thread(run_acts.pause, deps, principal, run, paused=True)
        return await _nudged(deps, principal, run, locale)

    @post(
        "/{run:str}/resumption",
        guards=[requires(Permission.BATCHES_RUN)],
        status_code=200,
        operation_id="ResumeBatch",
    )
    async def resume(self, run: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> Response[RunAnswer]:
        """Go on after a pause, from where it stopped."""
        await in_thread(run_acts.pause, deps, principal, run, paused=False)
        return await _nudged(deps, principal, run, locale)

    @post(
        "/{run:str}/cancellation",
        guards=[requires(Permission.BATCHES_RUN)],
        status_code=200,
        operation_id="CancelBatch",
    )
    async def cancel(
        self, run: FromPath[str], data: JSONBody[CancelBody], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[RunAnswer]:
        """End a run; what has left the house is followed to its end. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        await in_thread(run_acts.cancel, deps, principal, run, reason_code=data.reason_code)
        return await _nudged(deps, principal, run, locale)


def _run(deps: ApiDeps, principal: Principal, token: str, locale: str) -> RunAnswer:
    with deps.database.read() as session:
        return run_answer(session, known_run(session, principal, token), principal, locale=locale)


async def _nudged(deps: ApiDeps, principal: Principal, token: str, locale: str) -> Response[RunAnswer]:
    """The run after a wish, which its workflow is told of at once; where that does not arrive a duty tells it."""
    await deps.dispatcher.nudge(batch_workflow_id(token))
    answer = await in_thread(_run, deps, principal, token, locale)
    return Response(answer, status_code=200, headers={"ETag": etag(answer.version)})


def _progress(deps: ApiDeps, principal: Principal, token: str) -> RunProgress:
    with deps.database.read() as session:
        return progress_answer(session, known_run(session, principal, token))


def _standing(deps: ApiDeps, principal: Principal, token: str) -> Standing:
    answer = _progress(deps, principal, token)
    return Standing(answer, is_busy=answer.stage != RunStage.ENDED and not answer.paused)


def _place(values: tuple[Any, ...]) -> tuple[int, int]:
    """Behind which order the page begins.

    Raises:
        BadRequest: a forged cursor; no place is null.
    """
    member, attempt = values
    if member is None or attempt is None:
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),))
    return member, attempt


def _position(after: str | None) -> Position | None:
    values = decode_cursor(after, kind="batches", types=(str, str))
    if values is None:
        return None
    try:
        return datetime.fromisoformat(str(values[0])).astimezone(UTC), str(values[1])
    except (ValueError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None
