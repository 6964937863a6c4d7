"""Execute (执行): chunks in a sliding window; what stops one of them stops the window, and a person decides.

Whatever interrupts the window (a breaker, a pause, the cut-off, a refused chunk), the others are let end first, so that
nothing is under way when somebody is asked, or when the run goes on as a new one. Chunks are executed under leases in
SQL: asked twice, a chunk does nothing more.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.contracts.batch_steps import ChunkDone, ChunksPlanned, ChunkStep
from models.domain.batches.states import RunStage
from workflows.batches.desk import RunDesk
from workflows.ports.batches import ExecutePort
from workflows.support.failures import STEP_FAILED
from workflows.support.stages import BULK_COSTS

MOST_AT_ONCE: Final = 8
_EXECUTE: Final = "batches.execute_chunk"


@dataclass(slots=True)
class _Window:
    """What one pass over the chunks came to."""

    paused: bool = False
    stopped: str | None = None
    due_in_s: int | None = None
    refused: ActivityError | ApplicationError | None = None
    again: list[int] = field(default_factory=list)

    @property
    def is_shut(self) -> bool:
        return self.paused or self.stopped is not None or self.due_in_s is not None or self.refused is not None


class ExecutingStages(RunDesk):
    """The stage in which orders are made."""

    async def execute(self) -> None:
        """Every chunk, each until all its rows have an outcome."""
        at_once = max(1, min((await self.read()).window, MOST_AT_ONCE))
        if not self._next_chunk:
            await self.heed()
            self._next_chunk = 1
        planned: ChunksPlanned = await self.bulk_call("batches.plan_chunks", ExecutePort.plan_chunks, self._run)
        looks = 0
        while self._next_chunk <= planned.chunks:
            window = await self._pass(planned.chunks, at_once)
            if window.again:  # later chunks that are done answer so at once
                self._next_chunk = min(window.again)
            looks = looks + 1 if window.due_in_s is not None else 0
            await self._see_to(window, looks)
            await self.renew_if_long()
        await self.enter_next()

    async def _pass(self, chunks: int, at_once: int) -> _Window:
        """Keep `at_once` chunks under way until none is left, the window is shut, or the run has grown long."""
        window, running = _Window(), dict[asyncio.Task[ChunkDone], int]()
        while True:
            while not self._is_to_end(window) and len(running) < at_once and self._next_chunk <= chunks:
                number, self._next_chunk = self._next_chunk, self._next_chunk + 1
                running[asyncio.create_task(self._chunk(number))] = number
            if not running:
                return window
            ended, _ = await workflow.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                self._note(window, running.pop(task), task)

    def _is_to_end(self, window: _Window) -> bool:
        return window.is_shut or self._nudged or self._events > self._events_per_run

    async def _chunk(self, number: int) -> ChunkDone:
        self._events += BULK_COSTS
        return await self.bulk_step(ExecutePort.execute_chunk, ChunkStep(run=self._case, chunk=number))

    def _note(self, window: _Window, number: int, task: "asyncio.Task[ChunkDone]") -> None:
        try:
            done = task.result()
        except STEP_FAILED as error:
            window.refused = error
            window.again.append(number)
            return
        window.paused = window.paused or done.paused
        window.stopped = window.stopped or done.stopped
        if done.due_in_s is not None:
            window.due_in_s = max(window.due_in_s or 0, done.due_in_s)
        if not done.done:
            window.again.append(number)

    async def _see_to(self, window: _Window, looks: int) -> None:
        """What shut the window, while nothing is under way."""
        self._nudged = False
        wanted = await self.heed()
        if window.refused is not None:
            await self.refused(_EXECUTE, window.refused)
        elif window.stopped is not None:
            await self.decide_about_breaker(window.stopped)
        elif window.paused or wanted.paused:
            await self.while_paused()
        elif window.due_in_s is not None:
            await self.rest(looks, due_in_s=window.due_in_s)

    async def stop(self) -> None:
        """What has not left the house is withdrawn; what has left is followed to its end."""
        await self.walk("batches.withdraw_orders", ExecutePort.withdraw_orders)
        if (await self.read()).sends_files:
            await self.enter(RunStage.AWAITING)
        else:
            await self.enter_next()
