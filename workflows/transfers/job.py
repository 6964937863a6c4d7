"""A transfer job (公司转让后的客户信息变更): one workflow from the legal event to the internal audit.

It owns existence, outcome and next step; rows, waves and notices stand in SQL. Bulk steps run on the queue of bulk work
and are repeated from where their last part ended; waves are workflows of their own.
"""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio import workflow

from models.contracts.transfer_job import EndJob, JobInput, JobResult
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.ports.transfer_job import JobPort
from workflows.support.options import DATABASE
from workflows.support.stages import Left
from workflows.transfers.deciding import DecidingJob
from workflows.transfers.desk import RollbackWanted
from workflows.transfers.finishing import FinishingStages
from workflows.transfers.gathering import GatheringStages
from workflows.transfers.preparing import PreparingStages
from workflows.transfers.telling import TellingStages
from workflows.transfers.undoing import UndoingStages


@workflow.defn(name="transfers.job")
class TransferJob(PreparingStages, GatheringStages, TellingStages, UndoingStages, FinishingStages, DecidingJob):
    """`transfers/<job token>`. People pause, resume, cancel and ask for rollbacks in SQL; a nudge makes it notice."""

    @workflow.init
    def __init__(self, input: JobInput) -> None:
        super().__init__(input)

    @workflow.run
    async def run(self, input: JobInput) -> JobResult:
        """Stage after stage, until the job has ended."""
        try:
            known = await self.register()
            if known.outcome is not None:
                self._stage, self._outcome, self._reason = JobStage.ENDED, JobOutcome(known.outcome), known.reason_code
            while self._stage is not JobStage.ENDED:
                try:
                    await self._run_stage()
                except Left:
                    break
        except asyncio.CancelledError:
            # An operator cancelled the job in Temporal: nobody may be left with a task that leads nowhere.
            await asyncio.shield(self._end_after_cancel())
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        assert self._outcome is not None
        return JobResult(job=input.job, outcome=self._outcome, reason_code=self._reason)

    async def _run_stage(self) -> None:
        """The present stage, unless people want something rolled back first."""
        stages: dict[JobStage, Callable[[], Awaitable[None]]] = {
            JobStage.CLASSIFYING: self.classify,
            JobStage.PLANNING: self.plan,
            JobStage.APPROVING: self.approve,
            JobStage.BACKING_UP: self.back_up,
            JobStage.COLLECTING: self.collect,
            JobStage.VERIFYING: self.verify,
            JobStage.GO_NO_GO: self.decide_to_go,
            JobStage.NOTIFYING_FIRST: self.notify_first,
            JobStage.UPDATING: self.update,
            JobStage.NOTIFYING: self.notify,
            JobStage.FOLLOWING_UP: self.follow_up,
            JobStage.AUDITING: self.audit,
            JobStage.CLOSING: self.close,
        }
        try:
            wanted = await self.heed()
            if wanted.paused:
                await self.while_paused()
            await stages[self._stage]()
        except RollbackWanted:
            await self.roll_back()
        await self.renew_if_long()

    async def _end_after_cancel(self) -> None:
        step = EndJob(
            job=self._case, fence=self.next_fence(), outcome=JobOutcome.CANCELLED, reason_code="cancelled-by-operator"
        )
        await workflow.execute_local_activity_method(JobPort.end_job, step, **DATABASE)
