"""The desk of any workflow that asks people: its fence, its one open question, and steps that must work."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow

from models.contracts.installments import CaseView, DecideInput
from models.contracts.platform import BlockedOutcome, Fence, OpenTask, OpenTaskInput, RegisterRunInput, RunRegistered
from models.domain.states import CHECKER_TASKS, OUTCOMES, TaskType
from workflows.ports.platform import PlatformPort
from workflows.support.failures import STEP_FAILED
from workflows.support.options import DATABASE, rest_before_try
from workflows.support.refusals import refusal

T = TypeVar("T")


class Desk:
    """What cases, follow-ups and tickets share.

    State is set in `__init__` only, since a handler may run before `run` does.
    """

    def __init__(self, *, workflow_id: str, case_token: str) -> None:
        """Nothing is open yet."""
        self._workflow_id, self._case = workflow_id, case_token
        self._epoch = 0
        self._seq = 0
        self._task_no = 0
        self._applied: dict[str, str] = {}  # decision id -> fingerprint
        self._open: OpenTask | None = None
        self._lock = asyncio.Lock()  # held while the records and what is remembered here are not the same

    async def register(self) -> RunRegistered:
        """Give this run its epoch; the start has arrived.

        Returns:
            With an outcome, if what is begun here had its end long ago and Temporal has forgotten it since.
        """
        info = workflow.info()
        first = info.continued_run_id is None and info.first_execution_run_id == info.run_id
        step = RegisterRunInput(workflow_id=self._workflow_id, run_id=info.run_id, first=first)
        registered = await self.persist(
            lambda: workflow.execute_local_activity_method(PlatformPort.register_run, step, **DATABASE)
        )
        self._epoch = registered.epoch
        return registered

    def question(
        self,
        task_type: TaskType,
        *,
        blocked: tuple[BlockedOutcome, ...] = (),
        return_reason: str | None = None,
        step: str | None = None,
        code: str | None = None,
        choice: str | None = None,
    ) -> OpenTaskInput:
        """The next question, ordered behind everything written before; the lock is held."""
        return OpenTaskInput(
            workflow_id=self._workflow_id,
            case_token=self._case,
            task_no=self._task_no + 1,
            task_type=task_type,
            fence=self.next_fence(),
            blocked=blocked,
            return_reason=return_reason,
            incident_step=step,
            incident_code=code,
            incident_choice=choice,
        )

    async def put_question(self, question: OpenTaskInput) -> None:
        """Put a question into the inbox: the one open question; the lock is held."""
        self._open = await self.persist(
            lambda: workflow.execute_local_activity_method(PlatformPort.open_task, question, **DATABASE)
        )
        self._task_no += 1

    async def was_applied(self, input: DecideInput) -> bool:
        """Whether this very decision was applied before; if not, the run that asks knows its task now.

        Raises:
            ApplicationError: another decision came under its id.
        """
        known = self._applied.get(input.decision_id)
        if known is not None:
            if known != repr(input):
                raise refusal("idempotency-mismatch")
            return True
        # A decision may come while the run that knows its task is being replayed: wait for that step.
        await workflow.wait_condition(lambda: self._epoch > 0 and (input.task_no or 0) <= self._task_no)
        return False

    def is_to_be_judged(self, input: DecideInput) -> bool:
        """Whether a validator can say anything of it: it is new, and about a task that this run has come to."""
        return input.decision_id not in self._applied and (input.task_no or 0) <= self._task_no

    def valid_task(self, input: DecideInput) -> OpenTask:
        """The open task, if staff can decide it so: the third layer of four-eyes, and every other reason for a no.

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
        if any(barred.outcome == input.outcome for barred in task.blocked):
            raise refusal("blocked-by-rule")
        if task_type in CHECKER_TASKS:
            if input.person_id in task.excluded_persons:
                raise refusal("four-eyes-violation")
            if input.shown_hash != task.shown_hash:
                raise refusal("shown-changed")
        return task

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """A step without which nobody can be asked: it is repeated until it works."""
        failures = 0
        while True:
            try:
                return await call()
            except STEP_FAILED:
                failures += 1
                await workflow.sleep(rest_before_try(failures))

    def next_fence(self) -> Fence:
        """What orders the next write behind every earlier one."""
        self._seq += 1
        return Fence(epoch=self._epoch, seq=self._seq)

    def account(self, *, stage: str, outcome: str | None, reason_code: str | None = None) -> CaseView:
        """What this workflow knows, against which the records are held."""
        return CaseView(
            case_token=self._case,
            stage=stage,
            outcome=outcome,
            epoch=self._epoch,
            seq=self._seq,
            open_tasks=(self._open,) if self._open is not None else (),
            reason_code=reason_code,
            is_writing=self._lock.locked(),
        )
