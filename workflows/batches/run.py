"""The run of a batch (批量业务): one workflow from the cohort to the report, whatever the kind.

It owns existence, outcome and next step; members, chunks, orders and money stand in SQL. Which stages a run has is data
of its kind. Bulk steps run on the queue of bulk work, and are repeated from where their last part ended.
"""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow

from models.contracts.batch_run import EndRun, RunInput, RunResult
from models.domain.batches.states import RunOutcome, RunStage
from workflows.batches.desk import Stopped
from workflows.batches.exchanging import ExchangingStages
from workflows.batches.executing import ExecutingStages
from workflows.batches.finishing import FinishingStages
from workflows.batches.preparing import PreparingStages
from workflows.ports.batch_run import BatchRunPort
from workflows.support.options import DATABASE
from workflows.support.stages import Left


@workflow.defn(name="batches.run")
class BatchRun(PreparingStages, ExecutingStages, ExchangingStages, FinishingStages):
    """`batches/<run token>`. People pause, resume and cancel in SQL; a nudge makes it notice."""

    @workflow.init
    def __init__(self, input: RunInput) -> None:
        super().__init__(input)

    @workflow.run
    async def run(self, input: RunInput) -> RunResult:
        """Stage after stage, until the run has ended."""
        try:
            known = await self.register()
            if known.outcome is not None:
                self._stage, self._outcome, self._reason = RunStage.ENDED, RunOutcome(known.outcome), known.reason_code
            while self._stage is not RunStage.ENDED:
                try:
                    await self._run_stage()
                except Left:
                    break
        except asyncio.CancelledError:
            # An operator cancelled the run in Temporal: nobody may be left with a task that leads nowhere.
            await asyncio.shield(self._end_after_cancel())
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        assert self._outcome is not None
        return RunResult(run=input.run, outcome=self._outcome, reason_code=self._reason)

    async def _run_stage(self) -> None:
        """The present stage, unless its kind has none such, or people want the run stopped first."""
        stages: dict[RunStage, Callable[[], Awaitable[None]]] = {
            RunStage.COHORT: self.choose,
            RunStage.CLEANING: self.clean,
            RunStage.RULES: self.bind_rules,
            RunStage.REHEARSING: self.rehearse,
            RunStage.APPROVING: self.approve,
            RunStage.EXECUTING: self.execute,
            RunStage.SENDING: self.send,
            RunStage.AWAITING: self.await_replies,
            RunStage.STOPPING: self.stop,
            RunStage.RECONCILING: self.reconcile,
            RunStage.REPORTING: self.report,
            RunStage.CLOSING: self.close,
        }
        try:
            wanted = await self.heed()
            if wanted.paused and self._stage not in (RunStage.AWAITING, RunStage.STOPPING):
                await self.while_paused()
            if self._stage is not RunStage.STOPPING and self._stage not in (await self.read()).stages:
                await self.enter_next()
            else:
                await stages[self._stage]()
        except Stopped:
            if self._stage is not RunStage.STOPPING:
                await self.enter(RunStage.STOPPING)
        await self.renew_if_long()

    async def _end_after_cancel(self) -> None:
        step = EndRun(
            run=self._case, fence=self.next_fence(), outcome=RunOutcome.CANCELLED, reason_code="cancelled-by-operator"
        )
        await workflow.execute_local_activity_method(BatchRunPort.end_run, step, **DATABASE)
