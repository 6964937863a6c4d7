"""A transfer job without its records: every port in memory, so that the workflow alone is what is tested."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import RLock

from temporalio import activity
from temporalio.exceptions import ApplicationError

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
from models.contracts.transfer_job import (
    ApplyJobDecision,
    EndJob,
    EnterStage,
    JobRead,
    JobWanted,
    RollbackSettled,
    WaveHalted,
    WaveRef,
    WavesStanding,
)
from models.contracts.transfers import (
    ChunkDone,
    ChunkStep,
    CloseAnswer,
    JobStep,
    NoticesLeft,
    OpenRecords,
    WaveMeasured,
    WavesPlanned,
)
from models.domain.states import Outcome, TaskType
from models.domain.transfers.states import WaveState
from workflows.ports.platform import PlatformPort
from workflows.ports.transfer_job import JobPort
from workflows.ports.transfers import BackupPort, CollectPort, MatchPort, NoticePort, ReportPort, WavePort

MAKER, SELLER, BUYER, THIRD = "prs_maker", "prs_seller", "prs_buyer", "prs_third"


@dataclass
class FakeWave:
    """One wave: how many parts are left, and what has become of it."""

    parts: int
    state: WaveState = WaveState.PLANNED
    attempt: int = 1
    moved: set[str] = field(default_factory=set)
    code: str | None = None
    begun: int = 0


@dataclass
class FakeRollback:
    """A request, and how far it is."""

    id: str
    wave: int
    state: str = "PROPOSED"


@dataclass
class World:
    """What the records of one job would say. Tests set it up, and look at it afterwards.

    Attributes:
        blocks: gate → how many times it blocks before it opens.
        open_records: step → what the count answers, one after the other; 0 after the last.
        parts: step → how many parts it takes.
        stops: step → codes with which it stops, one after the other.
        trained: the sponsor's training grant holds; at the step `grant_ends_at` it ends.
        rows: what each part did, by its key: a repeated part does nothing more.
        slow_s: how long a look at what people want takes.
        during: called while a part of a step is done.
    """

    read: JobRead = field(
        default_factory=lambda: JobRead(
            sides=("source", "target"),
            abroad=False,
            claims=False,
            consent_first=False,
            tells=True,
            receipt_wait_s=0,
            waves_at_once=20,
        )
    )
    blocks: Counter[str] = field(default_factory=Counter)
    open_records: dict[str, list[int]] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    stops: dict[str, list[str]] = field(default_factory=dict)
    left: list[NoticesLeft] = field(default_factory=list)
    lacks: list[tuple[str, ...]] = field(default_factory=list)
    waves: dict[int, FakeWave] = field(default_factory=lambda: {1: FakeWave(2), 2: FakeWave(1)})
    wave_stops: dict[int, list[str]] = field(default_factory=dict)
    roots_equal: list[bool] = field(default_factory=list)
    paused: bool = False
    trained: bool = True
    grant_ends_at: str = ""
    cancelled: bool = False
    rollbacks: list[FakeRollback] = field(default_factory=list)
    tasks: list[OpenTaskInput] = field(default_factory=list)
    cancelled_tasks: list[int] = field(default_factory=list)
    decided: dict[str, ApplyJobDecision] = field(default_factory=dict)
    stages: list[str] = field(default_factory=list)
    ended: EndJob | None = None
    rows: Counter[str] = field(default_factory=Counter)
    undone: list[tuple[int, int]] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)
    gates: list[str] = field(default_factory=list)
    published: int = 0
    linkage_destroyed: bool = False
    most_moving: int = 0
    slow_s: float = 0.0
    during: Callable[[str], None] = lambda _name: None
    lock: RLock = field(default_factory=RLock)

    @property
    def moved(self) -> bool:
        return any(wave.moved for wave in self.waves.values())

    def may_open(self, step: str) -> None:
        """As the steps do: refuse where the sponsor has no grant."""
        if step == self.grant_ends_at:
            self.trained, self.grant_ends_at = False, ""
        if not self.trained:
            raise ApplicationError("training-missing", type="training-missing", non_retryable=True)

    def part(self, name: str, step: ChunkStep) -> ChunkDone:
        """One part of a step."""
        self.during(name)
        with self.lock:
            self.may_open(f"transfers.{name}")
            if self.paused:
                return ChunkDone(after=step.after, paused=True)
            if self.stops.get(name):
                return ChunkDone(after=None, stopped=self.stops[name].pop(0))
            self.rows[f"{name}/{step.side}/{step.wave or ''}/{step.after}"] = 1
            number = int(step.after or 0) + 1
            return ChunkDone(after=str(number) if number < self.parts.get(name, 1) else None)

    def count(self, name: str) -> OpenRecords:
        with self.lock:
            waiting = self.open_records.get(name, [])
            return OpenRecords(count=waiting[0] if waiting else 0)

    def rollback(self) -> FakeRollback | None:
        return next((each for each in self.rollbacks if each.state in ("PROPOSED", "CONFIRMED")), None)


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
        block = RuleBlock(rule_id="PIPL-8", result="FAIL", verdict_id="vrd_1")
        return GateAnswer(gate_key=key, rule_set_version="test", blocks=(block,) if blocks else ())

    @activity.defn(name="tasks.open_task", no_thread_cancel_exception=True)
    def open_task(self, input: OpenTaskInput) -> OpenTask:
        with self.world.lock:
            if all(task.task_no != input.task_no for task in self.world.tasks):
                self.world.tasks.append(input)
        approvals = [each for each in self.world.decided.values() if each.outcome == Outcome.APPROVE]
        barred = (MAKER, *(SELLER for _ in approvals[:1])) if input.task_type == TaskType.TRANSFER_PLAN_APPROVAL else ()
        return OpenTask(
            task_no=input.task_no,
            task_type=input.task_type,
            shown_hash=f"shown-{input.task_no}",
            excluded_persons=barred,
            blocked=input.blocked,
        )

    @activity.defn(name="tasks.close_tasks", no_thread_cancel_exception=True)
    def close_tasks(self, input: CloseTasksInput) -> Done:
        return Done()

    @activity.defn(name="tasks.cancel_task", no_thread_cancel_exception=True)
    def cancel_task(self, input: CancelTaskInput) -> Done:
        with self.world.lock:
            if input.task_no not in self.world.cancelled_tasks:
                self.world.cancelled_tasks.append(input.task_no)
        return Done()

    @activity.defn(name="platform.record_stage", no_thread_cancel_exception=True)
    def record_stage(self, input: RecordStageInput) -> Done:
        return Done()


@dataclass
class FakeJob(JobPort):
    world: World

    @activity.defn(name="transfers.read_job", no_thread_cancel_exception=True)
    def read_job(self, input: JobStep) -> JobRead:
        return replace(self.world.read, at_s=int(time.time()))

    @activity.defn(name="transfers.enter_stage", no_thread_cancel_exception=True)
    def enter_stage(self, input: EnterStage) -> Done:
        with self.world.lock:
            if not self.world.stages or self.world.stages[-1] != input.stage:
                self.world.stages.append(input.stage)
        return Done()

    @activity.defn(name="transfers.wanted", no_thread_cancel_exception=True)
    def wanted(self, input: JobStep) -> JobWanted:
        time.sleep(self.world.slow_s)
        with self.world.lock:
            wanted = self.world.rollback()
            wave = self.world.waves.get(wanted.wave) if wanted is not None else None
            return JobWanted(
                paused=self.world.paused,
                cancelled=self.world.cancelled,
                moved=self.world.moved,
                rollback=wanted.id if wanted is not None else None,
                rollback_wave=wanted.wave if wanted is not None else 0,
                rollback_attempt=wave.attempt if wave is not None else 0,
                rollback_confirmed=wanted is not None and wanted.state == "CONFIRMED",
                trained=self.world.trained,
            )

    @activity.defn(name="transfers.waves_standing", no_thread_cancel_exception=True)
    def waves_standing(self, input: JobStep) -> WavesStanding:
        with self.world.lock:
            return self._standing()

    def _standing(self) -> WavesStanding:
        waves = sorted(self.world.waves.items())
        stopped = next(((n, w) for n, w in waves if w.state in (WaveState.STOPPED, WaveState.UNDONE)), None)
        changed = [(n, w) for n, w in waves if w.state in (WaveState.MOVED, WaveState.STOPPED, WaveState.UNDOING)]
        return WavesStanding(
            planned=tuple(WaveRef(number=n, attempt=w.attempt) for n, w in waves if w.state is WaveState.PLANNED)[:20],
            moving=sum(1 for _, w in waves if w.state is WaveState.MOVING),
            moved=sum(1 for _, w in waves if w.state is WaveState.MOVED),
            stopped=WaveRef(number=stopped[0], attempt=stopped[1].attempt) if stopped else None,
            stopped_state=stopped[1].state if stopped else "",
            stopped_code=stopped[1].code if stopped else None,
            last_changed=WaveRef(number=changed[-1][0], attempt=changed[-1][1].attempt) if changed else None,
        )

    @activity.defn(name="transfers.halt_wave", no_thread_cancel_exception=True)
    def halt_wave(self, input: WaveHalted) -> Done:
        with self.world.lock:
            wave = self.world.waves[input.wave]
            wave.state, wave.code = WaveState.STOPPED, input.code
        return Done()

    @activity.defn(name="transfers.apply_decision", no_thread_cancel_exception=True)
    def apply_decision(self, input: ApplyJobDecision) -> Done:
        with self.world.lock:
            if input.decision_id not in self.world.decided:
                self.world.decided[input.decision_id] = input
                self._apply(input)
        return Done()

    def _apply(self, input: ApplyJobDecision) -> None:
        world, outcome = self.world, Outcome(input.outcome)
        if input.rollback is not None:
            asked = next(each for each in world.rollbacks if each.id == input.rollback)
            asked.state = "CONFIRMED" if outcome is Outcome.CONFIRM else "REJECTED"
        elif outcome is Outcome.RUN_ON:
            wave = world.waves[input.wave]
            undone = wave.state is WaveState.UNDONE
            wave.state = WaveState.PLANNED if undone or not wave.begun else WaveState.MOVING
            wave.attempt, wave.code = wave.attempt + undone, None
        elif outcome in (Outcome.UNDO_WAVE, Outcome.UNDO_JOB):
            number = input.wave if outcome is Outcome.UNDO_WAVE else 0
            world.rollbacks.append(FakeRollback(id=f"trb_{input.decision_id}", wave=number, state="CONFIRMED"))
        held = world.rollback()
        if held is not None and held.state == "CONFIRMED" and not held.wave:
            world.paused = True

    @activity.defn(name="transfers.settle_rollback", no_thread_cancel_exception=True)
    def settle_rollback(self, input: RollbackSettled) -> Done:
        with self.world.lock:
            next(each for each in self.world.rollbacks if each.id == input.rollback).state = "DONE"
            self.world.paused = False
        return Done()

    @activity.defn(name="transfers.end_job", no_thread_cancel_exception=True)
    def end_job(self, input: EndJob) -> Done:
        with self.world.lock:
            self.world.ended = self.world.ended or input
        return Done()


@dataclass
class FakeBackup(BackupPort):
    world: World

    @activity.defn(name="transfers.snapshot", no_thread_cancel_exception=True)
    def snapshot(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("snapshot", input)

    @activity.defn(name="transfers.prove_backup", no_thread_cancel_exception=True)
    def prove_backup(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("prove_backup", input)


@dataclass
class FakeCollect(CollectPort):
    world: World

    @activity.defn(name="transfers.collect", no_thread_cancel_exception=True)
    def collect(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("collect", input)

    @activity.defn(name="transfers.verify_rows", no_thread_cancel_exception=True)
    def verify_rows(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("verify_rows", input)

    @activity.defn(name="transfers.quarantined", no_thread_cancel_exception=True)
    def quarantined(self, input: JobStep) -> OpenRecords:
        return self.world.count("quarantined")

    @activity.defn(name="transfers.quality_report", no_thread_cancel_exception=True)
    def quality_report(self, input: JobStep) -> Done:
        self.world.may_open("transfers.quality_report")
        return Done()


@dataclass
class FakeMatch(MatchPort):
    world: World

    @activity.defn(name="transfers.make_tokens", no_thread_cancel_exception=True)
    def make_tokens(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("make_tokens", input)

    @activity.defn(name="transfers.match", no_thread_cancel_exception=True)
    def match(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("match", input)

    @activity.defn(name="transfers.unreviewed", no_thread_cancel_exception=True)
    def unreviewed(self, input: JobStep) -> OpenRecords:
        return self.world.count("unreviewed")

    @activity.defn(name="transfers.destroy_linkage", no_thread_cancel_exception=True)
    def destroy_linkage(self, input: JobStep) -> Done:
        self.world.linkage_destroyed = True
        return Done()


@dataclass
class FakeWaves(WavePort):
    world: World

    @activity.defn(name="transfers.plan_waves", no_thread_cancel_exception=True)
    def plan_waves(self, input: JobStep) -> WavesPlanned:
        return WavesPlanned(waves=len(self.world.waves))

    @activity.defn(name="transfers.begin_wave", no_thread_cancel_exception=True)
    def begin_wave(self, input: ChunkStep) -> WaveMeasured:
        with self.world.lock:
            wave = self.world.waves[input.wave]
            wave.begun += 1
            wave.state = WaveState.MOVING
            moving = sum(1 for each in self.world.waves.values() if each.state is WaveState.MOVING)
            self.world.most_moving = max(self.world.most_moving, moving)
        return WaveMeasured(state=WaveState.MOVING)

    @activity.defn(name="transfers.move_rows", no_thread_cancel_exception=True)
    def move_rows(self, input: ChunkStep) -> ChunkDone:
        with self.world.lock:
            if self.world.paused:
                return ChunkDone(after=input.after, paused=True)
            self.world.may_open("transfers.move_rows")
            wave = self.world.waves[input.wave]
            if wave.state is WaveState.PLANNED:
                return ChunkDone(after=None, stopped="wave-not-moving")
            if self.world.wave_stops.get(input.wave):
                return ChunkDone(after=None, stopped=self.world.wave_stops[input.wave].pop(0))
            wave.moved.add(f"{input.attempt}/{input.after}")
            number = int(input.after or 0) + 1
            return ChunkDone(after=str(number) if number < wave.parts else None)

    @activity.defn(name="transfers.end_wave", no_thread_cancel_exception=True)
    def end_wave(self, input: ChunkStep) -> WaveMeasured:
        with self.world.lock:
            self.world.waves[input.wave].state = WaveState.MOVED
        return WaveMeasured(state=WaveState.MOVED)

    @activity.defn(name="transfers.undo_rows", no_thread_cancel_exception=True)
    def undo_rows(self, input: ChunkStep) -> ChunkDone:
        with self.world.lock:
            self.world.waves[input.wave].state = WaveState.UNDOING
        return ChunkDone(after=None)

    @activity.defn(name="transfers.end_undo", no_thread_cancel_exception=True)
    def end_undo(self, input: ChunkStep) -> WaveMeasured:
        with self.world.lock:
            equal = self.world.roots_equal.pop(0) if self.world.roots_equal else True
            wave = self.world.waves[input.wave]
            if equal:
                wave.state = WaveState.UNDONE
                wave.moved.clear()
                if (input.wave, input.attempt) not in self.world.undone:
                    self.world.undone.append((input.wave, input.attempt))
        return WaveMeasured(state=wave.state, root_equal=equal)

    @activity.defn(name="transfers.reconcile", no_thread_cancel_exception=True)
    def reconcile(self, input: JobStep) -> ChunkDone:
        return self.world.part("reconcile", ChunkStep(job=input.job))

    @activity.defn(name="transfers.hand_downstream", no_thread_cancel_exception=True)
    def hand_downstream(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("hand_downstream", input)


@dataclass
class FakeNotices(NoticePort):
    world: World

    @activity.defn(name="transfers.plan_notices", no_thread_cancel_exception=True)
    def plan_notices(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("plan_notices", input)

    @activity.defn(name="transfers.send_notices", no_thread_cancel_exception=True)
    def send_notices(self, input: ChunkStep) -> ChunkDone:
        return self.world.part("send_notices", input)

    @activity.defn(name="transfers.notices_left", no_thread_cancel_exception=True)
    def notices_left(self, input: JobStep) -> NoticesLeft:
        with self.world.lock:
            if self.world.published or not self.world.left:
                return NoticesLeft(left=0)
            return self.world.left.pop(0) if len(self.world.left) > 1 else self.world.left[0]

    @activity.defn(name="transfers.publish_notice", no_thread_cancel_exception=True)
    def publish_notice(self, input: JobStep) -> Done:
        self.world.published = 1
        return Done()

    @activity.defn(name="transfers.follow_ups_open", no_thread_cancel_exception=True)
    def follow_ups_open(self, input: JobStep) -> OpenRecords:
        return self.world.count("follow_ups_open")


@dataclass
class FakeReport(ReportPort):
    world: World

    @activity.defn(name="transfers.write_report", no_thread_cancel_exception=True)
    def write_report(self, input: JobStep) -> Done:
        self.world.may_open("transfers.write_report")
        return Done()

    @activity.defn(name="transfers.may_close", no_thread_cancel_exception=True)
    def may_close(self, input: JobStep) -> CloseAnswer:
        with self.world.lock:
            lacks = self.world.lacks.pop(0) if self.world.lacks else ()
        return CloseAnswer(may_close=not lacks, lacks=lacks)
