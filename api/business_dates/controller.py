"""The business date (会计日期): how far the daily runs have come, and having them go on."""

from datetime import date
from typing import Final

from litestar import Controller, Response, get, post
from litestar.params import JSONBody
from litestar.response import ServerSentEvent

from api.bodies import Answer
from api.business_dates.bodies import BusinessDatesAnswer, DailyRunAnswer, OpeningBody, RunDatesBody, RunProgress
from api.deps import ApiDeps, Deps
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.progress import Standing, progress_stream
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.daily import DayStep, RunState
from models.domain.roles import Permission
from models.domain.shanghai import shanghai_date
from models.errors import WorkflowUnavailable, WrongState
from models.operations.business_dates import Day, open_books, refuse_ahead
from models.operations.idempotency import open_key
from models.queries.daily import business_date_row, latest_runs, open_exceptions
from models.tables.daily import DailyRun

_HERE: Final = "/v1/business-dates"
_RUNS_SHOWN: Final = 31


class RunsAsked(Answer):
    """The runs were asked for; `Location` tells how they come along."""

    until: date


class BooksOpened(Answer):
    """The books are open at this date."""

    today: date


class BusinessDateController(Controller):
    """The tenant's business date and its daily runs (日终)."""

    path = _HERE
    tags = ("Business dates",)

    @get(
        "/",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        sync_to_thread=True,
        operation_id="GetBusinessDates",
    )
    def show(self, deps: Deps, principal: Caller) -> BusinessDatesAnswer:
        """The open date, the newest runs with the figures of each step, and what waits in the exception queue."""
        with deps.database.read() as session:
            row = business_date_row(session, tenant=principal.tenant)
            runs = latest_runs(session, tenant=principal.tenant, limit=_RUNS_SHOWN)
            waiting = open_exceptions(session, tenant=principal.tenant)
        return BusinessDatesAnswer(
            today=row.today if row is not None else None,
            open_exceptions=waiting,
            runs=tuple(DailyRunAnswer.of(run) for run in runs),
        )

    @get(
        "/progress",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        media_type="text/event-stream",
        operation_id="WatchBusinessDates",
    )
    async def watch(self, deps: Deps, principal: Caller) -> ServerSentEvent:
        """The runs as they go, as a stream of events; it ends when none is under way."""
        return progress_stream(lambda: _standing(deps, principal.tenant))

    @post("/", guards=[requires(Permission.BUSINESS_DATES_RUN)], status_code=202, operation_id="RunBusinessDates")
    async def run(
        self, data: JSONBody[RunDatesBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[RunsAsked]:
        """Run every open business date up to and with `until`, the missed ones first; the answer does not wait.

        A date after the wall clock's is refused unless the institution is a sandbox.
        """
        slot = key_slot(principal, route="business-dates.run", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            now = deps.clock()
            with unit_of_work(deps.database, _deed(deps, principal, data.until)) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=str(data.until), status=202, now=now)
                if business_date_row(unit.session, tenant=principal.tenant) is None:
                    raise WrongState(detail=principal.tenant, params={"state": "no-business-date"})
                wall_today = shanghai_date(now)
                refuse_ahead(unit.session, Day(tenant=principal.tenant, on=data.until), wall_today=wall_today)
            return str(data.until)

        def rebuild(until: str) -> Stored:
            answer = RunsAsked(until=date.fromisoformat(until))
            return Stored(status=202, body=answer.model_dump(mode="json"), headers={"Location": _HERE})

        answer = await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)
        # Under a key that was used before as well: the first request may have died in between, and one run is one run.
        if not await deps.dispatcher.catch_up(tenant=principal.tenant, until=data.until):
            raise WorkflowUnavailable(detail=f"daily/{principal.tenant}")
        return answer

    @post(
        "/opening", guards=[requires(Permission.BUSINESS_DATES_RUN)], status_code=201, operation_id="OpenBusinessDates"
    )
    async def open_books(
        self, data: JSONBody[OpeningBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[BooksOpened]:
        """Open the books of an institution that has none yet; from then on only the daily run moves the date.

        A date after the wall clock's is refused unless the institution is a sandbox, and so is one before what stands
        in the books.
        """
        slot = key_slot(principal, route="business-dates.open", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)
        first = data.business_date

        def act() -> str:
            now = deps.clock()
            deed = _deed(deps, principal, first, action="business-dates.opened")
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=first.isoformat(), status=201, now=now)
                open_books(unit.session, Day(tenant=principal.tenant, on=first), wall_today=shanghai_date(now), now=now)
            return first.isoformat()

        def rebuild(today: str) -> Stored:
            answer = BooksOpened(today=date.fromisoformat(today))
            return Stored(status=201, body=answer.model_dump(mode="json"), headers={"Location": _HERE})

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)


def _standing(deps: ApiDeps, tenant: str) -> Standing:
    with deps.database.read() as session:
        row = business_date_row(session, tenant=tenant)
        run = session.get(DailyRun, (tenant, row.today)) if row is not None else None
        waiting = open_exceptions(session, tenant=tenant)
    done = run.figures.get("finished", []) if run is not None else []
    answer = RunProgress(
        today=row.today if row is not None else None,
        open_exceptions=waiting,
        steps_done=tuple(step for step in DayStep if step.value in done) if run is not None else None,
    )
    return Standing(answer, is_busy=run is not None and run.state == RunState.RUNNING)


def _deed(deps: ApiDeps, principal: Principal, until: date, *, action: str = "business-dates.run-asked") -> Deed:
    return Deed(
        tenant=principal.tenant,
        action=action,
        target=f"daily/{principal.tenant}",
        actor=principal.staff_id,
        at=deps.clock(),
        facts={"until": until.isoformat()},
    )
