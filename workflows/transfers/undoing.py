"""Rollback of a wave or of the whole job (回退): asked for by one person, confirmed by another, to the same root.

Waves that still move are held first; then what changed last is put back first.
"""

from temporalio import workflow

from models.contracts.transfer_job import RollbackSettled, WaveRef
from models.contracts.transfers import ChunkStep, WaveMeasured
from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.ports.transfer_job import JobPort
from workflows.ports.transfers import WavePort
from workflows.support.options import DATABASE
from workflows.transfers.moving import MovingStages

ROOT_DIFFERS = "root-differs"
GATES_STAY_PASSED = "gates-stay-passed"  # a job that went the old way asks them again


class UndoingStages(MovingStages):
    """What a rollback does, in whichever stage the job stands."""

    async def roll_back(self) -> None:
        """The second person's word on the oldest request, then the rollback itself; nothing where none is wanted."""
        self._is_rolling_back = True
        try:
            wanted = await self.heed()
            if wanted.rollback is None:
                return
            if not wanted.rollback_confirmed and not await self._is_confirmed(wanted.rollback, wanted.rollback_wave):
                return
            await self._until_nothing_moves(wanted.rollback_wave)
            if wanted.rollback_wave:
                await self._undo(WaveRef(number=wanted.rollback_wave, attempt=wanted.rollback_attempt))
            else:
                await self._undo_all()
            await self._settle(wanted.rollback)
            if wanted.rollback_wave:
                await self._return_to_update()
            else:
                await self.end(JobOutcome.ROLLED_BACK)
        finally:
            self._is_rolling_back = False

    async def _is_confirmed(self, rollback: str, wave: int) -> bool:
        self._about_rollback = rollback
        try:
            return await self.ask(TaskType.TRANSFER_ROLLBACK, choice=f"{rollback}/{wave}") is Outcome.CONFIRM
        finally:
            self._about_rollback = ""

    async def _until_nothing_moves(self, wave: int) -> None:
        """Waves that move are held by the confirmation; of one wave only, the others go on."""
        looks = 0
        while not wave and (await self.waves()).moving:
            looks += 1
            await self.rest(looks)

    async def _undo_all(self) -> None:
        while (last := (await self.waves()).last_changed) is not None:
            await self._undo(last)

    async def _undo(self, wave: WaveRef) -> None:
        """Put one wave back, and hold the book's root against the one before it."""
        given = ChunkStep(job=self._case, wave=wave.number, attempt=wave.attempt)
        while True:
            await self.walk("transfers.undo_rows", WavePort.undo_rows, wave=wave.number, attempt=wave.attempt)
            measured: WaveMeasured = await self.bulk_call("transfers.end_undo", WavePort.end_undo, given)
            if measured.root_equal:
                return
            await self.incident("transfers.end_undo", ROOT_DIFFERS)
            self.forget(f"transfers.undo_rows/{wave.number}/{wave.attempt}")

    async def _return_to_update(self) -> None:
        """The wave waits there for a person: again, or the whole job.

        From within the update no border is crossed, and its gates stay passed. Asked again halfway they would answer
        for what other waves still ask people: conflicts of rows that have not moved would bar all that is left, even
        the word on the wave that was put back.
        """
        passed = self.passed_gates() if self._stage is JobStage.UPDATING else ()
        await self.enter(JobStage.UPDATING)
        if passed and workflow.patched(GATES_STAY_PASSED):
            self._done.extend(passed)

    async def _settle(self, rollback: str) -> None:
        step = RollbackSettled(job=self._case, rollback=rollback)
        await self.persist(lambda: workflow.execute_local_activity_method(JobPort.settle_rollback, step, **DATABASE))
