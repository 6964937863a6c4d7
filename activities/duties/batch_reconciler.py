"""The reconciler of batches: tasks, stages, starts and wishes are held against the workflows of runs, and mended.

Kinds of drift beside those of every reconciler: `start` (a start that counted as arrived, and nothing runs), `wish`
(somebody wants the run ended, and it has not heard of it).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from temporalio.client import WorkflowFailureError
from temporalio.service import RPCError

from activities.duties.reconciling import RPC_PATIENCE, Reconciling
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_run import RunResult
from models.contracts.installments import CaseView
from models.contracts.platform import Fence
from models.domain.batches.states import RunOutcome, RunStage
from models.domain.ids import batch_workflow_id
from models.operations.batches import run_repairs
from models.queries.batches.running import has_unheard_wish, running_runs
from models.queries.batches.runs import has_open_orders, has_orders
from models.queries.open_items import OpenItem
from models.tables.batch_runs import BatchRun

_PAGE: Final = 100


@dataclass(slots=True, kw_only=True)
class BatchReconciler(Reconciling):
    """One pass over the runs that have not ended."""

    name: ClassVar[str] = "batch-reconciler"
    every: ClassVar[timedelta] = timedelta(seconds=60)

    async def run_once(self, now: datetime) -> int:
        """Ask every open run's workflow; returns how much was mended."""
        before, after, settled = self.drift.total(), "", now - self.settled_after
        while page := await asyncio.to_thread(self._page, after):
            await self.check([_item(run) for run in page if run.updated_at <= settled])
            for run in await asyncio.to_thread(self._unheard, page, settled):
                await self._nudge(run)
            after = page[-1].token
        return self.drift.total() - before

    async def mend_ended(self, item: OpenItem) -> None:
        """As its result says; a run whose workflow was terminated counts as cancelled by an operator.

        While an order of it is open its record cannot end (a trigger keeps that): people see to it.
        """
        if await asyncio.to_thread(self._has_open_orders, item.case_token):
            return
        outcome, reason = RunOutcome.CANCELLED.value, "terminated-by-operator"
        handle = self.client.get_workflow_handle(item.workflow_id, result_type=RunResult)
        with suppress(WorkflowFailureError):
            result = await handle.result(rpc_timeout=RPC_PATIENCE)
            outcome, reason = result.outcome, result.reason_code or ""
        view = CaseView(
            case_token=item.case_token,
            stage=RunStage.ENDED,
            outcome=outcome,
            epoch=item.last.epoch,
            seq=item.last.seq,
            reason_code=reason or None,
        )
        await asyncio.to_thread(self.mend, item, view, self.clock())

    async def mend_absent(self, item: OpenItem) -> None:
        """Its start has got lost, after it counted as arrived. Once orders stand that is for people to see to."""
        await asyncio.to_thread(self._start_again, item, self.clock())

    def mend(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        """Mend the tasks, then stage and outcome of the run."""
        self.mend_tasks(item, view, now)
        with self.database.read() as session:
            run = session.get_one(BatchRun, item.case_token)
        known = (run.epoch, run.seq) <= (view.epoch, view.seq)
        if known and (run.stage, run.outcome) != (view.stage, view.outcome):
            self._set_run(item, view, now)

    def _set_run(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        deed = self.deed(item, "inbox.state-corrected", now, stage=view.stage, outcome=view.outcome)
        with unit_of_work(self.database, deed) as unit:
            written = run_repairs.set_run(
                unit.session,
                item.case_token,
                seen=Fence(epoch=view.epoch, seq=view.seq),
                stage=view.stage,
                outcome=view.outcome,
                reason_code=view.reason_code,
                now=now,
            )
            if not written:
                raise Unchanged
            self.count("state")

    def _start_again(self, item: OpenItem, now: datetime) -> None:
        with unit_of_work(self.database, self.deed(item, "batch.start-requeued", now)) as unit:
            if has_orders(unit.session, item.case_token):
                raise Unchanged
            if not run_repairs.start_again(unit.session, item.case_token, now=now):
                raise Unchanged
            self.count("start")

    async def _nudge(self, run: str) -> None:
        handle = self.client.get_workflow_handle(batch_workflow_id(run))
        with suppress(RPCError):
            await handle.signal("nudged", rpc_timeout=RPC_PATIENCE)
            self.count("wish")

    # -- reads ---------------------------------------------------------------------------------------------------------

    def _page(self, after: str) -> list[BatchRun]:
        with self.database.read() as session:
            return running_runs(session, limit=_PAGE, after=after)

    def _has_open_orders(self, run: str) -> bool:
        with self.database.read() as session:
            return has_open_orders(session, run)

    def _unheard(self, runs: list[BatchRun], before: datetime) -> list[str]:
        with self.database.read() as session:
            return [run.token for run in runs if has_unheard_wish(session, run, before=before)]


def _item(run: BatchRun) -> OpenItem:
    last = Fence(epoch=run.epoch, seq=run.seq)
    return OpenItem(workflow_id=batch_workflow_id(run.token), case_token=run.token, last=last)
