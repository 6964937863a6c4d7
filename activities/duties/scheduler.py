"""Keeps a schedule per tenant that starts its daily run (日终定时). Sandboxes have none: people move their date."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlmodel import Session, col, select
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
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from activities.duties.runner import Duty
from models.database.engine import Database
from models.domain.ids import daily_schedule_id
from models.tables.daily import BusinessDate
from models.tables.tenants import Tenant

_AHEAD_OF_UTC: Final = 8  # Shanghai, all year round
# A start that was missed by less is made up; the catch-up runs missed dates anyway, so one start is enough.
_CATCH_UP_WINDOW: Final = timedelta(hours=12)


@dataclass(slots=True)
class Scheduler(Duty):
    """Makes each tenant's schedule what it should be, once per change that it sees.

    Attributes:
        queue: where the runs are served.
        hour: of the day in Shanghai; None: nothing is started by the clock.
        task_timeout: of every workflow.
    """

    database: Database
    client: Client
    queue: str
    hour: int | None
    task_timeout: timedelta
    rpc_timeout: timedelta
    name: ClassVar[str] = "scheduler"
    every: ClassVar[timedelta] = timedelta(seconds=30)
    _done: dict[str, bool] = field(default_factory=dict)

    async def run_once(self, now: datetime) -> int:  # noqa: ARG002 - a duty's signature
        """Create, correct or take away schedules; returns how many tenants were looked after."""
        wanted = self._wanted()
        changed = {tenant: on for tenant, on in wanted.items() if self._done.get(tenant) is not on}
        for tenant, on in changed.items():
            await (self._put(tenant) if on else self._take_away(tenant))
            self._done[tenant] = on
        return len(changed)

    def _wanted(self) -> dict[str, bool]:
        """Whether each tenant is to have a schedule."""
        with self.database.read() as session:
            open_books, tenants = _open_books(session), session.exec(select(Tenant.code, Tenant.sandbox)).all()
        return {code: self.hour is not None and not sandbox and code in open_books for code, sandbox in tenants}

    async def _put(self, tenant: str) -> None:
        schedule_id, schedule = daily_schedule_id(tenant), self._schedule(tenant)
        try:
            await self.client.create_schedule(schedule_id, schedule, rpc_timeout=self.rpc_timeout)
        except ScheduleAlreadyRunningError:
            handle = self.client.get_schedule_handle(schedule_id)
            await handle.update(lambda found: _corrected(found, schedule), rpc_timeout=self.rpc_timeout)

    async def _take_away(self, tenant: str) -> None:
        handle = self.client.get_schedule_handle(daily_schedule_id(tenant))
        try:
            await handle.delete(rpc_timeout=self.rpc_timeout)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    def _schedule(self, tenant: str) -> Schedule:
        """No arguments, no memo, no summary: their payloads would be bound to an id that the server changes."""
        hour = ((self.hour or 0) - _AHEAD_OF_UTC) % 24
        return Schedule(
            action=ScheduleActionStartWorkflow(
                "daily.scheduled",
                id=f"{daily_schedule_id(tenant)}/scheduled",
                task_queue=self.queue,
                task_timeout=self.task_timeout,
            ),
            spec=ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(hour)])]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP_WINDOW),
        )


def _corrected(found: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate | None:
    """The schedule as it should be; None if it is. A pause that an operator has set stays."""
    if found.description.schedule.spec.calendars == wanted.spec.calendars:
        return None
    wanted.state = found.description.schedule.state
    return ScheduleUpdate(schedule=wanted)


def _open_books(session: Session) -> set[str]:
    return set(session.exec(select(col(BusinessDate.tenant))).all())
