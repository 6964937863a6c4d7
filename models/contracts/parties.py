"""Payloads of the parties area: sealing again under other keys. Tokens, counts and states; nothing of a person."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealInput:
    """Carry out one confirmed change of suite, from the start or from where the run before this one left off.

    Attributes:
        sealing: the keys are published and active; subjects are being worked through.
        passes: over all subjects, from 1.
        after: the last subject of this pass that was worked through.
        left: subjects of this pass so far whose old keys could not go yet.
        steps_a_run: after how many steps over subjects it goes on as a new run.
    """

    tenant: str
    change: str
    sealing: bool = False
    passes: int = 1
    after: str = ""
    left: int = 0
    steps_a_run: int = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealStep:
    """One step of a change."""

    tenant: str
    change: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealBegun:
    """What there is to do.

    Attributes:
        is_open: not if the change was carried out before.
        whole_tenant: everything of the tenant; otherwise one person's.
        rest_s: seconds for which another process may still use keys that it has in memory.
    """

    is_open: bool
    whole_tenant: bool = True
    rest_s: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectsStep:
    """The next subjects, from behind `after` on, in one of the passes over them."""

    tenant: str
    change: str
    number: int
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectsDone:
    """How a step over subjects ended.

    Attributes:
        after: where the next step begins; None at the end of the pass.
        left: of these subjects, those whose old keys cannot go yet.
        wait: a person has paused or cancelled the change; these subjects were not touched.
    """

    after: str | None
    left: int = 0
    wait: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealWanted:
    """What people want of a change that waits."""

    goes_on: bool
    is_cancelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealScanned:
    """Whether the scan found nothing but the new suite, or new key."""

    is_clean: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealFailed:
    """A whole step could not be done; it is recorded and tried again."""

    tenant: str
    change: str
    step: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResealProgress:
    """How far a run is, as the workflow knows it; the figures stand in the change's record."""

    sealing: bool
    passes: int
    after: str
    waits: bool
