"""Payloads of a batch's own workflow (批量业务): how it begins, what it asks of its records, what people want of it."""

from dataclasses import dataclass

from models.contracts.platform import Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCarried:
    """What one run of the workflow hands to the next.

    Attributes:
        done: steps of the present stage that are done, by name.
        step, after: the step that walks over many rows, and how far it has come.
        next_chunk: the first chunk that was not begun yet; those before it are done.
        stopping: the run was cancelled after it had begun, and ends so.
        waits: how often it has looked for replies, so that its rests go on growing.
    """

    stage: str
    seq: int
    task_no: int
    rounds: dict[str, int]
    applied: dict[str, str]
    done: tuple[str, ...] = ()
    step: str = ""
    after: str = ""
    return_reason: str | None = None
    next_chunk: int = 0
    stopping: bool = False
    waits: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInput:
    """Start, or go on with, one run."""

    run: str
    carried: RunCarried | None = None
    events_per_run: int = 2_000  # about; continue as new above this, wherever the run stands


@dataclass(frozen=True, kw_only=True, slots=True)
class RunResult:
    """How the run ended (`models.domain.batches.states.RunOutcome`)."""

    run: str
    outcome: str
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStep:
    """One step of a run."""

    run: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRead:
    """What of the run's records decides which way it goes.

    Attributes:
        stages: which steps its kind has, in order (`models.domain.batches.kinds`).
        from_file: its rows come from an imported file; others come from the book.
        window: chunks under way at once.
        sends_files: orders leave in files to the bank, and are answered.
        has_retries: refused rows may be presented again.
        closes_itself: no person closes it where everything adds up.
    """

    stages: tuple[str, ...]
    from_file: bool
    window: int
    sends_files: bool
    has_retries: bool = False
    closes_itself: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RunWanted:
    """What people want of the run.

    Attributes:
        cancelled: somebody has asked for its end.
        moved: an order stands; the run can only be stopped, and what has left is reconciled.
    """

    paused: bool
    cancelled: bool
    moved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EnterRunStage:
    """The run has come to a stage (`models.domain.batches.states.RunStage`)."""

    run: str
    stage: str
    fence: Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class EndRun:
    """The run has ended without a decision on a task."""

    run: str
    fence: Fence
    outcome: str
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyRunDecision:
    """Write what a decision on one of the run's tasks changes, in one transaction."""

    workflow_id: str
    run: str
    decision_id: str
    fence: Fence
    task_no: int
    task_type: str
    outcome: str
    next_stage: str
    run_outcome: str | None = None
    reason_code: str | None = None
