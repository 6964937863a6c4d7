"""What every stage of a transfer job shares: its state, its questions, its bulk steps, and what it waits for.

State is set in `__init__` only, since a handler may run before `run` does. A step that is done is remembered by its
name until the stage is left; a step that walks over many rows goes on from where its last part ended. So a run can go
on as a new one at any point where the workflow waits or a part has ended.
"""

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.contracts.platform import BlockedOutcome, CancelTaskInput, EvaluateGateInput, GateAnswer
from models.contracts.transfer_job import EndJob, EnterStage, JobCarried, JobInput, JobRead, JobWanted
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, OpenRecords
from models.domain.ids import transfer_workflow_id
from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import JobOutcome, JobStage
from workflows.ports.platform import PlatformPort
from workflows.ports.transfer_job import JobPort
from workflows.support.desk import Desk, T
from workflows.support.failures import STEP_FAILED, TRAINING_MISSING, failure_code
from workflows.support.ids import BULK_QUEUE
from workflows.support.options import BULK, DATABASE, until_looking_again

Chunk = Callable[..., ChunkDone]
Count = Callable[..., OpenRecords]
_MOST_DONE = 200  # names of steps that a run hands on; a stage has some twenty, and one for each wave it undoes
# About how many events of history each costs, with its share of workflow tasks.
LOCAL_COSTS, BULK_COSTS, SIGNAL_COSTS, REST_COSTS, DECISION_COSTS, CHILD_COSTS = 2, 6, 4, 5, 11, 8


class Left(Exception):
    """The job has ended meanwhile; the step's answer no longer matters."""


class RollbackWanted(Exception):
    """People want something rolled back; the stage is left for it."""


class JobDesk(Desk):
    """The desk of one job."""

    def __init__(self, input: JobInput) -> None:
        """Begin, or go on with what the run before handed over."""
        super().__init__(workflow_id=transfer_workflow_id(input.job), case_token=input.job)
        carried = input.carried
        self._job = JobStep(job=input.job)
        self._events_per_run = input.events_per_run
        self._events = 0  # of this run, about
        self._stage = JobStage(carried.stage) if carried else JobStage.CLASSIFYING
        self._outcome: JobOutcome | None = None
        self._reason: str | None = None
        self._seq = carried.seq if carried else 0
        self._task_no = carried.task_no if carried else 0
        self._rounds = dict(carried.rounds) if carried else {}
        self._applied = dict(carried.applied) if carried else {}
        self._done = list(carried.done) if carried else []
        self._step, self._after = (carried.step, carried.after) if carried else ("", "")
        self._return_reason = carried.return_reason if carried else None
        self._decided: Outcome | None = None  # of the last task
        self._about_wave, self._about_rollback = 0, ""  # what the open task is about
        self._choice: Outcome | None = None  # of the incident task
        self._nudged = False
        self._is_rolling_back = False

    @workflow.signal(name="nudged", description="Somebody has done what the job may wait for")
    def nudged(self) -> None:
        """Look again now. Nothing is lost where this does not arrive: the job looks by itself."""
        self._events += SIGNAL_COSTS
        self._nudged = True

    # -- asking people -------------------------------------------------------------------------------------------------

    async def ask(
        self,
        task_type: TaskType,
        *,
        blocked: tuple[BlockedOutcome, ...] = (),
        step: str | None = None,
        code: str | None = None,
        choice: str | None = None,
    ) -> Outcome:
        """Open a task and wait for its decision. Whoever wants the job ended or rolled back comes first.

        Raises:
            Left: the decision, or somebody else's, has ended the job.
            RollbackWanted: the task has no meaning now.
        """
        while True:
            self._decided = None
            await self._open_question(task_type, blocked=blocked, step=step, code=code, choice=choice)
            while self._open is not None:
                await workflow.wait_condition(lambda: self._open is None or self._nudged)
                if self._open is not None and self._nudged:
                    self._nudged = False
                    await self.heed()
            self.leave_if_ended()
            if self._decided is not None:
                return self._decided

    async def _open_question(
        self,
        task_type: TaskType,
        *,
        blocked: tuple[BlockedOutcome, ...],
        step: str | None,
        code: str | None,
        choice: str | None,
    ) -> None:
        async with self._lock:
            self.leave_if_ended()
            await self.put_question(
                self.question(
                    task_type, blocked=blocked, return_reason=self._return_reason, step=step, code=code, choice=choice
                )
            )
            self._return_reason = None

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
            await self._drop_question()
            raise RollbackWanted
        return wanted

    async def _drop_question(self) -> None:
        async with self._lock:
            if self._open is None:
                return
            step = CancelTaskInput(
                workflow_id=self._workflow_id,
                case_token=self._case,
                task_no=self._open.task_no,
                fence=self.next_fence(),
            )
            await self.persist(
                lambda: workflow.execute_local_activity_method(PlatformPort.cancel_task, step, **DATABASE)
            )
            self._open = None

    async def incident(self, step: str, error: ActivityError | ApplicationError | str) -> None:
        """Two persons agree on trying again or giving up; the job waits for them and goes on living.

        Raises:
            Left: they gave up.
        """
        code = error if isinstance(error, str) else failure_code(error)
        wanted = await self.heed()
        bars = [BlockedOutcome(outcome=Outcome.MEND, rule_id="step-not-mendable", verdict_id="")]
        if wanted.moved:
            bars.append(BlockedOutcome(outcome=Outcome.GIVE_UP, rule_id="rows-have-moved", verdict_id=""))
        while True:
            self._choice = None
            await self.ask(TaskType.INCIDENT, step=step, code=code, blocked=tuple(bars))
            chosen = self._choice
            if chosen is None:
                continue
            await self.ask(TaskType.INCIDENT_CONFIRM, step=step, code=code, choice=chosen)
            if self._choice is not None:
                return

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """As every desk's; counted."""
        self._events += LOCAL_COSTS
        return await super().persist(call)

    async def incidental(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """A step that, when it is refused for good, becomes an incident instead of the end of the job.

        One that lacks training waits for the course, and for nobody's decision.
        """
        while True:
            try:
                answer = await call()
            except STEP_FAILED as error:
                if failure_code(error) == TRAINING_MISSING:
                    await self.until_trained(step)
                else:
                    await self.incident(step, error)
            else:
                self.leave_if_ended()
                return answer

    async def once(self, step: str, method: Callable[..., T], given: JobStep | ChunkStep | None = None) -> T | None:
        """A bulk step of one part, once in this stage. None: it was done before."""
        if step in self._done:
            return None
        answer = await self.bulk_call(step, method, given or self._job)
        self._done.append(step)
        return answer

    async def bulk_call(self, step: str, method: Callable[..., T], given: JobStep | ChunkStep) -> T:
        """One call of a step on the queue of bulk work."""
        self._events += BULK_COSTS
        return await self.incidental(
            step,
            lambda: workflow.execute_activity_method(
                method,
                given,
                task_queue=BULK_QUEUE,
                **BULK,
            ),
        )

    async def walk(self, step: str, method: Chunk, *, side: str = "", wave: int = 0, attempt: int = 0) -> None:
        """A step over many rows, part after part, once in this stage.

        When a part says that it has stopped itself, that is an incident, and the step begins anew.
        """
        name = "/".join(filter(None, (step, side, str(wave or ""), str(attempt or ""))))
        if name in self._done:
            return
        if self._step != name:
            self._step, self._after = name, ""
        while True:
            given = ChunkStep(job=self._case, after=self._after, side=side, wave=wave, attempt=attempt)
            part: ChunkDone = await self.bulk_call(step, method, given)
            if part.paused:
                await self.while_paused()
            elif part.stopped is not None:
                await self.incident(step, part.stopped)
                self._after = ""
            elif part.after is None:
                break
            else:
                self._after = part.after
            await self.renew_if_long()
            if self._nudged:
                self._nudged = False
                await self.heed()
        self._step, self._after = "", ""
        self._done.append(name)

    def forget(self, name: str) -> None:
        """A step is to be done again, though this stage has done it."""
        self._done = [each for each in self._done if each != name]

    # -- waiting -------------------------------------------------------------------------------------------------------

    async def while_paused(self) -> None:
        """Rest until people have the job go on."""
        looks = 0
        while (await self.heed()).paused:
            looks += 1
            await self.rest(looks)

    async def until_settled(self, step: str, method: Count) -> None:
        """Wait until nobody has anything left to decide of a step's record tasks."""
        looks = 0
        while (await self.bulk_call(step, method, self._job)).count:
            looks += 1
            await self.rest(looks)
            await self.heed()

    async def rest(self, looks: int, *, due_in_s: int | None = None) -> None:
        """Rest until somebody nudges, or until it is time to look again."""
        await self.renew_if_long()
        self._events += REST_COSTS
        try:
            await workflow.wait_condition(lambda: self._nudged, **until_looking_again(looks, due_in_s=due_in_s))
        except TimeoutError:
            return
        self._nudged = False

    async def until_trained(self, step: str) -> None:
        """Rest until the sponsor's training grant holds (培训准入); a task says who has to pass the course.

        The task goes by itself once the grant is on record: whoever records it nudges, and the job looks anyway.
        """
        looks = 0
        while not (await self.heed()).trained:
            if self._open is None:
                await self._open_question(TaskType.TRANSFER_TRAINING, blocked=(), step=step, code=None, choice=None)
            looks += 1
            try:
                await workflow.wait_condition(lambda: self._open is None or self._nudged, **until_looking_again(looks))
            except TimeoutError:
                continue
            self._nudged = False
        await self._drop_question()

    # -- gates ---------------------------------------------------------------------------------------------------------

    async def gate(self, gate: Gate) -> GateAnswer:
        """Ask the rules of a gate."""
        self._rounds[gate] = self._rounds.get(gate, 0) + 1
        step = EvaluateGateInput(case_token=self._case, gate=gate, round=self._rounds[gate])
        self._events += LOCAL_COSTS
        return await self.incidental(
            "rules.evaluate_gate",
            lambda: workflow.execute_local_activity_method(PlatformPort.evaluate_gate, step, **DATABASE),
        )

    async def pass_gate(self, gate: Gate) -> None:
        """Nothing goes on while a rule of the gate stands against it: people see it with its citation, and ask again.

        Raises:
            Left: they gave up.
        """
        name = f"gate/{gate}"
        if name in self._done:
            return
        while (answer := await self.gate(gate)).blocks:
            blocked = bar(answer, Outcome.ACCEPT)
            if (await self.heed()).moved:
                blocked = (*blocked, BlockedOutcome(outcome=Outcome.GIVE_UP, rule_id="rows-have-moved", verdict_id=""))
            await self.ask(TaskType.TRANSFER_GATE, step=gate, blocked=blocked)
            await self.renew_if_long()
        self._done.append(name)

    # -- where the job stands ------------------------------------------------------------------------------------------

    async def read(self) -> JobRead:
        """What of the records decides which way the job goes."""
        read: JobRead = await self.persist(
            lambda: workflow.execute_local_activity_method(JobPort.read_job, self._job, **DATABASE)
        )
        return read

    async def enter(self, stage: JobStage) -> None:
        """Go on to a stage; the records learn of it at once."""
        async with self._lock:
            self.leave_if_ended()
            step = EnterStage(job=self._case, stage=stage, fence=self.next_fence())
            await self.persist(lambda: workflow.execute_local_activity_method(JobPort.enter_stage, step, **DATABASE))
            self.stand_in(stage)

    def stand_in(self, stage: JobStage) -> None:
        """The job stands in another stage, in which nothing is done yet."""
        self._stage = stage
        self._done, self._step, self._after = [], "", ""

    async def end(self, outcome: JobOutcome, reason: str | None = None) -> None:
        """The job ends without a decision on one of its tasks.

        Raises:
            Left: always.
        """
        async with self._lock:
            self.leave_if_ended()
            step = EndJob(job=self._case, fence=self.next_fence(), outcome=outcome, reason_code=reason)
            await self.persist(lambda: workflow.execute_local_activity_method(JobPort.end_job, step, **DATABASE))
            self._stage, self._outcome, self._reason, self._open = JobStage.ENDED, outcome, reason, None
        raise Left

    def leave_if_ended(self) -> None:
        """Leave the stage at once if a decision has ended the job.

        Raises:
            Left: it has.
        """
        if self._stage is JobStage.ENDED:
            raise Left

    async def renew_if_long(self) -> None:
        """Go on as a new run where this one has grown long; nothing may be open in the inbox.

        What Temporal tells of a history's length must not decide: where a local step was slow, so that a workflow task
        had to be renewed for it, a replay goes over that border at once and is told another length (TMPRL1100).
        """
        if self._open is not None or self._events <= self._events_per_run:
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        self.leave_if_ended()
        carried = JobCarried(
            stage=self._stage,
            seq=self._seq,
            task_no=self._task_no,
            rounds=self._rounds,
            applied=self._applied,
            done=tuple(self._done[-_MOST_DONE:]),
            step=self._step,
            after=self._after,
            return_reason=self._return_reason,
        )
        workflow.continue_as_new(JobInput(job=self._case, carried=carried, events_per_run=self._events_per_run))


def bar(answer: GateAnswer, *outcomes: Outcome) -> tuple[BlockedOutcome, ...]:
    """Every outcome barred by every rule that blocks."""
    return tuple(
        BlockedOutcome(outcome=outcome, rule_id=block.rule_id, verdict_id=block.verdict_id)
        for block in answer.blocks
        for outcome in outcomes
    )
