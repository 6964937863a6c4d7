"""Payloads of a transfer job's own workflow: how it begins, what it asks of its records, what people want of it."""

from dataclasses import dataclass

from models.contracts.platform import Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCarried:
    """What a run hands to the next.

    Attributes:
        done: steps of the present stage that are done, by name; there are at most some twenty in a stage.
        step, after: the step that walks over many rows, and how far it has come.
    """

    stage: str
    seq: int
    task_no: int
    rounds: dict[str, int]  # how often the job came to each gate; how long it has waited for receipts
    applied: dict[str, str]  # decision id -> fingerprint
    done: tuple[str, ...] = ()
    step: str = ""
    after: str = ""
    return_reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobInput:
    """Start, or go on with, one job."""

    job: str
    carried: JobCarried | None = None
    events_per_run: int = 2_000  # about; continue as new above this, wherever the job stands


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """How the job ended (`models.domain.transfers.states.JobOutcome`)."""

    job: str
    outcome: str
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRead:
    """What of the job's records decides which way it goes.

    Attributes:
        sides: whose books are backed up and compared: the target's, and the source's where it has one here.
        abroad: the recipient is abroad (class G).
        claims: claims, debts or contracts are moved with the persons.
        consent_first: nobody is moved before they have consented.
        tells: the gate about notices is asked; where the institution stays the same person (class B) it has none.
        receipt_wait_s: how long receipts are waited for before the public notice is published.
        waves_at_once: at most twenty.
        at_s: when this was read, in seconds since 1970 by the clock of the records.
    """

    sides: tuple[str, ...]
    abroad: bool
    claims: bool
    consent_first: bool
    tells: bool
    receipt_wait_s: int
    waves_at_once: int
    at_s: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EnterStage:
    """The job has come to a stage (`models.domain.transfers.states.JobStage`)."""

    job: str
    stage: str
    fence: Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class EndJob:
    """The job has ended without a decision on a task."""

    job: str
    fence: Fence
    outcome: str
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobWanted:
    """What people want of the job.

    Attributes:
        cancelled: somebody has asked for its end, and nothing has moved.
        moved: rows have been moved; it can only be rolled back.
        rollback: the oldest request that waits for its second person, or that was confirmed and is not done.
        rollback_wave: 0: the whole job.
        trained: the sponsor's training grant holds; without it the job's steps open nothing (培训准入).
    """

    paused: bool
    cancelled: bool
    moved: bool
    rollback: str | None = None
    rollback_wave: int = 0
    rollback_attempt: int = 0
    rollback_confirmed: bool = False
    trained: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class WaveRef:
    """A wave, and which attempt at it."""

    number: int
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WavesStanding:
    """The waves as the records have them.

    Attributes:
        planned: the next to begin, at most twenty.
        moving, moved: how many.
        stopped: the first that waits for a person: it has stopped, or was undone.
        stopped_code: why.
        last_changed: the last one that has changed something of the target's book and is not undone.
    """

    planned: tuple[WaveRef, ...]
    moving: int
    moved: int
    stopped: WaveRef | None = None
    stopped_state: str = ""
    stopped_code: str | None = None
    last_changed: WaveRef | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class WaveInput:
    """Move one wave. `begun`: it goes on where it stopped, under a new error budget."""

    job: str
    wave: int
    attempt: int
    begun: bool = False
    after: str = ""
    events_per_run: int = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class WaveHalted:
    """A wave stands still and a person decides: its budget is spent, a step of it was refused, or it is held."""

    job: str
    wave: int
    attempt: int
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ApplyJobDecision:
    """Write what a decision on one of the job's tasks changes, in one transaction."""

    workflow_id: str
    job: str
    decision_id: str
    fence: Fence
    task_no: int
    task_type: str
    outcome: str
    next_stage: str
    job_outcome: str | None = None
    reason_code: str | None = None
    wave: int = 0  # the wave that the task is about
    rollback: str | None = None  # the request that the task is about


@dataclass(frozen=True, kw_only=True, slots=True)
class RollbackSettled:
    """A rollback is done: the wave, or every wave, is as it was before."""

    job: str
    rollback: str
