"""What every stage of a transfer job shares beyond `workflows.support.stages`: its sides and waves, and rollbacks."""

from collections.abc import Callable
from typing import ClassVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.contracts.transfer_job import EndJob, EnterStage, JobCarried, JobInput, JobRead, JobWanted
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, OpenRecords
from models.domain.ids import transfer_workflow_id
from models.domain.states import TaskType
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.ports.transfer_job import JobPort
from workflows.support.deciding import DecidingDesk
from workflows.support.desk import T
from workflows.support.failures import TRAINING_MISSING, failure_code
from workflows.support.options import DATABASE, until_looking_again
from workflows.support.stages import MOST_DONE

Chunk = Callable[..., ChunkDone]
Count = Callable[..., OpenRecords]


class RollbackWanted(Exception):
    """People want something rolled back; the stage is left for it."""


class JobDesk(DecidingDesk[JobStage, JobOutcome]):
    """The desk of one job."""

    GATE_TASK: ClassVar[TaskType] = TaskType.TRANSFER_GATE
    ENDED: ClassVar[JobStage] = JobStage.ENDED
    MOVED_RULE: ClassVar[str] = "rows-have-moved"

    def __init__(self, input: JobInput) -> None:
        """Begin, or go on with what the run before handed over."""
        carried = input.carried
        super().__init__(
            workflow_id=transfer_workflow_id(input.job),
            case_token=input.job,
            stage=JobStage(carried.stage) if carried else JobStage.CLASSIFYING,
            carried=carried,
            events_per_run=input.events_per_run,
        )
        self._job = JobStep(job=input.job)
        self._about_wave, self._about_rollback = 0, ""  # what the open task is about
        self._is_rolling_back = False

    async def heed(self) -> JobWanted:
        """Look at what people want, and do what comes before everything else.

        Raises:
            Left: they have cancelled the job, and nothing had moved.
            RollbackWanted: a rollback was asked for, or was confirmed.
        """
        wanted: JobWanted = await self.persist(
            lambda: workflow.execute_local_activity_method(JobPort.wanted, self._job, **DATABASE)
        )
        if wanted.cancelled and not wanted.moved:
            await self.end(JobOutcome.CANCELLED)  # the records know why
        if wanted.rollback is not None and not self._is_rolling_back:
            await self.drop_question()
            raise RollbackWanted
        return wanted

    async def refused(self, step: str, error: ActivityError | ApplicationError) -> None:
        """A step that lacks training waits for the course, and for nobody's decision; any other is an incident."""
        if failure_code(error) == TRAINING_MISSING:
            await self.until_trained(step)
        else:
            await super().refused(step, error)

    async def once(self, step: str, method: Callable[..., T], given: object = None) -> T | None:
        """A bulk step of one part, once in this stage. None: it was done before."""
        return await super().once(step, method, given or self._job)

    async def walk(self, step: str, method: Chunk, *, side: str = "", wave: int = 0, attempt: int = 0) -> None:
        """A step over many rows, part after part, once in this stage for each side and wave."""
        await self.walk_parts(
            "/".join(filter(None, (step, side, str(wave or ""), str(attempt or "")))),
            step,
            method,
            lambda after: ChunkStep(job=self._case, after=after, side=side, wave=wave, attempt=attempt),
        )

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def until_settled(self, step: str, method: Count) -> None:
        """Wait until nobody has anything left to decide of a step's record tasks."""
        looks = 0
        while (await self.bulk_call(step, method, self._job)).count:
            looks += 1
            await self.rest(looks)
            await self.heed()

    async def until_trained(self, step: str) -> None:
        """Rest until the sponsor's training grant holds (培训准入); a task says who has to pass the course.

        The task goes by itself once the grant is on record: whoever records it nudges, and the job looks anyway.
        """
        looks = 0
        while not (await self.heed()).trained:
            if self._open is None:
                await self.open_question(TaskType.TRANSFER_TRAINING, step=step)
            looks += 1
            try:
                await workflow.wait_condition(lambda: self._open is None or self._nudged, **until_looking_again(looks))
            except TimeoutError:
                continue
            self._nudged = False
        await self.drop_question()

    # -- where the job stands ------------------------------------------------------------------------------------------

    async def read(self) -> JobRead:
        """What of the records decides which way the job goes."""
        read: JobRead = await self.persist(
            lambda: workflow.execute_local_activity_method(JobPort.read_job, self._job, **DATABASE)
        )
        return read

    async def write_stage(self, stage: JobStage) -> None:
        """Have the records learn of a stage; the lock is held."""
        step = EnterStage(job=self._case, stage=stage, fence=self.next_fence())
        await self.persist(lambda: workflow.execute_local_activity_method(JobPort.enter_stage, step, **DATABASE))

    async def write_end(self, outcome: JobOutcome, reason: str | None) -> None:
        """Have the records learn of the end; the lock is held."""
        step = EndJob(job=self._case, fence=self.next_fence(), outcome=outcome, reason_code=reason)
        await self.persist(lambda: workflow.execute_local_activity_method(JobPort.end_job, step, **DATABASE))

    def go_on_as_new(self) -> None:
        """Continue as a new run with what is to be carried."""
        carried = JobCarried(
            stage=self._stage,
            seq=self._seq,
            task_no=self._task_no,
            rounds=self._rounds,
            applied=self._applied,
            done=tuple(self._done[-MOST_DONE:]),
            step=self._step,
            after=self._after,
            return_reason=self._return_reason,
        )
        workflow.continue_as_new(JobInput(job=self._case, carried=carried, events_per_run=self._events_per_run))
