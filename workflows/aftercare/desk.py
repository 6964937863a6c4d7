"""What follow-ups and tickets share: the Update by which a person answers their question, and their end."""

from abc import ABC, abstractmethod

from temporalio import workflow

from models.contracts.aftercare import DropCareInput
from models.contracts.installments import CaseView, DecideInput, DecideResult
from models.contracts.platform import Fence, OpenTask
from models.domain.states import TaskType
from workflows.ports.aftercare import AftercarePort
from workflows.support.desk import Desk
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.options import DATABASE
from workflows.support.refusals import refusal

DROPPED = "dropped"


class CareDesk(Desk, ABC):
    """The desk of one follow-up or ticket. State is set in `__init__` only: a handler may run before `run` does."""

    def __init__(self, *, workflow_id: str, case_token: str, item: str, stage: str) -> None:
        """Nothing is open yet."""
        super().__init__(workflow_id=workflow_id, case_token=case_token)
        self._item = item
        self._stage = stage
        self._outcome: str | None = None

    @abstractmethod
    async def apply(self, input: DecideInput, *, task: OpenTask, fence: Fence) -> None:
        """Write what the decision changes, then remember it.

        Raises:
            ActivityError: it cannot be applied; the decision goes back with its code.
        """

    @workflow.update(name="decide", description="A person's decision on the open task")
    async def decide(self, input: DecideInput) -> DecideResult:
        """Apply one decision, once. The answer is the state after it."""
        if await self.was_applied(input):
            return self._result(input.decision_id)
        async with self._lock:
            task = self.valid_task(input)
            try:
                await self.apply(input, task=task, fence=self.next_fence())
            except STEP_FAILED as error:
                raise refusal(failure_code(error)) from error
            self._applied[input.decision_id] = repr(input)
            self._open = None
        return self._result(input.decision_id)

    @decide.validator
    def _validate(self, input: DecideInput) -> None:
        if self.is_to_be_judged(input):
            self.valid_task(input)

    @workflow.query(name="view", description="State and open task, as the workflow knows them")
    def view(self) -> CaseView:
        """The workflow's own account, against which the records are held."""
        return self.account(stage=self._stage, outcome=self._outcome)

    async def open_task(self, task_type: TaskType) -> None:
        """Put the question into the inbox."""
        async with self._lock:
            await self.put_question(self.question(task_type))

    async def drop(self) -> None:
        """An operator cancelled the workflow in Temporal: nobody may be left with a task that leads nowhere."""
        step = DropCareInput(
            workflow_id=self._workflow_id, case_token=self._case, item=self._item, fence=self.next_fence()
        )
        await workflow.execute_local_activity_method(AftercarePort.drop, step, **DATABASE)

    def _result(self, decision_id: str) -> DecideResult:
        return DecideResult(decision_id=decision_id, stage=self._stage, outcome=self._outcome)
