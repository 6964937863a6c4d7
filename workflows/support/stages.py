"""The desk of long work in stages: its questions, its bulk steps, and what it waits for.

State is set in `__init__` only, since a handler may run before `run` does. A step that is done is remembered by its
name until the stage is left; a step that walks over many rows goes on from where its last part ended. So a run can go
on as a new one at any point where the workflow waits or a part has ended. What differs from one kind of work to the
next are the methods under "what each kind of work says for itself".
"""

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from models.contracts.installments import CaseView
from models.contracts.platform import BlockedOutcome, CancelTaskInput, EvaluateGateInput, GateAnswer
from models.domain.states import Gate, Outcome, TaskType
from workflows.ports.platform import PlatformPort
from workflows.support.desk import Desk, T
from workflows.support.failures import STEP_FAILED, failure_code
from workflows.support.ids import BULK_QUEUE
from workflows.support.options import BULK, DATABASE, until_looking_again

S = TypeVar("S", bound=str)
O = TypeVar("O", bound=str)  # noqa: E741 - how it ends
P = TypeVar("P", bound="Part")
MOST_DONE = 200  # names of steps that a run hands on; a stage has some twenty, and one for each wave it undoes
_GATE = "gate/"  # before the name of a gate that was passed
# About how many events of history each costs, with its share of workflow tasks.
LOCAL_COSTS, BULK_COSTS, SIGNAL_COSTS, REST_COSTS, DECISION_COSTS, CHILD_COSTS = 2, 6, 4, 5, 11, 8


class Left(Exception):
    """The work has ended meanwhile; the step's answer no longer matters."""


class Part(Protocol):
    """How a part of a step over many rows ended (`models.contracts.transfers.ChunkDone`)."""

    @property
    def after(self) -> str | None:
        """Where the next part begins; None when the step is done."""

    @property
    def paused(self) -> bool:
        """A person has paused the work; nothing was done."""

    @property
    def stopped(self) -> str | None:
        """The step ended itself, by a code."""


class Carried(Protocol):
    """What a run hands to the next, whatever the work (`models.contracts.transfer_job.JobCarried`)."""

    @property
    def seq(self) -> int: ...
    @property
    def task_no(self) -> int: ...
    @property
    def rounds(self) -> Mapping[str, int]: ...
    @property
    def applied(self) -> Mapping[str, str]: ...
    @property
    def done(self) -> tuple[str, ...]: ...
    @property
    def step(self) -> str: ...
    @property
    def after(self) -> str: ...
    @property
    def return_reason(self) -> str | None: ...


class Wanted(Protocol):
    """What people want of the work."""

    @property
    def paused(self) -> bool:
        """It is to wait."""

    @property
    def moved(self) -> bool:
        """Something outside has changed; it is not given up any more."""


class StageDesk(Desk, Generic[S, O]):
    """The desk of one piece of work: a transfer job, or the run of a batch."""

    GATE_TASK: ClassVar[TaskType]
    ENDED: ClassVar[Any]
    MOVED_RULE: ClassVar[str]  # why nobody gives up any more (`block.<rule>.title`)

    def __init__(
        self, *, workflow_id: str, case_token: str, stage: S, carried: Carried | None, events_per_run: int
    ) -> None:
        """Begin, or go on with what the run before handed over."""
        super().__init__(workflow_id=workflow_id, case_token=case_token)
        self._events_per_run = events_per_run
        self._events = 0  # of this run, about
        self._stage: S = stage
        self._outcome: O | None = None
        self._reason: str | None = None
        self._seq = carried.seq if carried else 0
        self._task_no = carried.task_no if carried else 0
        self._rounds: dict[str, int] = dict(carried.rounds) if carried else {}
        self._applied = dict(carried.applied) if carried else {}
        self._done = list(carried.done) if carried else []
        self._step, self._after = (carried.step, carried.after) if carried else ("", "")
        self._return_reason = carried.return_reason if carried else None
        self._decided: Outcome | None = None  # of the last task
        self._choice: Outcome | None = None  # of the incident task
        self._nudged = False

    @workflow.signal(name="nudged", description="Somebody has done what the work may wait for")
    def nudged(self) -> None:
        """Look again now. Nothing is lost where this does not arrive: the work looks by itself."""
        self._events += SIGNAL_COSTS
        self._nudged = True

    @workflow.query(name="view", description="Stage, outcome and open task, as the workflow knows them")
    def view(self) -> CaseView:
        """The workflow's own account, against which the records are held."""
        return self.account(stage=self._stage, outcome=self._outcome, reason_code=self._reason)

    # -- what each kind of work says for itself ------------------------------------------------------------------------

    @abstractmethod
    async def heed(self) -> Wanted:
        """Look at what people want, and do what comes before everything else."""

    @abstractmethod
    async def write_stage(self, stage: S) -> None:
        """Have the records learn of a stage; the lock is held."""

    @abstractmethod
    async def write_end(self, outcome: O, reason: str | None) -> None:
        """Have the records learn of the end; the lock is held."""

    @abstractmethod
    def go_on_as_new(self) -> None:
        """Continue as a new run with what is to be carried."""

    async def refused(self, step: str, error: ActivityError | ApplicationError) -> None:
        """A step was refused for good: two persons decide."""
        await self.incident(step, error)

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
        """Open a task and wait for its decision. What people want of the whole work comes first.

        Raises:
            Left: the decision, or somebody else's, has ended the work.
        """
        while True:
            self._decided = None
            await self.open_question(task_type, blocked=blocked, step=step, code=code, choice=choice)
            while self._open is not None:
                await workflow.wait_condition(lambda: self._open is None or self._nudged)
                if self._open is not None and self._nudged:
                    self._nudged = False
                    await self.heed()
            self.leave_if_ended()
            if self._decided is not None:
                return self._decided

    async def open_question(
        self,
        task_type: TaskType,
        *,
        blocked: tuple[BlockedOutcome, ...] = (),
        step: str | None = None,
        code: str | None = None,
        choice: str | None = None,
    ) -> None:
        """Put the question into the inbox, and wait for nobody."""
        async with self._lock:
            self.leave_if_ended()
            await self.put_question(
                self.question(
                    task_type, blocked=blocked, return_reason=self._return_reason, step=step, code=code, choice=choice
                )
            )
            self._return_reason = None

    async def drop_question(self) -> None:
        """Take the open question out of the inbox: it has no meaning now."""
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
        """Two persons agree on trying again or giving up; the work waits for them and goes on living.

        Raises:
            Left: they gave up.
        """
        code = error if isinstance(error, str) else failure_code(error)
        wanted = await self.heed()
        bars = [BlockedOutcome(outcome=Outcome.MEND, rule_id="step-not-mendable", verdict_id="")]
        if wanted.moved:
            bars.append(self.no_giving_up())
        while True:
            self._choice = None
            await self.ask(TaskType.INCIDENT, step=step, code=code, blocked=tuple(bars))
            chosen = self._choice
            if chosen is None:
                continue
            await self.ask(TaskType.INCIDENT_CONFIRM, step=step, code=code, choice=chosen)
            if self._choice is not None:
                return

    def no_giving_up(self) -> BlockedOutcome:
        """What has moved is not given up."""
        return BlockedOutcome(outcome=Outcome.GIVE_UP, rule_id=self.MOVED_RULE, verdict_id="")

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """As every desk's; counted."""
        self._events += LOCAL_COSTS
        return await super().persist(call)

    async def incidental(self, step: str, call: Callable[[], Awaitable[T]]) -> T:
        """A step that, when it is refused for good, becomes an incident instead of the end of the work."""
        while True:
            try:
                answer = await call()
            except STEP_FAILED as error:
                await self.refused(step, error)
            else:
                self.leave_if_ended()
                return answer

    async def once(self, step: str, method: Callable[..., T], given: object) -> T | None:
        """A bulk step of one part, once in this stage. None: it was done before."""
        if step in self._done:
            return None
        answer = await self.bulk_call(step, method, given)
        self._done.append(step)
        return answer

    async def bulk_call(self, step: str, method: Callable[..., T], given: object) -> T:
        """One call of a step on the queue of bulk work."""
        self._events += BULK_COSTS
        return await self.incidental(step, lambda: self.bulk_step(method, given))

    async def bulk_step(self, method: Callable[..., T], given: object) -> T:
        """The call itself, for whoever looks after its failure."""
        answer: T = await workflow.execute_activity_method(method, given, task_queue=BULK_QUEUE, **BULK)
        return answer

    async def walk_parts(self, name: str, step: str, method: Callable[..., P], given: Callable[[str], object]) -> None:
        """A step over many rows, part after part, once in this stage under `name`.

        When a part says that it has stopped itself, that is an incident, and the step begins anew.
        """
        if name in self._done:
            return
        if self._step != name:
            self._step, self._after = name, ""
        while True:
            part = await self.bulk_call(step, method, given(self._after))
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
        """Rest until people have the work go on."""
        looks = 0
        while (await self.heed()).paused:
            looks += 1
            await self.rest(looks)

    async def rest(self, looks: int, *, due_in_s: int | None = None) -> None:
        """Rest until somebody nudges, or until it is time to look again."""
        await self.renew_if_long()
        self._events += REST_COSTS
        try:
            await workflow.wait_condition(lambda: self._nudged, **until_looking_again(looks, due_in_s=due_in_s))
        except TimeoutError:
            return
        self._nudged = False

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
        name = f"{_GATE}{gate}"
        if name in self._done:
            return
        while (answer := await self.gate(gate)).blocks:
            blocked = bar(answer, Outcome.ACCEPT)
            if (await self.heed()).moved:
                blocked = (*blocked, self.no_giving_up())
            await self.ask(self.GATE_TASK, step=gate, blocked=blocked)
            await self.renew_if_long()
        self._done.append(name)

    def passed_gates(self) -> tuple[str, ...]:
        """Names under which this stage remembers the gates that it has passed."""
        return tuple(name for name in self._done if name.startswith(_GATE))

    # -- where the work stands -----------------------------------------------------------------------------------------

    async def enter(self, stage: S) -> None:
        """Go on to a stage; the records learn of it at once."""
        async with self._lock:
            self.leave_if_ended()
            await self.write_stage(stage)
            self.stand_in(stage)

    def stand_in(self, stage: S) -> None:
        """The work stands in another stage, in which nothing is done yet."""
        self._stage = stage
        self._done, self._step, self._after = [], "", ""

    async def end(self, outcome: O, reason: str | None = None) -> None:
        """The work ends without a decision on one of its tasks.

        Raises:
            Left: always.
        """
        async with self._lock:
            self.leave_if_ended()
            await self.write_end(outcome, reason)
            self._stage, self._outcome, self._reason, self._open = self.ENDED, outcome, reason, None
        raise Left

    def leave_if_ended(self) -> None:
        """Leave the stage at once if a decision has ended the work.

        Raises:
            Left: it has.
        """
        if self._stage == self.ENDED:
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
        self.go_on_as_new()


def bar(answer: GateAnswer, *outcomes: Outcome) -> tuple[BlockedOutcome, ...]:
    """Every outcome barred by every rule that blocks."""
    return tuple(
        BlockedOutcome(outcome=outcome, rule_id=block.rule_id, verdict_id=block.verdict_id)
        for block in answer.blocks
        for outcome in outcomes
    )
