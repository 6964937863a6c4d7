"""The reconciler of after-care: holds tasks of follow-ups and tickets against their workflows, and mends them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.duties.runner import Duty
from activities.tasks.content import content_of
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.telemetry.metrics import Metrics
from models.contracts.installments import CaseView
from models.contracts.platform import Fence, OpenTask, OpenTaskInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import care_item, tenant_of_case
from models.domain.states import OPEN_TASK_STATES, TaskState, TicketOutcome
from models.operations import follow_ups, projection, repairs, tickets
from models.queries.aftercare import OpenItem, open_items
from models.tables.tasks import Task

_AT_ONCE: Final = 8
# A row that was written just now may be ahead of what the workflow has remembered: that is no drift.
_SETTLED_AFTER: Final = timedelta(seconds=15)
_RPC_TIMEOUT: Final = timedelta(seconds=5)


@dataclass(slots=True)
class CareReconciler(Duty):
    """One pass over open follow-ups and tickets. `drift` counts by kind: ghost, missing, state."""

    database: Database
    client: Client
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    settled_after: timedelta = _SETTLED_AFTER
    drift: Counter[str] = field(default_factory=Counter)
    name: ClassVar[str] = "care-reconciler"
    every: ClassVar[timedelta] = timedelta(minutes=5)

    async def run_once(self, now: datetime) -> int:
        """Ask every open item's workflow; returns how many rows were mended."""
        before = self.drift.total()
        items = await asyncio.to_thread(self._items, now - self.settled_after)
        for first in range(0, len(items), _AT_ONCE):
            await asyncio.gather(*(self._check(item) for item in items[first : first + _AT_ONCE]))
        return self.drift.total() - before

    def _items(self, before: datetime) -> list[OpenItem]:
        with self.database.read() as session:
            return open_items(session, before=before)

    async def _check(self, item: OpenItem) -> None:
        handle = self.client.get_workflow_handle(item.workflow_id)
        view: CaseView | None = None
        try:
            description = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
            if description.status is WorkflowExecutionStatus.RUNNING:
                view = await handle.query("view", result_type=CaseView, rpc_timeout=_RPC_TIMEOUT)
        except RPCError:
            return  # not started yet: the relay sees to it; or Temporal is away, and nothing can be said
        await asyncio.to_thread(self._mend, item, view)

    def _mend(self, item: OpenItem, view: CaseView | None) -> None:
        """Bring the records to what the workflow says; without a view it has ended, though nothing says how."""
        now = self.clock()
        with self.database.read() as session:
            rows = session.exec(select(Task).where(col(Task.workflow_id) == item.workflow_id)).all()
        open_rows = {row.task_no: row for row in rows if row.state in OPEN_TASK_STATES}
        wanted = {task.task_no: task for task in view.open_tasks} if view is not None else {}
        for task_no, row in open_rows.items():
            stale = view is None or (row.state != TaskState.DECIDING and row.updated_at <= now - self.settled_after)
            if task_no not in wanted and stale:
                self._close_ghost(item, row, now)
        for task_no, task in wanted.items():
            if view is not None and task_no not in open_rows:
                self._bring_back(item, task, Fence(epoch=view.epoch, seq=view.seq), now)
        if view is None:
            self._drop(item, now)

    def _close_ghost(self, item: OpenItem, row: Task, now: datetime) -> None:
        with unit_of_work(self.database, _deed(item, "inbox.ghost-closed", now, task=row.id)) as unit:
            if not repairs.close_ghost(unit.session, task_id=row.id, now=now):
                raise Unchanged
            self._count("ghost")

    def _bring_back(self, item: OpenItem, task: OpenTask, fence: Fence, now: datetime) -> None:
        question = OpenTaskInput(
            workflow_id=item.workflow_id,
            case_token=item.case_token,
            task_no=task.task_no,
            task_type=task.task_type,
            fence=fence,
            blocked=task.blocked,
        )
        with unit_of_work(self.database, _deed(item, "inbox.missing-restored", now, no=task.task_no)) as unit:
            session = unit.session
            if not repairs.reopen_missing(session, workflow_id=item.workflow_id, task_no=task.task_no, now=now):
                projection.put_task(session, content_of(session, question, now=now), fence=fence, now=now)
            self._count("missing")

    def _drop(self, item: OpenItem, now: datetime) -> None:
        """An operator terminated the workflow: whoever waits for the item sees that nobody has it in hand."""
        fence, name = Fence(epoch=item.epoch, seq=item.seq + 1), care_item(item.workflow_id)
        with unit_of_work(self.database, _deed(item, "aftercare.dropped", now, item=name)) as unit:
            if item.workflow_id.startswith("tickets/"):
                done = tickets.close_ticket(unit.session, name, outcome=TicketOutcome.DROPPED, fence=fence, now=now)
            else:
                done = follow_ups.drop(unit.session, name, fence=fence, now=now)
            if not done:
                raise Unchanged
            self._count("state")

    def _count(self, kind: str) -> None:
        self.drift[kind] += 1
        self.metrics.count_drift(kind=kind)


def _deed(about: OpenItem, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(
        tenant=tenant_of_case(about.case_token),
        action=action,
        target=about.case_token,
        actor="duty:care-reconciler",
        at=now,
        facts=facts,
    )
