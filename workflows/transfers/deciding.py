"""What a transfer job does with a decision: its own table, and one normal activity that writes everything."""

from temporalio import workflow

from models.contracts.installments import DecideInput
from models.contracts.platform import OpenTask
from models.contracts.transfer_job import ApplyJobDecision
from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.ports.transfer_job import JobPort
from workflows.support.deciding import Following
from workflows.support.options import DECIDING
from workflows.transfers.desk import JobDesk
from workflows.transfers.transitions import GIVEN_UP, STAYS, TRANSITIONS


class DecidingJob(JobDesk):
    """Decisions of a job."""

    def following(self, task: OpenTask, outcome: Outcome) -> Following[JobStage, JobOutcome]:
        """What follows a decision, by the job's table."""
        if self.gives_up(task, outcome):
            return GIVEN_UP
        return TRANSITIONS.get((TaskType(task.task_type), outcome), STAYS)

    async def apply(self, input: DecideInput, task: OpenTask, following: Following[JobStage, JobOutcome]) -> None:
        """Write all that a decision changes; the lock is held."""
        applied = ApplyJobDecision(
            workflow_id=self._workflow_id,
            job=self._case,
            decision_id=input.decision_id,
            fence=self.next_fence(),
            task_no=task.task_no,
            task_type=task.task_type,
            outcome=input.outcome,
            next_stage=following.stage or self._stage,
            job_outcome=following.outcome,
            reason_code=input.reason_code or following.reason,
            wave=self._about_wave,
            rollback=self._about_rollback or None,
        )
        await workflow.execute_activity_method(JobPort.apply_decision, applied, **DECIDING)
