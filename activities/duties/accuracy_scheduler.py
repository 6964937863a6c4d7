"""Keeps a schedule per tenant that received customers: once a week, a sample of their records is checked again."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlmodel import col, select
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)

from activities.duties.runner import Duty
from models.database.engine import Database
from models.domain.ids import accuracy_schedule_id
from models.domain.transfers.states import MoveState
from models.tables.transfers import TransferJob, TransferRow

_MONDAY: Final = 1
_HOUR_UTC: Final = 18  # 02:00 of Tuesday in Shanghai: nobody waits beside it
_CATCH_UP_WINDOW: Final = timedelta(days=3)


@dataclass(slots=True)
class AccuracyScheduler(Duty):
    """Makes the schedule of each tenant that has moved records; an operator's pause of it stays.

    Attributes:
        queue: where the check is served.
    """

    database: Database
    client: Client
    queue: str
    task_timeout: timedelta
    rpc_timeout: timedelta
    name: ClassVar[str] = "accuracy-scheduler"
    every: ClassVar[timedelta] = timedelta(minutes=1)
    _done: set[str] = field(default_factory=set)

    async def run_once(self, now: datetime) -> int:  # noqa: ARG002 - a duty's signature
        """Make the schedules that are missing; returns how many."""
        made = 0
        for tenant in sorted(self._wanted() - self._done):
            try:
                await self.client.create_schedule(
                    accuracy_schedule_id(tenant), self._schedule(tenant), rpc_timeout=self.rpc_timeout
                )
                made += 1
            except ScheduleAlreadyRunningError:
                pass
            self._done.add(tenant)
        return made

    def _wanted(self) -> set[str]:
        moved = (
            select(TransferRow.number)
            .where(col(TransferRow.job) == col(TransferJob.token), col(TransferRow.move) == MoveState.MOVED.value)
            .exists()
        )
        with self.database.read() as session:
            return set(session.exec(select(TransferJob.tenant).where(moved)).all())

    def _schedule(self, tenant: str) -> Schedule:
        """No arguments, no memo, no summary: their payloads would be bound to an id that the server changes."""
        return Schedule(
            action=ScheduleActionStartWorkflow(
                "transfers.accuracy_scheduled",
                id=f"{accuracy_schedule_id(tenant)}/scheduled",
                task_queue=self.queue,
                task_timeout=self.task_timeout,
            ),
            spec=ScheduleSpec(
                calendars=[ScheduleCalendarSpec(day_of_week=[ScheduleRange(_MONDAY)], hour=[ScheduleRange(_HOUR_UTC)])]
            ),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP_WINDOW),
        )
