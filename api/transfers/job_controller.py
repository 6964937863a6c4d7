"""Transfer jobs over HTTP: create, read, plan, hold; both companies read, the receiving one acts."""

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Final

from litestar import Controller, Response, get, post, put
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter
from litestar.response import ServerSentEvent

from api.days import check_day
from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, etag
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.progress import Standing, progress_stream
from api.transfers import job_acts
from api.transfers.job_bodies import (
    JobAnswer,
    JobPage,
    JobProgress,
    NewJobBody,
    PlanBody,
    PlanTemplate,
    PlanVersionList,
    RollbackAnswer,
    RollbackBody,
    RollbackList,
    WishBody,
)
from api.transfers.job_views import job_answer, job_item, progress_answer, rollback_answer, version_answer
from api.transfers.lookup import known_job
from compliance.audit.unit import unit_of_work
from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.roles import Permission
from models.domain.transfers.plan_templates import as_toml, template
from models.domain.transfers.states import JobStage, LegalClass, WaveState
from models.errors import BadRequest, FieldFault
from models.operations.transfers import jobs
from models.queries.transfers import jobs as queries
from models.tables.transfer_jobs import TransferRollback

PATH: Final = "/v1/transfers"
IfNoneMatch = Annotated[str | None, HeaderParameter(name="If-None-Match")]
Classes = Annotated[str, QueryParameter(name="classes", pattern=r"\A[A-F](,G)?\Z|\AG\Z")]
Cutover = Annotated[date, QueryParameter(name="cutoverOn")]
StageFilter = Annotated[JobStage | None, QueryParameter(name="stage")]
OpenOnly = Annotated[bool, QueryParameter(name="open")]


class TransferJobController(Controller):
    """Customer information moved after a company transfer (公司转让后的客户信息变更), one job for each transfer."""

    path = PATH
    tags = ("Transfers",)

    @post("/", guards=[requires(Permission.TRANSFERS_RUN)], operation_id="CreateTransferJob")
    async def create(
        self, data: JSONBody[NewJobBody], deps: Deps, principal: Caller, locale: Locale, idempotency_key: KeyHeader
    ) -> Response[JobAnswer]:
        """Open a job with its plan; the class follows from the event. Its workflow starts at once."""
        slot = key_slot(principal, route="transfers.create", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(token: str) -> Stored:
            answer = _job(deps, principal, token, locale)
            headers = {"Location": f"{PATH}/{token}", "ETag": etag(answer.version)}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        answer = await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: job_acts.create(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )
        # Where that does not arrive, the relay starts it.
        await deps.dispatcher.start(transfer_workflow_id(_token_of(answer)))
        return answer

    @get("/", guards=[requires(Permission.TRANSFERS_READ)], sync_to_thread=True, operation_id="ListTransferJobs")
    def list_jobs(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        stage: StageFilter = None,
        only_open: OpenOnly = False,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> JobPage:
        """Jobs that the institution receives or gives, newest first; `stage` and `open` narrow them down."""
        with deps.database.read() as session:
            found = queries.list_jobs(
                session,
                tenant=principal.tenant,
                stage=stage.value if stage is not None else None,
                only_open=only_open,
                after=_position(after),
                limit=limit + 1,
            )
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return JobPage(
            items=[job_item(job, locale=locale) for job in page],
            end_cursor=encode_cursor("transfers", last.created_at.isoformat(), last.token) if last else None,
        )

    @get(
        "/plan-template",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=False,
        operation_id="GetTransferPlanTemplate",
    )
    def plan_template(self, classes: Classes, cutover_on: Cutover, principal: Caller) -> PlanTemplate:
        """A plan of these classes to fill in; the caller stands for every role until somebody else is named."""
        named = tuple(classes.split(","))
        check_day("/cutoverOn", cutover_on)
        plan = template(named, cutover_on=cutover_on, staff=principal.staff_id)
        return PlanTemplate(classes=list(named), cutover_on=cutover_on, toml=as_toml(plan), plan=plan)

    @get(
        "/{job:str}",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferJob",
        responses={304: ResponseSpec(None, description="The version named by If-None-Match is the present one")},
    )
    def get_one(
        self, job: FromPath[str], deps: Deps, principal: Caller, locale: Locale, if_none_match: IfNoneMatch = None
    ) -> Response[JobAnswer | None]:
        """One job: where it stands, its plan and approvals, its facts, and what the caller may do."""
        answer = _job(deps, principal, job, locale)
        headers = {"ETag": etag(answer.version), "Content-Language": locale, "Vary": "Accept-Language"}
        if if_none_match is not None and etag(answer.version) in {tag.strip() for tag in if_none_match.split(",")}:
            return Response(None, status_code=304, headers=headers)
        return Response(answer, status_code=200, headers=headers)

    @get(
        "/{job:str}/plan-versions",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="ListTransferPlanVersions",
    )
    def plan_versions(self, job: FromPath[str], deps: Deps, principal: Caller) -> PlanVersionList:
        """Every version of the plan, and who wrote it: none of them may approve it."""
        with deps.database.read() as session:
            found = queries.plan_versions(session, known_job(session, principal, job).token)
        return PlanVersionList(items=[version_answer(row) for row in found])

    @put("/{job:str}/plan", guards=[requires(Permission.TRANSFERS_RUN)], operation_id="ReplaceTransferPlan")
    async def replace_plan(
        self,
        *,
        job: FromPath[str],
        data: JSONBody[PlanBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[JobAnswer]:
        """Put another version of the plan in force, while it does not lie before the companies."""
        await in_thread(job_acts.replace_plan, deps, principal, job, data, read_version=if_match)
        return await _nudged(deps, principal, job, locale)

    @post(
        "/{job:str}/pause",
        guards=[requires(Permission.TRANSFERS_RUN)],
        status_code=200,
        operation_id="PauseTransferJob",
    )
    async def pause(self, job: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> Response[JobAnswer]:
        """Stop after the present part. Waves that move stop too; nothing is half done."""
        await in_thread(_pause, deps, principal, job, paused=True)
        return await _nudged(deps, principal, job, locale)

    @post(
        "/{job:str}/resumption",
        guards=[requires(Permission.TRANSFERS_RUN)],
        status_code=200,
        operation_id="ResumeTransferJob",
    )
    async def resume(self, job: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> Response[JobAnswer]:
        """Go on after a pause, from where it stopped."""
        await in_thread(_pause, deps, principal, job, paused=False)
        return await _nudged(deps, principal, job, locale)

    @post(
        "/{job:str}/cancellation",
        guards=[requires(Permission.TRANSFERS_RUN)],
        status_code=200,
        operation_id="CancelTransferJob",
    )
    async def cancel(
        self, job: FromPath[str], data: JSONBody[WishBody], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[JobAnswer]:
        """End a job of which nothing has moved; once rows have moved it is rolled back. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        await in_thread(_cancel, deps, principal, job, reason_code=data.reason_code)
        return await _nudged(deps, principal, job, locale)

    @get(
        "/{job:str}/rollbacks",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="ListTransferRollbacks",
    )
    def rollbacks(self, job: FromPath[str], deps: Deps, principal: Caller) -> RollbackList:
        """Requests for a rollback of a wave or of the job, newest first."""
        with deps.database.read() as session:
            found = queries.rollbacks_of(session, known_job(session, principal, job).token)
        return RollbackList(items=[rollback_answer(row) for row in found])

    @post("/{job:str}/rollbacks", guards=[requires(Permission.TRANSFERS_RUN)], operation_id="AskTransferRollback")
    async def ask_rollback(
        self,
        job: FromPath[str],
        data: JSONBody[RollbackBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[RollbackAnswer]:
        """Ask for a wave, or the whole job, to be put back; a second person decides in the inbox."""
        slot = key_slot(principal, route=f"transfers.ask-rollback/{job}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(rollback: str) -> Stored:
            with deps.database.read() as session:
                answer = rollback_answer(session.get_one(TransferRollback, rollback))
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers={})

        answer = await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: job_acts.ask_rollback(deps, principal, job, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )
        await deps.dispatcher.nudge(transfer_workflow_id(job))
        return answer

    @get(
        "/{job:str}/progress",
        guards=[requires(Permission.TRANSFERS_READ)],
        sync_to_thread=True,
        operation_id="GetTransferProgress",
    )
    def progress(self, job: FromPath[str], deps: Deps, principal: Caller) -> JobProgress:
        """How far the job is: stages, rows by outcome, waves by state."""
        return _progress(deps, principal, job)

    @get(
        "/{job:str}/progress/events",
        guards=[requires(Permission.TRANSFERS_READ)],
        media_type="text/event-stream",
        operation_id="WatchTransferJob",
    )
    async def watch(self, job: FromPath[str], deps: Deps, principal: Caller) -> ServerSentEvent:
        """The same as a stream of events; it ends when the job has ended or is paused."""
        await in_thread(_progress, deps, principal, job)  # a job that is not there is a problem, and no stream
        return progress_stream(lambda: _standing(deps, principal, job))


def _job(deps: ApiDeps, principal: Principal, token: str, locale: str) -> JobAnswer:
    with deps.database.read() as session:
        return job_answer(session, known_job(session, principal, token), principal, locale=locale)


async def _nudged(deps: ApiDeps, principal: Principal, token: str, locale: str) -> Response[JobAnswer]:
    """The job after a wish, which its workflow and its waves are told of at once."""
    await nudge_all(deps, token)
    answer = await in_thread(_job, deps, principal, token, locale)
    return Response(answer, status_code=200, headers={"ETag": etag(answer.version)})


async def nudge_all(deps: ApiDeps, token: str) -> None:
    """Have a job and its waves that move look again at once; where it does not arrive they look by themselves."""
    waves = await in_thread(_moving, deps, token)
    for workflow_id in (transfer_workflow_id(token), *(wave_workflow_id(token, number) for number in waves)):
        await deps.dispatcher.nudge(workflow_id)


def _moving(deps: ApiDeps, token: str) -> list[int]:
    with deps.database.read() as session:
        return [wave.number for wave in queries.waves_of(session, token) if wave.state == WaveState.MOVING]


def _pause(deps: ApiDeps, principal: Principal, token: str, *, paused: bool) -> None:
    now = deps.clock()
    action = "transfer.paused" if paused else "transfer.resumed"
    with unit_of_work(deps.database, job_acts.deed(principal, action, token, now)) as unit:
        job = known_job(unit.session, principal, token, own=True)
        jobs.want_pause(unit.session, job, paused=paused, now=now)


def _cancel(deps: ApiDeps, principal: Principal, token: str, *, reason_code: str) -> None:
    now = deps.clock()
    deed = job_acts.deed(principal, "transfer.cancel-asked", token, now, reason=reason_code)
    with unit_of_work(deps.database, deed) as unit:
        job = known_job(unit.session, principal, token, own=True)
        moved = queries.has_moved(unit.session, token)
        jobs.want_cancel(unit.session, job, moved=moved, reason_code=reason_code, now=now)


def _progress(deps: ApiDeps, principal: Principal, token: str) -> JobProgress:
    with deps.database.read() as session:
        return progress_answer(session, known_job(session, principal, token))


def _standing(deps: ApiDeps, principal: Principal, token: str) -> Standing:
    answer = _progress(deps, principal, token)
    return Standing(answer, is_busy=answer.stage != JobStage.ENDED and not answer.paused)


def _token_of(answer: Response[JobAnswer]) -> str:
    return str(answer.headers["Location"]).rpartition("/")[2]


def _position(after: str | None) -> queries.Position | None:
    values = decode_cursor(after, kind="transfers", types=(str, str))
    if values is None:
        return None
    try:
        return datetime.fromisoformat(str(values[0])).astimezone(UTC), str(values[1])
    except (ValueError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None


assert {each.value for each in LegalClass} == set("ABCDEFG"), "the classes that a template can be asked for"
