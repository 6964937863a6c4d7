"""The reconciler: holds the inbox against the workflows' own accounts, repairs what differs, and counts it."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.duties.runner import Duty
from activities.tasks.content import content_of
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.telemetry.metrics import Metrics
from models.contracts.installments import CaseResult, CaseView
from models.contracts.platform import Fence, OpenTask, OpenTaskInput
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.ids import installment_workflow_id
from models.domain.states import OPEN_TASK_STATES, CaseOutcome, CaseStage, TaskState
from models.operations import projection, repairs
from models.queries import cases
from models.tables.installments import InstallmentCase
from models.tables.tasks import Task

_PAGE: Final = 200
_AT_ONCE: Final = 8
# A row that was written just now may be ahead of what the workflow has remembered: that is no drift.
_SETTLED_AFTER: Final = timedelta(seconds=15)
_RPC_TIMEOUT: Final = timedelta(seconds=5)


@dataclass(slots=True)
class Reconciler(Duty):
    """One pass over the open cases. `drift` counts by kind: ghost, missing, state."""

    database: Database
    client: Client
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    settled_after: timedelta = _SETTLED_AFTER
    drift: Counter[str] = field(default_factory=Counter)
    name: ClassVar[str] = "reconciler"
    every: ClassVar[timedelta] = timedelta(seconds=60)

    async def run_once(self, now: datetime) -> int:
        """Ask every open case's workflow; returns how many rows were mended."""
        before, after = self.drift.total(), ""
        while page := await asyncio.to_thread(self._page, after):
            settled = [case for case in page if case.updated_at <= now - self.settled_after]
            for first in range(0, len(settled), _AT_ONCE):
                await asyncio.gather(*(self._check(case) for case in settled[first : first + _AT_ONCE]))
            after = page[-1].token
        return self.drift.total() - before

    def _page(self, after: str) -> list[InstallmentCase]:
        with self.database.read() as session:
            return cases.unfinished_cases(session, limit=_PAGE, after=after)

    async def _check(self, case: InstallmentCase) -> None:
        handle = self.client.get_workflow_handle(installment_workflow_id(case.token), result_type=CaseResult)
        try:
            description = await handle.describe(rpc_timeout=_RPC_TIMEOUT)
            if description.status is WorkflowExecutionStatus.RUNNING:
                view = await handle.query("view", result_type=CaseView, rpc_timeout=_RPC_TIMEOUT)
            else:
                view = await self._closed_view(case, description.status)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                return  # Temporal is away: nothing can be said
            return  # not started yet; the relay sees to it
        await asyncio.to_thread(self._mend, case.token, view)

    async def _closed_view(self, case: InstallmentCase, status: WorkflowExecutionStatus | None) -> CaseView:
        outcome, reason = CaseOutcome.WITHDRAWN.value, "terminated-by-operator"
        if status is WorkflowExecutionStatus.COMPLETED:
            handle = self.client.get_workflow_handle(installment_workflow_id(case.token), result_type=CaseResult)
            result = await handle.result(rpc_timeout=_RPC_TIMEOUT)
            outcome, reason = result.outcome, result.reason_code or ""
        return CaseView(
            case_token=case.token,
            stage=CaseStage.ENDED,
            outcome=outcome,
            epoch=case.epoch,
            seq=case.seq,
            reason_code=reason or None,
        )

    def _mend(self, case_token: str, view: CaseView) -> None:
        now = self.clock()
        with self.database.read() as session:
            case = session.get_one(InstallmentCase, case_token)
            rows = session.exec(select(Task).where(col(Task.workflow_id) == installment_workflow_id(case_token))).all()
        open_rows = {row.task_no: row for row in rows if row.state in OPEN_TASK_STATES}
        wanted = {task.task_no: task for task in view.open_tasks}
        for task_no, row in open_rows.items():
            if task_no not in wanted and row.updated_at <= now - self.settled_after and _is_stale(row, view):
                self._close_ghost(case, row, now)
        for task_no, task in wanted.items():
            if task_no not in open_rows:
                self._bring_back(case, task, view, now)
        in_step = (case.epoch, case.seq) == (view.epoch, view.seq)
        if in_step and (case.stage, case.outcome) != (view.stage, view.outcome) and _tells_stage(view):
            self._set_case(case, view, now)

    def _close_ghost(self, case: InstallmentCase, row: Task, now: datetime) -> None:
        with unit_of_work(self.database, _deed(case, "inbox.ghost-closed", now, task=row.id)) as unit:
            if not repairs.close_ghost(unit.session, task_id=row.id, now=now):
                raise Unchanged
            self._count("ghost")

    def _bring_back(self, case: InstallmentCase, task: OpenTask, view: CaseView, now: datetime) -> None:
        workflow_id = installment_workflow_id(case.token)
        fence = Fence(epoch=view.epoch, seq=view.seq)
        question = OpenTaskInput(
            workflow_id=workflow_id,
            case_token=case.token,
            task_no=task.task_no,
            task_type=task.task_type,
            fence=fence,
            blocked=task.blocked,
        )
        with unit_of_work(self.database, _deed(case, "inbox.missing-restored", now, no=task.task_no)) as unit:
            if not repairs.reopen_missing(unit.session, workflow_id=workflow_id, task_no=task.task_no, now=now):
                projection.put_task(unit.session, content_of(unit.session, question, now=now), fence=fence, now=now)
            self._count("missing")

    def _set_case(self, case: InstallmentCase, view: CaseView, now: datetime) -> None:
        deed = _deed(case, "inbox.state-corrected", now, stage=view.stage, outcome=view.outcome)
        with unit_of_work(self.database, deed) as unit:
            repairs.set_case(
                unit.session,
                case_token=case.token,
                stage=view.stage,
                outcome=view.outcome,
                reason_code=view.reason_code,
                now=now,
            )
            self._count("state")

    def _count(self, kind: str) -> None:
        self.drift[kind] += 1
        self.metrics.count_drift(kind=kind)


def _deed(case: InstallmentCase, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(tenant=case.tenant, action=action, target=case.token, actor="duty:reconciler", at=now, facts=facts)


def _is_stale(row: Task, view: CaseView) -> bool:
    """A task taken for a decision is on its way to the workflow, unless there is no workflow to take it."""
    return row.state != TaskState.DECIDING or view.outcome is not None


def _tells_stage(view: CaseView) -> bool:
    """Between two tasks the workflow may stand in a stage that it has not written yet."""
    return view.outcome is not None or bool(view.open_tasks)
