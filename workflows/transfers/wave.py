"""One wave of a transfer job (批次): its rows, part after part, then the account of what was moved.

It decides nothing: when it stops, it says so in the records, nudges its job and ends; a person decides there.
"""

from collections.abc import Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from models.contracts.transfer_job import JobWanted, WaveHalted, WaveInput
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, WaveMeasured
from models.domain.ids import transfer_workflow_id
from workflows.ports.transfer_job import JobPort
from workflows.ports.transfers import WavePort
from workflows.support.failures import STEP_FAILED, TRAINING_MISSING, failure_code
from workflows.support.ids import BULK_QUEUE
from workflows.support.options import BULK, DATABASE, DECIDING, until_looking_again

T = TypeVar("T")
HELD = "held-for-rollback"


class _Halted(Exception):
    """A step was refused for good, or the wave is held."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@workflow.defn(name="transfers.wave")
class MoveWave:
    """`transfers/<job>/wave/<n>`. Its job may have gone on as a new run meanwhile, or even have ended."""

    @workflow.init
    def __init__(self, input: WaveInput) -> None:
        """Go on where the run before this one left off."""
        self._input = input
        self._after = input.after
        self._nudged = False

    @workflow.signal(name="nudged", description="Somebody has paused the job, or had it go on")
    def nudged(self) -> None:
        """Look again now."""
        self._nudged = True

    @workflow.run
    async def run(self, input: WaveInput) -> None:
        """Move the wave's rows."""
        try:
            if not input.begun:
                await self._step(WavePort.begin_wave, self._given())
            if await self._move():
                measured: WaveMeasured = await self._step(WavePort.end_wave, self._given())
                workflow.logger.info("wave ended", extra={"state": measured.state})
        except _Halted as halted:
            step = WaveHalted(job=input.job, wave=input.wave, attempt=input.attempt, code=halted.code)
            await workflow.execute_activity_method(JobPort.halt_wave, step, **DECIDING)
        await self._tell_job()

    async def _move(self) -> bool:
        """Part after part; False: the wave has stopped itself, and says why in the records."""
        while True:
            part: ChunkDone = await self._step(WavePort.move_rows, self._given())
            if part.paused:
                await self._until_it_may_go_on()
                continue
            if part.stopped is not None:
                raise _Halted(part.stopped)
            if part.after is None:
                return True
            self._after = part.after
            if workflow.info().get_current_history_length() > self._input.events_per_run:
                self._as_new_run()

    async def _until_it_may_go_on(self) -> None:
        """Rest while the job is paused, or its sponsor's training grant does not hold (培训准入).

        Raises:
            _Halted: the job is held for a rollback; this wave makes way.
        """
        looks = 0
        while True:
            step = JobStep(job=self._input.job)
            wanted: JobWanted = await workflow.execute_local_activity_method(JobPort.wanted, step, **DATABASE)
            if wanted.rollback_confirmed:
                raise _Halted(HELD)
            if not wanted.paused and wanted.trained:
                return
            looks += 1
            self._nudged = False
            try:
                await workflow.wait_condition(lambda: self._nudged, **until_looking_again(looks))
            except TimeoutError:
                continue

    async def _step(self, method: Callable[..., T], given: ChunkStep) -> T:
        while True:
            try:
                return await workflow.execute_activity_method(
                    method,
                    given,
                    task_queue=BULK_QUEUE,
                    **BULK,
                )
            except STEP_FAILED as error:
                code = failure_code(error)
                if code != TRAINING_MISSING:
                    raise _Halted(code) from error
            await self._tell_job()  # which asks for the course
            await self._until_it_may_go_on()

    async def _tell_job(self) -> None:
        """The job looks by itself where this does not arrive."""
        try:
            await workflow.get_external_workflow_handle(transfer_workflow_id(self._input.job)).signal("nudged")
        except ApplicationError:
            return  # it has ended

    def _given(self) -> ChunkStep:
        return ChunkStep(job=self._input.job, after=self._after, wave=self._input.wave, attempt=self._input.attempt)

    def _as_new_run(self) -> None:
        workflow.continue_as_new(
            WaveInput(
                job=self._input.job,
                wave=self._input.wave,
                attempt=self._input.attempt,
                begun=True,
                after=self._after,
                events_per_run=self._input.events_per_run,
            )
        )
