"""Payloads of a batch's bulk steps. Tokens, counts, codes and minor units; nothing of a person."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PartStep:
    """The next part of a step that walks over many rows.

    Attributes:
        after: as the part before it gave it; empty at the beginning.
    """

    run: str
    after: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartDone:
    """How a part ended.

    Attributes:
        after: where the next part begins; None when the step is done.
        paused: a person has paused the run; nothing was done.
        stopped: the step ended itself, by a code.
        rows: handled by this part.
    """

    after: str | None
    paused: bool = False
    stopped: str | None = None
    rows: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordsLeft:
    """How many record tasks of a step still wait for a person."""

    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CohortFrozen:
    """The cohort as it stands from now on."""

    members: int
    excluded: int
    amount_minor: int
    cohort_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RulesBound:
    """The approved version of the rule set that the run is bound to.

    Attributes:
        version: empty: there is none in force; a person sees to it.
    """

    version: str
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """What the run would do (试运行), by the same code path with effects off."""

    orders: int
    barred: int
    amount_minor: int
    rehearsal_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunksPlanned:
    """Chunks are numbered from 1; their rows stand in the records."""

    chunks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkStep:
    """Execute one chunk."""

    run: str
    chunk: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ChunkDone:
    """How a chunk ended.

    Attributes:
        done: every row of it has an outcome. Otherwise it is asked again, under the same number.
        paused: a person has paused the run, or asked for its end; nothing more was done.
        stopped: a breaker has tripped (`failure-rate`, `amount-limit`); no chunk goes on until a person says so.
        due_in_s: the cut-off has passed, or today is no bank day: look again then.
        orders, barred, amount_minor: of this chunk; figures for the log, the records have their own.
    """

    chunk: int
    done: bool
    paused: bool = False
    stopped: str | None = None
    due_in_s: int | None = None
    orders: int = 0
    barred: int = 0
    amount_minor: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FilesSent:
    """What has left for the bank.

    Attributes:
        due_in_s: something waits for the next cut-off or bank day.
        stopped: as of a chunk.
    """

    files: int
    orders: int
    amount_minor: int
    due_in_s: int | None = None
    paused: bool = False
    stopped: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RepliesTaken:
    """How far the bank's answers have come.

    Attributes:
        open_orders: without an answer, or inside the term of late returns, or due to be presented again.
        due_in_s: when it is worth looking again; None: whoever moves the business date nudges.
        retries: orders that are to be made anew now.
        stopped: a breaker has tripped on the answers.
    """

    open_orders: int
    retries: int = 0
    due_in_s: int | None = None
    stopped: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """Whether every order has one end, and orders, files, ledger and statement agree to the cent.

    Attributes:
        differs: codes of what does not add up; empty: it does.
        waiting: record tasks (suspense, unmatched lines) that people still decide.
    """

    orders: int
    settled_minor: int
    differs: tuple[str, ...] = ()
    waiting: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RunClosable:
    """Whether the run may be closed; if not, why, by codes (`block.batch-<code>.title`)."""

    lacks: tuple[str, ...] = ()
