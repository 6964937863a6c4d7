"""Payloads of standing plans of batches (批量排期). Tokens, dates and codes."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedDate:
    """A date (ISO) of a plan."""

    plan: str
    on: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedWait:
    """What one run of a date's workflow hands to the next while its batch has not left the house."""

    on: str
    looks: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedRun:
    """What stands for a date.

    Attributes:
        run: of the batch; None: there is none.
        left_out: why not, for good (`models.domain.batches.plans.LeftOut`).
        under_way: something is still to come: the business date, or the run's last file. Until then it holds the plan.
    """

    run: str | None = None
    left_out: str | None = None
    under_way: bool = False
