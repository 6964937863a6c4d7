"""Keeps Temporal's schedules equal to the standing plans (批量排期), and hands it the dates to be made up for.

The rows are the truth, a pause too: whoever pauses a schedule in Temporal alone finds it running again with the plan's
next change, or when the duty begins anew. The schedule of a sandbox is paused: people move its date, and fill back.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar, Final

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleBackfill,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.database.engine import Database
from models.domain.batches.plans import Overlap, PlanState
from models.domain.ids import batch_schedule_id
from models.operations.batches.plans import backfill_sent
from models.queries.batches.plans import clocked_plans, unsent_backfills
from models.tables.batch_plans import BatchBackfill, BatchPlan

_AHEAD_OF_UTC: Final = timedelta(hours=8)  # Shanghai, all year round
_OVERLAPS: Final = {
    Overlap.SKIP: ScheduleOverlapPolicy.SKIP,
    Overlap.BUFFER_ONE: ScheduleOverlapPolicy.BUFFER_ONE,
}


@dataclass(slots=True)
class BatchScheduler(Duty):
    """Makes each plan's schedule what it should be, once per change that it sees.

    Attributes:
        queue: where the runs are served.
        task_timeout: of every workflow.
    """

    database: Database
    client: Client
    queue: str
    task_timeout: timedelta
    rpc_timeout: timedelta
    name: ClassVar[str] = "batch-scheduler"
    every: ClassVar[timedelta] = timedelta(seconds=10)
    _done: dict[str, tuple[int, bool]] = field(default_factory=dict)

    async def run_once(self, now: datetime) -> int:
        """Create, correct or take away schedules, then send backfills; returns how many of both."""
        plans, backfills = await asyncio.to_thread(self._wanted)
        changed = 0
        for plan, sandbox in plans:
            wanted = (plan.version, sandbox)
            if self._done.get(plan.id) == wanted:
                continue
            await (self._put(plan, sandbox=sandbox) if plan.state == PlanState.ACTIVE else self._take_away(plan))
            self._done[plan.id] = wanted
            changed += 1
        active = {plan.id: plan for plan, _ in plans if plan.state == PlanState.ACTIVE}
        for backfill in backfills:
            if backfill.plan in active:
                await self._fill_back(active[backfill.plan], backfill)
            # Of a plan that has ended since, nothing is made up for; that it was asked for stands in the log.
            changed += await asyncio.to_thread(self._note_sent, backfill, now)
        return changed

    def _wanted(self) -> tuple[list[tuple[BatchPlan, bool]], list[BatchBackfill]]:
        with self.database.read() as session:
            return clocked_plans(session), unsent_backfills(session)

    async def _put(self, plan: BatchPlan, *, sandbox: bool) -> None:
        schedule_id, schedule = batch_schedule_id(plan.tenant, plan.id), self._schedule(plan, sandbox=sandbox)
        try:
            await self.client.create_schedule(schedule_id, schedule, rpc_timeout=self.rpc_timeout)
        except ScheduleAlreadyRunningError:
            handle = self.client.get_schedule_handle(schedule_id)
            await handle.update(lambda found: _corrected(found, schedule), rpc_timeout=self.rpc_timeout)

    async def _take_away(self, plan: BatchPlan) -> None:
        handle = self.client.get_schedule_handle(batch_schedule_id(plan.tenant, plan.id))
        try:
            await handle.delete(rpc_timeout=self.rpc_timeout)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _fill_back(self, plan: BatchPlan, backfill: BatchBackfill) -> None:
        """Every date of it, one after the other: the run of each has left the house before the next one begins.

        Told twice, it begins nothing twice: a run has its plan and its date for a key.
        """
        first = _asked_at(backfill.first_date.toordinal(), plan.hour)
        wish = ScheduleBackfill(
            start_at=first - timedelta(seconds=1),  # the server leaves the very beginning out
            end_at=_asked_at(backfill.last_date.toordinal(), plan.hour),
            overlap=ScheduleOverlapPolicy.BUFFER_ALL,
        )
        handle = self.client.get_schedule_handle(batch_schedule_id(plan.tenant, plan.id))
        await handle.backfill(wish, rpc_timeout=self.rpc_timeout)

    def _note_sent(self, backfill: BatchBackfill, now: datetime) -> int:
        facts = {"from": backfill.first_date.isoformat(), "to": backfill.last_date.isoformat()}
        deed = Deed(
            tenant=backfill.tenant,
            action="batch.plan-backfill-sent",
            target=backfill.plan,
            actor=f"duty:{self.name}",
            at=now,
            facts=facts,
        )
        sent = False
        with unit_of_work(self.database, deed) as unit:
            sent = backfill_sent(unit.session, backfill.id, now=now)
            if not sent:
                raise Unchanged
        return int(sent)

    def _schedule(self, plan: BatchPlan, *, sandbox: bool) -> Schedule:
        """No arguments, no memo, no summary: their payloads would be bound to an id that the server changes.

        It asks every day; whether one is due is told by the institution's bank days, which Temporal does not know.
        """
        hour = (plan.hour - 8) % 24
        return Schedule(
            action=ScheduleActionStartWorkflow(
                "batches.scheduled",
                id=f"{batch_schedule_id(plan.tenant, plan.id)}/scheduled",
                task_queue=self.queue,
                task_timeout=self.task_timeout,
            ),
            spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)])]),
            policy=SchedulePolicy(
                overlap=_OVERLAPS[Overlap(plan.overlap)], catchup_window=timedelta(hours=plan.catch_up_hours)
            ),
            state=ScheduleState(paused=plan.paused or sandbox),
        )


def _corrected(found: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate | None:
    """The schedule as it should be; None if it is. What a plan says but its pause never changes."""
    if found.description.schedule.state.paused == wanted.state.paused:
        return None
    return ScheduleUpdate(schedule=wanted)


def _asked_at(ordinal: int, hour: int) -> datetime:
    """When the clock would have asked for a date."""
    return datetime.combine(datetime.fromordinal(ordinal).date(), time(hour), tzinfo=UTC) - _AHEAD_OF_UTC
