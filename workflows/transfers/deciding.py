"""How a transfer job takes a decision: validated, applied by a normal activity, and only then counted."""

from typing import Final

from temporalio import workflow

from models.contracts.installments import CaseView, DecideInput, DecideResult
from models.contracts.platform import OpenTask
from models.contracts.transfer_job import ApplyJobDecision
from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import JobStage
from workflows.ports.transfer_job import JobPort
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.options import DECIDING
from workflows.support.refusals import refusal
from workflows.transfers.desk import DECISION_COSTS, JobDesk
from workflows.transfers.transitions import GIVEN_UP, STAYS, TRANSITIONS, Next

_MOST_APPLIED: Final = 400  # decisions whose fingerprints a run remembers; the records refuse older ones


class DecidingJob(JobDesk):
    """The Update `decide` and what guards it."""

    @workflow.update(name="decide", description="A person's decision on the open task")
    async def decide(self, input: DecideInput) -> DecideResult:
        """Apply one decision, once. The answer is the state after it."""
        if await self.was_applied(input):
            return self._result(input.decision_id)
        async with self._lock:
            task = self.valid_task(input)
            following = self._following(task, Outcome(input.outcome))
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
            self._events += DECISION_COSTS
            try:
                await workflow.execute_activity_method(JobPort.apply_decision, applied, **DECIDING)
            except STEP_FAILED as error:
                raise refusal(failure_code(error)) from error
            self._remember(input, task, following)
        return self._result(input.decision_id)

    @decide.validator
    def _validate(self, input: DecideInput) -> None:
        if self.is_to_be_judged(input):
            self.valid_task(input)

    @workflow.query(name="view", description="Stage, outcome and open task, as the workflow knows them")
    def view(self) -> CaseView:
        """The workflow's own account, against which the records are held."""
        return self.account(stage=self._stage, outcome=self._outcome, reason_code=self._reason)

    def _following(self, task: OpenTask, outcome: Outcome) -> Next:
        task_type = TaskType(task.task_type)
        gives_up = (task_type, outcome) == (TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM)
        if gives_up and self._choice is Outcome.GIVE_UP:
            return GIVEN_UP
        return TRANSITIONS.get((task_type, outcome), STAYS)

    def _remember(self, input: DecideInput, task: OpenTask, following: Next) -> None:
        task_type, outcome = TaskType(task.task_type), Outcome(input.outcome)
        if task_type is TaskType.INCIDENT:
            self._choice = outcome
        elif task_type is TaskType.INCIDENT_CONFIRM and outcome is Outcome.REJECT:
            self._choice = None
        self._applied[input.decision_id] = repr(input)
        if len(self._applied) > _MOST_APPLIED:
            del self._applied[next(iter(self._applied))]
        self._return_reason = input.reason_code if outcome is Outcome.RETURN else None
        if following.stage is not None:
            self.stand_in(following.stage)
        if self._stage is JobStage.ENDED:
            self._outcome, self._reason = following.outcome, input.reason_code or following.reason
        self._decided, self._open = outcome, None

    def _result(self, decision_id: str) -> DecideResult:
        return DecideResult(decision_id=decision_id, stage=self._stage, outcome=self._outcome)
