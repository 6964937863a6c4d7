"""What every stage of a batch's run shares beyond `workflows.support.stages`: its steps, and how it is stopped."""

from collections.abc import Callable
from typing import ClassVar

from temporalio import workflow

from models.contracts.batch_run import (
    ApplyRunDecision,
    EndRun,
    EnterRunStage,
    RunCarried,
    RunInput,
    RunRead,
    RunStep,
    RunWanted,
)
from models.contracts.batch_steps import PartDone, PartStep
from models.contracts.installments import DecideInput
from models.contracts.platform import OpenTask
from models.domain.batches.states import CAN_STOP, RunOutcome, RunStage
from models.domain.ids import batch_workflow_id
from models.domain.states import Outcome, TaskType
from workflows.batches.transitions import GIVEN_UP, STAYS, TRANSITIONS
from workflows.ports.batch_run import BatchRunPort
from workflows.support.deciding import DecidingDesk, Following
from workflows.support.options import DATABASE, DECIDING
from workflows.support.stages import MOST_DONE


class Stopped(Exception):
    """The run was cancelled after it had begun; the stage is left, and its rest is withdrawn."""


class RunDesk(DecidingDesk[RunStage, RunOutcome]):
    """The desk of one run."""

    GATE_TASK: ClassVar[TaskType] = TaskType.BATCH_GATE
    ENDED: ClassVar[RunStage] = RunStage.ENDED
    MOVED_RULE: ClassVar[str] = "orders-stand"

    def __init__(self, input: RunInput) -> None:
        """Begin, or go on with what the run before handed over."""
        carried = input.carried
        super().__init__(
            workflow_id=batch_workflow_id(input.run),
            case_token=input.run,
            stage=RunStage(carried.stage) if carried else RunStage.COHORT,
            carried=carried,
            events_per_run=input.events_per_run,
        )
        self._run = RunStep(run=input.run)
        self._next_chunk = carried.next_chunk if carried else 0
        self._stopping = carried.stopping if carried else False
        self._waits = carried.waits if carried else 0
        self._read: RunRead | None = None

    # -- what people want ----------------------------------------------------------------------------------------------

    async def heed(self) -> RunWanted:
        """Look at what people want, and do what comes before everything else.

        Raises:
            Left: they have cancelled the run, and nothing had begun.
            Stopped: they have cancelled it, and orders stand; what has left the house is followed to its end.
        """
        wanted: RunWanted = await self.persist(
            lambda: workflow.execute_local_activity_method(BatchRunPort.wanted, self._run, **DATABASE)
        )
        if not wanted.cancelled or self._stopping:
            return wanted
        if not wanted.moved:
            await self.end(RunOutcome.CANCELLED)  # the records know why
        if self._stage in CAN_STOP:
            await self.drop_question()
            self._stopping = True
            raise Stopped
        return wanted

    async def decide_about_breaker(self, code: str) -> None:
        """A breaker has tripped (熔断): a person has the run go on under other figures, or stops it.

        Raises:
            Stopped: the decision has moved the run.
        """
        if await self.ask(TaskType.BATCH_BREAKER, step=self._stage, code=code) is Outcome.STOP:
            raise Stopped

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def walk(self, step: str, method: Callable[..., PartDone], *, again: str = "") -> None:
        """A step over many rows, part after part, once in this stage; `again` tells one round from another."""
        name = f"{step}/{again}" if again else step
        await self.walk_parts(name, step, method, lambda after: PartStep(run=self._case, after=after))

    async def read(self) -> RunRead:
        """What of the records decides which way the run goes; it is fixed when the run is made."""
        if self._read is None:
            self._read = await self.persist(
                lambda: workflow.execute_local_activity_method(BatchRunPort.read_run, self._run, **DATABASE)
            )
        return self._read

    # -- decisions -----------------------------------------------------------------------------------------------------

    def following(self, task: OpenTask, outcome: Outcome) -> Following[RunStage, RunOutcome]:
        """What follows a decision, by the run's table."""
        if self.gives_up(task, outcome):
            return GIVEN_UP
        return TRANSITIONS.get((TaskType(task.task_type), outcome), STAYS)

    async def apply(self, input: DecideInput, task: OpenTask, following: Following[RunStage, RunOutcome]) -> None:
        """Write all that a decision changes; the lock is held."""
        applied = ApplyRunDecision(
            workflow_id=self._workflow_id,
            run=self._case,
            decision_id=input.decision_id,
            fence=self.next_fence(),
            task_no=task.task_no,
            task_type=task.task_type,
            outcome=input.outcome,
            next_stage=following.stage or self._stage,
            run_outcome=following.outcome,
            reason_code=input.reason_code or following.reason,
        )
        await workflow.execute_activity_method(BatchRunPort.apply_decision, applied, **DECIDING)

    # -- where the run stands ------------------------------------------------------------------------------------------

    async def enter_next(self) -> None:
        """Go on to the next stage that its kind has; behind the last there is none."""
        stages = (await self.read()).stages
        order = tuple(RunStage)
        behind = order.index(self._stage)
        following = [each for each in order[behind + 1 :] if each in stages]
        await self.enter(following[0])

    async def write_stage(self, stage: RunStage) -> None:
        """Have the records learn of a stage; the lock is held."""
        step = EnterRunStage(run=self._case, stage=stage, fence=self.next_fence())
        await self.persist(lambda: workflow.execute_local_activity_method(BatchRunPort.enter_stage, step, **DATABASE))

    async def write_end(self, outcome: RunOutcome, reason: str | None) -> None:
        """Have the records learn of the end; the lock is held."""
        step = EndRun(run=self._case, fence=self.next_fence(), outcome=outcome, reason_code=reason)
        await self.persist(lambda: workflow.execute_local_activity_method(BatchRunPort.end_run, step, **DATABASE))

    def stand_in(self, stage: RunStage) -> None:
        """A stage in which nothing is done yet; chunks belong to one execution."""
        super().stand_in(stage)
        self._waits = 0
        if stage is RunStage.STOPPING:
            self._stopping = True
        elif stage is RunStage.COHORT:
            self._next_chunk = 0

    def go_on_as_new(self) -> None:
        """Continue as a new run with what is to be carried."""
        carried = RunCarried(
            stage=self._stage,
            seq=self._seq,
            task_no=self._task_no,
            rounds=self._rounds,
            applied=self._applied,
            done=tuple(self._done[-MOST_DONE:]),
            step=self._step,
            after=self._after,
            return_reason=self._return_reason,
            next_chunk=self._next_chunk,
            stopping=self._stopping,
            waits=self._waits,
        )
        workflow.continue_as_new(RunInput(run=self._case, carried=carried, events_per_run=self._events_per_run))
