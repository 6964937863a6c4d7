"""How long work takes a decision: validated, applied by a normal activity, and only then counted."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Final, Generic

from temporalio import workflow

from models.contracts.installments import DecideInput, DecideResult
from models.contracts.platform import OpenTask
from models.domain.states import Outcome, TaskType
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.refusals import refusal
from workflows.support.stages import DECISION_COSTS, O, S, StageDesk

_MOST_APPLIED: Final = 400  # decisions whose fingerprints a run remembers; the records refuse older ones


@dataclass(frozen=True)  # a generic one cannot have slots
class Following(Generic[S, O]):
    """Where the work goes, and how it ended if it did; no stage: it stays where it is."""

    stage: S | None = None
    outcome: O | None = None
    reason: str | None = None  # where the decision itself names none


class DecidingDesk(StageDesk[S, O]):
    """The Update `decide` and what guards it."""

    @abstractmethod
    def following(self, task: OpenTask, outcome: Outcome) -> Following[S, O]:
        """What follows a decision, by the work's own table."""

    @abstractmethod
    async def apply(self, input: DecideInput, task: OpenTask, following: Following[S, O]) -> None:
        """Write all that a decision changes, by a normal activity; the lock is held."""

    @workflow.update(name="decide", description="A person's decision on the open task")
    async def decide(self, input: DecideInput) -> DecideResult:
        """Apply one decision, once. The answer is the state after it."""
        if await self.was_applied(input):
            return self._result(input.decision_id)
        async with self._lock:
            task = self.valid_task(input)
            following = self.following(task, Outcome(input.outcome))
            self._events += DECISION_COSTS
            try:
                await self.apply(input, task, following)
            except STEP_FAILED as error:
                raise refusal(failure_code(error)) from error
            self._remember(input, task, following)
        return self._result(input.decision_id)

    @decide.validator
    def _validate(self, input: DecideInput) -> None:
        if self.is_to_be_judged(input):
            self.valid_task(input)

    def gives_up(self, task: OpenTask, outcome: Outcome) -> bool:
        """Whether the second person confirms that an incident's step is given up."""
        confirms = (TaskType(task.task_type), outcome) == (TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM)
        return confirms and self._choice is Outcome.GIVE_UP

    def _remember(self, input: DecideInput, task: OpenTask, following: Following[S, O]) -> None:
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
        if self._stage == self.ENDED:
            self._outcome, self._reason = following.outcome, input.reason_code or following.reason
        self._decided, self._open = outcome, None

    def _result(self, decision_id: str) -> DecideResult:
        return DecideResult(decision_id=decision_id, stage=self._stage, outcome=self._outcome)
