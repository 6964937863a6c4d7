"""What follow-ups and tickets share: the Update by which a person answers their question, and their end."""

from abc import ABC, abstractmethod

from temporalio import workflow

from models.contracts.aftercare import DropCareInput
from models.contracts.installments import CaseView, DecideInput, DecideResult
from models.contracts.platform import Fence, OpenTask, OpenTaskInput
from models.domain.states import CHECKER_TASKS, OUTCOMES, TaskType
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
        fingerprint = repr(input)
        known = self._applied.get(input.decision_id)
        if known is not None:
            if known != fingerprint:
                raise refusal("idempotency-mismatch")
            return self._result(input.decision_id)
        # A decision may come while the run that knows its task is being replayed: wait for that step.
        await workflow.wait_condition(lambda: self._epoch > 0 and (input.task_no or 0) <= self._task_no)
        async with self._lock:
            task = self._valid_task(input)
            try:
                await self.apply(input, task=task, fence=self.next_fence())
            except STEP_FAILED as error:
                raise refusal(failure_code(error)) from error
            self._applied[input.decision_id] = fingerprint
            self._open = None
        return self._result(input.decision_id)

    @decide.validator
    def _validate(self, input: DecideInput) -> None:
        if input.decision_id not in self._applied and (input.task_no or 0) <= self._task_no:
            self._valid_task(input)

    @workflow.query(name="view", description="State and open task, as the workflow knows them")
    def view(self) -> CaseView:
        """The workflow's own account, against which the records are held."""
        return self.account(stage=self._stage, outcome=self._outcome)

    async def open_task(self, task_type: TaskType) -> None:
        """Put the question into the inbox."""
        async with self._lock:
            question = OpenTaskInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                task_no=self._task_no + 1,
                task_type=task_type,
                fence=self.next_fence(),
            )
            await self.put_question(question)

    async def drop(self) -> None:
        """An operator cancelled the workflow in Temporal: nobody may be left with a task that leads nowhere."""
        step = DropCareInput(
            workflow_id=self._workflow_id, case_token=self._case, item=self._item, fence=self.next_fence()
        )
        await workflow.execute_local_activity_method(AftercarePort.drop, step, **DATABASE)

    def _valid_task(self, input: DecideInput) -> OpenTask:
        """The open task, if it can be decided so: the third layer of four-eyes, and every other reason for a no.

        Raises:
            ApplicationError: its type is a problem code.
        """
        task = self._open
        if task is None or task.task_no != input.task_no:
            raise refusal("wrong-state")
        task_type = TaskType(task.task_type)
        if input.outcome not in OUTCOMES[task_type]:
            raise refusal("form-invalid")
        if input.person_id is None:
            raise refusal("wrong-state")
        if task_type in CHECKER_TASKS:
            if input.person_id in task.excluded_persons:
                raise refusal("four-eyes-violation")
            if input.shown_hash != task.shown_hash:
                raise refusal("shown-changed")
        return task

    def _result(self, decision_id: str) -> DecideResult:
        return DecideResult(decision_id=decision_id, stage=self._stage, outcome=self._outcome)
