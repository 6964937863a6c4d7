"""Payloads of the transfers area (公司转让后的客户信息变更). Tokens, counts and codes; nothing of a customer."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class JobStep:
    """One step of a job."""

    job: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkStep:
    """The next part of a step that walks over many rows or records, from behind `after` on.

    Attributes:
        after: as the part before it gave it; empty at the beginning.
        side: whose book, where the step is about one (`models.domain.transfers.states.Side`).
        wave: which wave, where the step is about one.
        attempt: of that wave.
    """

    job: str
    after: str = ""
    side: str = ""
    wave: int = 0
    attempt: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkDone:
    """How a part ended.

    Attributes:
        after: where the next part begins; None when the step is done.
        paused: a person has paused the job; nothing was done.
        stopped: the step ended itself, by a code (the error budget is spent, a proof failed).
    """

    after: str | None
    paused: bool = False
    stopped: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenRecords:
    """How many record tasks of a step still wait for a person."""

    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WavesPlanned:
    """How many waves there are; their rows stand in the records."""

    waves: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WaveMeasured:
    """A wave as the records have it (`models.domain.transfers.states.WaveState`)."""

    state: str
    root_equal: bool = True  # after an undo: the book has the root that it had before the wave


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticesLeft:
    """What of the notices is not settled.

    Attributes:
        left: customers without a final state.
        due_in_s: seconds until the next of them can be tried; None: only receipts are waited for.
    """

    left: int
    due_in_s: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseAnswer:
    """Whether a job may be closed; if not, why, by codes."""

    may_close: bool
    lacks: tuple[str, ...] = ()
