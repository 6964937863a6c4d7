"""What every reconciler does: hold the tasks of a workflow against its own account, mend what differs, and count it.

Nothing is drift that the workflow may simply not have heard of yet. While it writes, it is left alone; and a row whose
fence lies above the account was written after it.
"""

import asyncio
from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.duties.runner import Duty
from activities.tasks.content import content_of
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.telemetry.metrics import Metrics
from models.contracts.installments import CaseView
from models.contracts.platform import Fence, OpenTask, OpenTaskInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.states import OPEN_TASK_STATES, TaskState
from models.operations import projection, repairs
from models.queries.open_items import OpenItem
from models.tables.tasks import Task

RPC_PATIENCE: Final = timedelta(seconds=5)
_AT_ONCE: Final = 8
# What was written just now needs no look yet: that saves questions, and decides nothing.
_SETTLED_AFTER: Final = timedelta(seconds=15)


@dataclass(slots=True)
class Reconciling(Duty):
    """The part that follow-ups, tickets and cases share. `drift` counts by kind: ghost, missing, state."""

    database: Database
    client: Client
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    settled_after: timedelta = _SETTLED_AFTER
    drift: Counter[str] = field(default_factory=Counter)

    async def check(self, items: Sequence[OpenItem]) -> None:
        """Ask the workflow of each item, a few at once, and mend."""
        for first in range(0, len(items), _AT_ONCE):
            await asyncio.gather(*(self._check(item) for item in items[first : first + _AT_ONCE]))

    @abstractmethod
    async def mend_ended(self, item: OpenItem) -> None:
        """Bring the records of a workflow that has ended to its end."""

    async def mend_absent(self, item: OpenItem) -> None:
        """Nothing runs under its id: it has not been started yet, and the relay sees to that."""

    def mend(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        """Bring the records to what the workflow says; blocking."""
        self.mend_tasks(item, view, now)

    async def _check(self, item: OpenItem) -> None:
        handle = self.client.get_workflow_handle(item.workflow_id)
        try:
            description = await handle.describe(rpc_timeout=RPC_PATIENCE)
            if description.status is not WorkflowExecutionStatus.RUNNING:
                await self.mend_ended(item)
                return
            view = await handle.query("view", result_type=CaseView, rpc_timeout=RPC_PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                await self.mend_absent(item)
            return  # otherwise Temporal is away, and nothing can be said
        if not view.is_writing:
            await asyncio.to_thread(self.mend, item, view, self.clock())

    def mend_tasks(self, item: OpenItem, view: CaseView | None, now: datetime) -> None:
        """Close tasks that the workflow does not know, and bring those back for which it waits; None: it has ended."""
        with self.database.read() as session:
            rows = session.exec(select(Task).where(col(Task.workflow_id) == item.workflow_id)).all()
        open_rows = {row.task_no: row for row in rows if row.state in OPEN_TASK_STATES}
        wanted = {task.task_no: task for task in view.open_tasks} if view is not None else {}
        seen = Fence(epoch=view.epoch, seq=view.seq) if view is not None and view.outcome is None else None
        for task_no, row in open_rows.items():
            # A task taken for a decision is on its way to the workflow, unless there is no workflow to take it.
            if task_no not in wanted and (row.state != TaskState.DECIDING or seen is None):
                self._close_ghost(item, row, seen, now)
        for task_no, task in wanted.items():
            if task_no not in open_rows and seen is not None:
                self._bring_back(item, task, seen, now)

    def deed(self, item: OpenItem, action: str, now: datetime, /, **facts: object) -> Deed:
        """What is recorded of a repair."""
        tenant = tenant_of_case(item.case_token)
        return Deed(
            tenant=tenant, action=action, target=item.case_token, actor=f"duty:{self.name}", at=now, facts=facts
        )

    def count(self, kind: str) -> None:
        """One row was mended."""
        self.drift[kind] += 1
        self.metrics.count_drift(kind=kind)

    def _close_ghost(self, item: OpenItem, row: Task, seen: Fence | None, now: datetime) -> None:
        with unit_of_work(self.database, self.deed(item, "inbox.ghost-closed", now, task=row.id)) as unit:
            if not repairs.close_ghost(unit.session, task_id=row.id, seen=seen, now=now):
                raise Unchanged
            self.count("ghost")

    def _bring_back(self, item: OpenItem, task: OpenTask, seen: Fence, now: datetime) -> None:
        with unit_of_work(self.database, self.deed(item, "inbox.missing-restored", now, no=task.task_no)) as unit:
            session, known = unit.session, (item.workflow_id, task.task_no)
            if not repairs.reopen_missing(session, workflow_id=known[0], task_no=known[1], seen=seen, now=now):
                if projection.find_task(session, workflow_id=known[0], task_no=known[1]) is not None:
                    raise Unchanged
                content = content_of(session, _question(item, task, seen), now=now)
                projection.put_task(session, content, fence=seen, now=now)
            self.count("missing")


def _question(item: OpenItem, task: OpenTask, seen: Fence) -> OpenTaskInput:
    return OpenTaskInput(
        workflow_id=item.workflow_id,
        case_token=item.case_token,
        task_no=task.task_no,
        task_type=task.task_type,
        fence=seen,
        blocked=task.blocked,
        incident_step=task.step,
        incident_code=task.code,
        incident_choice=task.choice,
    )
