"""Update in waves (分批更新): waves are workflows of their own, and how they stand is read from the records.

At most twenty run at once. One that stops by itself waits for a person: run on under a new error budget, undo the wave,
or undo the job.
"""

from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from models.contracts.platform import BlockedOutcome
from models.contracts.transfer_job import WaveInput, WaveRef, WavesStanding
from models.contracts.transfers import ChunkDone
from models.domain.ids import wave_workflow_id
from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import JobStage, WaveState
from workflows.ports.transfer_job import JobPort
from workflows.ports.transfers import WavePort
from workflows.support.options import DATABASE, WAVE_ENDS_WITHIN, WORKFLOW_TASK_TIMEOUT
from workflows.support.stages import CHILD_COSTS, REST_COSTS
from workflows.transfers.desk import JobDesk, RollbackWanted
from workflows.transfers.wave import MoveWave

MOST_AT_ONCE = 20
_STARTS_TRIED = 30
_LOOKS_BEFORE_AGAIN = 3  # that found nothing new: some forty seconds
CONFLICTS_OPEN = "conflicts-open"


class MovingStages(JobDesk):
    """The stage in which the target's book changes."""

    async def update(self) -> None:
        """Every wave, then the proof that everything adds up."""
        read = await self.read()
        await self.pass_gate(Gate.TRANSFER_UPDATE)
        if read.claims:
            await self.pass_gate(Gate.TRANSFER_CLAIMS)
        await self.once("transfers.plan_waves", WavePort.plan_waves)
        await self._move_all(min(read.waves_at_once, MOST_AT_ONCE))
        await self._reconcile()
        await self.walk("transfers.hand_downstream", WavePort.hand_downstream)
        await self.enter(JobStage.NOTIFYING)

    async def _move_all(self, at_once: int) -> None:
        """Start waves as others end, until none is left."""
        begun: set[tuple[int, int]] = set()
        looks = 0
        while True:
            standing = await self.waves()
            if standing.stopped is not None:
                await self._decide_about(standing.stopped, standing)
                looks = 0
                continue
            free = at_once - standing.moving
            waiting = [wave for wave in standing.planned if (wave.number, wave.attempt) not in begun]
            # Of those that were begun just now some may not have told the records yet.
            on_their_way = sum(1 for wave in standing.planned if (wave.number, wave.attempt) in begun)
            for wave in waiting[: max(0, free - on_their_way)]:
                if await self._begin(wave):
                    begun.add((wave.number, wave.attempt))
                    looks = 0
            if not standing.planned and not standing.moving:
                return
            looks += 1
            if (
                looks > _LOOKS_BEFORE_AGAIN
            ):  # whoever was to begin them may be gone: one that is there stays the only one
                begun.clear()
            await self.rest(looks)
            wanted = await self.heed()
            if wanted.paused:
                await self.while_paused()
            if not wanted.trained and standing.moving:
                await self.until_trained("transfers.move_rows")

    async def _reconcile(self) -> None:
        """Conservation at each hop, checksums, roots, once no conflict is open; what differs is an incident."""
        name, looks = "transfers.reconcile", 0
        while name not in self._done:
            part: ChunkDone = await self.bulk_call(name, WavePort.reconcile, self._job)
            if part.paused:
                await self.while_paused()
            elif part.stopped == CONFLICTS_OPEN:  # nothing is wrong: people have their tasks, and decide
                looks += 1
                await self.rest(looks)
                await self.heed()
            elif part.stopped is not None:
                await self.incident(name, part.stopped)
            elif part.after is None:
                self._done.append(name)

    async def waves(self) -> WavesStanding:
        """The waves as the records have them."""
        standing: WavesStanding = await self.persist(
            lambda: workflow.execute_local_activity_method(JobPort.waves_standing, self._job, **DATABASE)
        )
        return standing

    async def _begin(self, wave: WaveRef, *, goes_on: bool = False) -> bool:
        """Start a wave's workflow; False: one of that name is just ending."""
        given = WaveInput(job=self._case, wave=wave.number, attempt=wave.attempt, begun=goes_on)
        self._events += CHILD_COSTS
        try:
            await workflow.start_child_workflow(
                MoveWave.run,
                given,
                id=wave_workflow_id(self._case, wave.number),
                task_queue=workflow.info().task_queue,
                parent_close_policy=ParentClosePolicy.ABANDON,
                task_timeout=WORKFLOW_TASK_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return False
        return True

    async def _decide_about(self, wave: WaveRef, standing: WavesStanding) -> None:
        """A stopped or undone wave waits for a person."""
        self._about_wave = wave.number
        try:
            outcome = await self.ask(
                TaskType.TRANSFER_WAVE_STOPPED,
                choice=str(wave.number),
                code=standing.stopped_code,
                blocked=_nothing_to_undo() if standing.stopped_state == WaveState.UNDONE else (),
            )
        finally:
            self._about_wave = 0
        if outcome is not Outcome.RUN_ON:
            raise RollbackWanted
        if standing.stopped_state == WaveState.STOPPED:
            await self._go_on_with(wave)

    async def _go_on_with(self, wave: WaveRef) -> None:
        """The wave goes on where it stopped, or begins if it never has; its last workflow may need a moment to end."""
        has_begun = wave not in (await self.waves()).planned
        for _ in range(_STARTS_TRIED):
            if await self._begin(wave, goes_on=has_begun):
                return
            self._events += REST_COSTS
            await workflow.sleep(WAVE_ENDS_WITHIN)


def _nothing_to_undo() -> tuple[BlockedOutcome, ...]:
    """The wave is undone already."""
    return (BlockedOutcome(outcome=Outcome.UNDO_WAVE, rule_id="wave-undone", verdict_id=""),)
