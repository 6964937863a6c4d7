"""Payloads of the platform steps: runs, gates, tasks. Frozen; they only grow, and a new field has a default."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterRunInput:
    """A run that begins.

    Attributes:
        first: nothing before it belongs to it: it neither continues another run nor repeats one from some point on.
    """

    workflow_id: str
    run_id: str
    first: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRegistered:
    """The run's epoch: a serial per workflow that only grows. Writes of an older epoch are no-ops.

    Attributes:
        outcome: what this was begun for has ended so before, by its record: there is nothing left to do.
        reason_code: why.
    """

    epoch: int
    outcome: str | None = None
    reason_code: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fence:
    """What orders a workflow's writes: a write is done only if `(epoch, seq)` lies above the row's."""

    epoch: int
    seq: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleBlock:
    """A rule that blocks a step, as the workflow needs to know it."""

    rule_id: str
    result: str
    verdict_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluateGateInput:
    """Ask the rules of a gate about a case. `round` counts how often the case has come to this gate."""

    case_token: str
    gate: str
    round: int


@dataclass(frozen=True, kw_only=True, slots=True)
class GateAnswer:
    """The stored verdicts of a gate. It is open when `blocks` is empty."""

    gate_key: str
    rule_set_version: str
    blocks: tuple[RuleBlock, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BlockedOutcome:
    """An outcome that a rule bars on a task."""

    outcome: str
    rule_id: str
    verdict_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTaskInput:
    """Open step task `task_no` of a workflow. The facts it shows are read by the activity, not sent."""

    workflow_id: str
    case_token: str
    task_no: int
    task_type: str
    fence: Fence
    blocked: tuple[BlockedOutcome, ...] = ()
    return_reason: str | None = None
    incident_step: str | None = None  # the activity that gave up, for incident tasks
    incident_code: str | None = None
    incident_choice: str | None = None  # what is to be confirmed


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTask:
    """A task as the workflow knows it; enough to write the row again.

    Attributes:
        step, code, choice: what it is about, as `OpenTaskInput` says it.
    """

    task_no: int
    task_type: str
    shown_hash: str
    excluded_persons: tuple[str, ...] = ()
    blocked: tuple[BlockedOutcome, ...] = ()
    step: str | None = None
    code: str | None = None
    choice: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseTasksInput:
    """Close whatever is open of a workflow that ends without a decision (cancelled, given up)."""

    workflow_id: str
    case_token: str
    fence: Fence
    outcome: str
    reason_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordStageInput:
    """Write where the case stands, when no decision brought it there. Nothing of its is open in the inbox."""

    workflow_id: str
    case_token: str
    fence: Fence
    stage: str
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelTaskInput:
    """The open task has no meaning any more: what it asked about has settled itself."""

    workflow_id: str
    case_token: str
    task_no: int
    fence: Fence


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The step is done."""
