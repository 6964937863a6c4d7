"""How a case takes a decision: validated, applied by a normal activity, and only then counted."""

from temporalio import workflow

from models.contracts.installments import ApplyDecisionInput, DecideInput, DecideResult
from models.domain.states import (
    BEYOND_WITHDRAWAL,
    CHECKER_TASKS,
    CUSTOMER_OUTCOMES,
    OUTCOMES,
    Outcome,
    TaskType,
)
from workflows.installments.desk import CaseDesk
from workflows.installments.transitions import GIVEN_UP, TRANSITIONS, WITHDRAWN, Next
from workflows.ports.installments import InstallmentPort
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.options import DECIDING
from workflows.support.refusals import refusal

# Through these the agreement is signed; activation seals what the decision signed.
_SIGNING = frozenset({(TaskType.SIGNING, Outcome.SIGN), (TaskType.SIGNING, Outcome.PAPER)})


class DecidingCase(CaseDesk):
    """The Update `decide` and what guards it."""

    @workflow.update(name="decide", description="A person's decision on the open task, or on the case itself")
    async def decide(self, input: DecideInput) -> DecideResult:
        """Apply one decision, once. The answer is the state after it."""
        if await self.was_applied(input):
            return self._result(input.decision_id)
        async with self._lock:
            self._refuse_unless_valid(input)
            following = self._following(input)
            applied = ApplyDecisionInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                decision_id=input.decision_id,
                fence=self.next_fence(),
                next_stage=following.stage,
                task_no=input.task_no,
                outcome=input.outcome,
                case_outcome=following.outcome,
                reason_code=input.reason_code or following.reason,
                terms=input.terms,
                offer_id=input.offer_id,
            )
            try:
                await workflow.execute_activity_method(InstallmentPort.apply_decision, applied, **DECIDING)
            except STEP_FAILED as error:
                raise refusal(failure_code(error)) from error
            self._remember(input, following)
        return self._result(input.decision_id)

    @decide.validator
    def _validate(self, input: DecideInput) -> None:
        if self.is_to_be_judged(input):
            self._refuse_unless_valid(input)

    def _refuse_unless_valid(self, input: DecideInput) -> None:
        """The third layer of four-eyes, and every other reason for a no.

        Raises:
            ApplicationError: its type is a problem code.
        """
        if input.task_no is None:
            if input.outcome != Outcome.WITHDRAW or self._stage in BEYOND_WITHDRAWAL:
                raise refusal("wrong-state")
            return
        task = self._open
        if task is None or task.task_no != input.task_no:
            raise refusal("wrong-state")
        task_type = TaskType(task.task_type)
        if input.outcome not in OUTCOMES[task_type]:
            raise refusal("form-invalid")
        if (input.outcome in CUSTOMER_OUTCOMES) != (input.person_id is None):
            raise refusal("customer-only")
        if any(barred.outcome == input.outcome for barred in task.blocked):
            raise refusal("blocked-by-rule")
        if task_type in CHECKER_TASKS:
            if input.person_id is None or input.person_id in task.excluded_persons:
                raise refusal("four-eyes-violation")
            if input.shown_hash != task.shown_hash:
                raise refusal("shown-changed")
        if input.outcome in CUSTOMER_OUTCOMES and input.shown_hash != task.shown_hash:
            raise refusal("shown-changed")

    def _following(self, input: DecideInput) -> Next:
        if input.task_no is None:
            return WITHDRAWN
        assert self._open is not None
        task_type, outcome = TaskType(self._open.task_type), Outcome(input.outcome)
        if task_type is TaskType.INCIDENT_CONFIRM and outcome is Outcome.CONFIRM and self._gives_up():
            return GIVEN_UP
        return TRANSITIONS.get((task_type, outcome), Next(self._stage))

    def _gives_up(self) -> bool:
        return self._choice is not None and self._choice[0] is Outcome.GIVE_UP

    def _remember(self, input: DecideInput, following: Next) -> None:
        task_type = TaskType(self._open.task_type) if self._open and input.task_no is not None else None
        outcome = Outcome(input.outcome)
        if task_type is TaskType.INCIDENT:
            self._choice = (outcome, input.mended, input.decision_id)
        elif task_type is TaskType.INCIDENT_CONFIRM and outcome is Outcome.REJECT:
            self._choice = None
        if task_type is not None and (task_type, outcome) in _SIGNING:
            self._signed_by = input.decision_id
        self._applied[input.decision_id] = repr(input)
        self._return_reason = input.reason_code if outcome is Outcome.RETURN else None
        self._stage, self._outcome = following.stage, following.outcome
        self._reason = (input.reason_code or following.reason) if following.outcome is not None else None
        self._open = None

    def _result(self, decision_id: str) -> DecideResult:
        return DecideResult(decision_id=decision_id, stage=self._stage, outcome=self._outcome)
