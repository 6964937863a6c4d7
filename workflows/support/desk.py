"""The desk of any workflow that asks people: its fence, its one open question, and steps that must work."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow

from models.contracts.installments import CaseView
from models.contracts.platform import Fence, OpenTask, OpenTaskInput, RegisterRunInput
from workflows.ports.platform import PlatformPort
from workflows.support.failures import STEP_FAILED
from workflows.support.options import DATABASE, rest_before_try

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

    async def register(self) -> None:
        """Give this run its epoch; the start has arrived."""
        step = RegisterRunInput(workflow_id=self._workflow_id, run_id=workflow.info().run_id)
        registered = await self.persist(
            lambda: workflow.execute_local_activity_method(PlatformPort.register_run, step, **DATABASE)
        )
        self._epoch = registered.epoch

    async def put_question(self, question: OpenTaskInput) -> None:
        """Put a question into the inbox: the one open question; the lock is held."""
        self._open = await self.persist(
            lambda: workflow.execute_local_activity_method(PlatformPort.open_task, question, **DATABASE)
        )
        self._task_no += 1

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
