"""A batch's run without its records: every port in memory, so that the workflow alone is what is tested."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from temporalio import activity

from models.contracts.batch_run import ApplyRunDecision, EndRun, EnterRunStage, RunRead, RunStep, RunWanted
from models.contracts.batch_steps import (
    ChunkDone,
    ChunksPlanned,
    ChunkStep,
    CohortFrozen,
    FilesSent,
    PartDone,
    PartStep,
    Reconciled,
    RecordsLeft,
    Rehearsed,
    RepliesTaken,
    RulesBound,
    RunClosable,
)
from models.contracts.platform import (
    CancelTaskInput,
    CloseTasksInput,
    Done,
    EvaluateGateInput,
    GateAnswer,
    OpenTask,
    OpenTaskInput,
    RecordStageInput,
    RegisterRunInput,
    RuleBlock,
    RunRegistered,
)
from models.domain.batches.kinds import KINDS, KindName, Origin, stages_of
from models.domain.states import Outcome, TaskType
from workflows.ports.batch_run import BatchRunPort
from workflows.ports.batches import BankPort, CleanPort, CohortPort, ExecutePort, RulesPort, SettlePort
from workflows.ports.platform import PlatformPort

_FROZEN = CohortFrozen(members=3, excluded=0, amount_minor=300, cohort_hash="c0")
_REHEARSED = Rehearsed(orders=3, barred=0, amount_minor=300, rehearsal_hash="r0")
MAKER, CHECKER, THIRD = "prs_maker", "prs_checker", "prs_third"


def read_of(kind: KindName, *, origin: Origin = Origin.STAFF, from_file: bool = True) -> RunRead:
    """What the records say of a run of this kind."""
    known = KINDS[kind]
    return RunRead(
        stages=tuple(stages_of(kind, origin)),
        from_file=from_file,
        window=3,
        sends_files=bool(known.message),
        has_retries=known.has_retries and origin is not Origin.DAILY,
        closes_itself=origin is Origin.DAILY,
    )


@dataclass
class World:
    """What the records of one run would say. Tests set it up, and look at it afterwards.

    Attributes:
        answers: step → its answers, one after the other; the plain one after the last.
        blocks: gate → how many times it blocks before it opens.
        parts: step → how many parts it takes.
        effects: what was done, by its business key: a repeated step does nothing more.
        under_way, most_under_way: chunks at once.
    """

    read: RunRead = field(default_factory=lambda: read_of(KindName.AUTO_DEBIT))
    chunks: int = 5
    answers: dict[str, list[Any]] = field(default_factory=dict)
    blocks: Counter[str] = field(default_factory=Counter)
    parts: dict[str, int] = field(default_factory=dict)
    paused: bool = False
    cancelled: bool = False
    tripped: str | None = None
    effects: Counter[str] = field(default_factory=Counter)
    executed: set[int] = field(default_factory=set)
    withdrawn: bool = False
    most_under_way: int = 0
    under_way: int = 0
    tasks: list[OpenTaskInput] = field(default_factory=list)
    cancelled_tasks: set[int] = field(default_factory=set)
    decided: dict[str, ApplyRunDecision] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    ended: EndRun | None = None
    runs: dict[str, int] = field(default_factory=dict)
    during: Callable[[str], None] = lambda _name: None
    lock: RLock = field(default_factory=RLock)

    def part(self, name: str, step: PartStep) -> PartDone:
        """One part of a step."""
        self.during(name)
        with self.lock:
            if self.answers.get(name):
                answer: PartDone = self.answers[name].pop(0)
                return answer
            if self.paused:
                return PartDone(after=step.after, paused=True)
            self.effects[f"{name}/{step.after}"] = 1
            number = int(step.after or 0) + 1
            return PartDone(after=str(number) if number < self.parts.get(name, 1) else None)

    def answer(self, name: str, plain: Any) -> Any:
        """The next of the answers that were set up, or the plain one."""
        self.during(name)
        with self.lock:
            self.effects[name] = 1
            waiting = self.answers.get(name)
            return waiting.pop(0) if waiting else plain

    def chunk(self, number: int) -> ChunkDone:
        """One chunk; done before, it does nothing more."""
        self.during("execute_chunk")
        with self.lock:
            if self.paused or self.cancelled:
                return ChunkDone(chunk=number, done=False, paused=True)
            if self.tripped is not None:
                return ChunkDone(chunk=number, done=False, stopped=self.tripped)
            if self.answers.get("execute_chunk"):
                answer: ChunkDone = self.answers["execute_chunk"].pop(0)
                self.tripped = answer.stopped
                return answer
            if number not in self.executed:
                self.executed.add(number)
                self.effects[f"chunk/{number}"] += 1
        return ChunkDone(chunk=number, done=True, orders=1, amount_minor=100)


@dataclass
class FakePlatform(PlatformPort):
    world: World

    @activity.defn(name="platform.register_run", no_thread_cancel_exception=True)
    def register_run(self, input: RegisterRunInput) -> RunRegistered:
        with self.world.lock:
            return RunRegistered(epoch=self.world.runs.setdefault(input.run_id, len(self.world.runs) + 1))

    @activity.defn(name="rules.evaluate_gate", no_thread_cancel_exception=True)
    def evaluate_gate(self, input: EvaluateGateInput) -> GateAnswer:
        key = f"{input.gate}/{input.round}"
        with self.world.lock:
            blocks = input.round <= self.world.blocks[input.gate]
            if key not in self.world.gates:
                self.world.gates.append(key)
        block = RuleBlock(rule_id="BATCH-EXCLUDE", result="FAIL", verdict_id="vrd_1")
        return GateAnswer(gate_key=key, rule_set_version="test", blocks=(block,) if blocks else ())

    @activity.defn(name="tasks.open_task", no_thread_cancel_exception=True)
    def open_task(self, input: OpenTaskInput) -> OpenTask:
        with self.world.lock:
            if all(task.task_no != input.task_no for task in self.world.tasks):
                self.world.tasks.append(input)
        return OpenTask(
            task_no=input.task_no,
            task_type=input.task_type,
            shown_hash=f"shown-{input.task_no}",
            excluded_persons=(MAKER,) if input.task_type == TaskType.BATCH_APPROVAL else (),
            blocked=input.blocked,
        )

    @activity.defn(name="tasks.close_tasks", no_thread_cancel_exception=True)
    def close_tasks(self, input: CloseTasksInput) -> Done:
        return Done()

    @activity.defn(name="tasks.cancel_task", no_thread_cancel_exception=True)
    def cancel_task(self, input: CancelTaskInput) -> Done:
        self.world.cancelled_tasks.add(input.task_no)
        return Done()

    @activity.defn(name="platform.record_stage", no_thread_cancel_exception=True)
    def record_stage(self, input: RecordStageInput) -> Done:
        return Done()


@dataclass
class FakeRun(BatchRunPort):
    world: World

    @activity.defn(name="batches.read_run", no_thread_cancel_exception=True)
    def read_run(self, input: RunStep) -> RunRead:
        return self.world.read

    @activity.defn(name="batches.enter_stage", no_thread_cancel_exception=True)
    def enter_stage(self, input: EnterRunStage) -> Done:
        with self.world.lock:
            if not self.world.stages or self.world.stages[-1] != input.stage:
                self.world.stages.append(input.stage)
        return Done()

    @activity.defn(name="batches.wanted", no_thread_cancel_exception=True)
    def wanted(self, input: RunStep) -> RunWanted:
        with self.world.lock:
            return RunWanted(paused=self.world.paused, cancelled=self.world.cancelled, moved=bool(self.world.executed))

    @activity.defn(name="batches.apply_decision", no_thread_cancel_exception=True)
    def apply_decision(self, input: ApplyRunDecision) -> Done:
        with self.world.lock:
            if input.decision_id not in self.world.decided:
                self.world.decided[input.decision_id] = input
                if input.outcome == Outcome.RUN_ON:
                    self.world.tripped = None
        return Done()

    @activity.defn(name="batches.end_run", no_thread_cancel_exception=True)
    def end_run(self, input: EndRun) -> Done:
        with self.world.lock:
            self.world.ended = self.world.ended or input
        return Done()


@dataclass
class FakeCohort(CohortPort):
    world: World

    @activity.defn(name="batches.choose_members", no_thread_cancel_exception=True)
    def choose_members(self, input: PartStep) -> PartDone:
        return self.world.part("choose_members", input)

    @activity.defn(name="batches.freeze_cohort", no_thread_cancel_exception=True)
    def freeze_cohort(self, input: RunStep) -> CohortFrozen:
        answer: CohortFrozen = self.world.answer("freeze_cohort", _FROZEN)
        return answer


@dataclass
class FakeClean(CleanPort):
    world: World

    @activity.defn(name="batches.read_rows", no_thread_cancel_exception=True)
    def read_rows(self, input: PartStep) -> PartDone:
        return self.world.part("read_rows", input)

    @activity.defn(name="batches.validate_rows", no_thread_cancel_exception=True)
    def validate_rows(self, input: PartStep) -> PartDone:
        return self.world.part("validate_rows", input)

    @activity.defn(name="batches.quarantined", no_thread_cancel_exception=True)
    def quarantined(self, input: RunStep) -> RecordsLeft:
        answer: RecordsLeft = self.world.answer("quarantined", RecordsLeft(count=0))
        return answer

    @activity.defn(name="batches.quality_report", no_thread_cancel_exception=True)
    def quality_report(self, input: RunStep) -> Done:
        answer: Done = self.world.answer("quality_report", Done())
        return answer


@dataclass
class FakeRules(RulesPort):
    world: World

    @activity.defn(name="batches.bind_rules", no_thread_cancel_exception=True)
    def bind_rules(self, input: RunStep) -> RulesBound:
        answer: RulesBound = self.world.answer("bind_rules", RulesBound(version="set/1"))
        return answer

    @activity.defn(name="batches.rehearse", no_thread_cancel_exception=True)
    def rehearse(self, input: PartStep) -> PartDone:
        return self.world.part("rehearse", input)

    @activity.defn(name="batches.sum_rehearsal", no_thread_cancel_exception=True)
    def sum_rehearsal(self, input: RunStep) -> Rehearsed:
        answer: Rehearsed = self.world.answer("sum_rehearsal", _REHEARSED)
        return answer

    @activity.defn(name="batches.compare_live", no_thread_cancel_exception=True)
    def compare_live(self, input: PartStep) -> PartDone:
        return self.world.part("compare_live", input)


@dataclass
class FakeExecute(ExecutePort):
    world: World

    @activity.defn(name="batches.plan_chunks", no_thread_cancel_exception=True)
    def plan_chunks(self, input: RunStep) -> ChunksPlanned:
        answer: ChunksPlanned = self.world.answer("plan_chunks", ChunksPlanned(chunks=self.world.chunks))
        return answer

    @activity.defn(name="batches.execute_chunk", no_thread_cancel_exception=True)
    def execute_chunk(self, input: ChunkStep) -> ChunkDone:
        return self.world.chunk(input.chunk)

    @activity.defn(name="batches.withdraw_orders", no_thread_cancel_exception=True)
    def withdraw_orders(self, input: PartStep) -> PartDone:
        return self.world.part("withdraw_orders", input)


@dataclass
class FakeBank(BankPort):
    world: World

    @activity.defn(name="batches.send_files", no_thread_cancel_exception=True)
    def send_files(self, input: RunStep) -> FilesSent:
        answer: FilesSent = self.world.answer("send_files", FilesSent(files=1, orders=3, amount_minor=300))
        return answer

    @activity.defn(name="batches.take_replies", no_thread_cancel_exception=True)
    def take_replies(self, input: RunStep) -> RepliesTaken:
        answer: RepliesTaken = self.world.answer("take_replies", RepliesTaken(open_orders=0))
        return answer

    @activity.defn(name="batches.make_retries", no_thread_cancel_exception=True)
    def make_retries(self, input: PartStep) -> PartDone:
        return self.world.part("make_retries", input)


@dataclass
class FakeSettle(SettlePort):
    world: World

    @activity.defn(name="batches.settle_orders", no_thread_cancel_exception=True)
    def settle_orders(self, input: PartStep) -> PartDone:
        return self.world.part("settle_orders", input)

    @activity.defn(name="batches.reconcile", no_thread_cancel_exception=True)
    def reconcile(self, input: RunStep) -> Reconciled:
        answer: Reconciled = self.world.answer("reconcile", Reconciled(orders=3, settled_minor=300))
        return answer

    @activity.defn(name="batches.write_report", no_thread_cancel_exception=True)
    def write_report(self, input: RunStep) -> Done:
        answer: Done = self.world.answer("write_report", Done())
        return answer

    @activity.defn(name="batches.may_close", no_thread_cancel_exception=True)
    def may_close(self, input: RunStep) -> RunClosable:
        answer: RunClosable = self.world.answer("may_close", RunClosable())
        return answer

    @activity.defn(name="batches.release_run", no_thread_cancel_exception=True)
    def release_run(self, input: RunStep) -> Done:
        answer: Done = self.world.answer("release_run", Done())
        return answer
