"""Payloads of the daily run (日终): a tenant and dates, nothing else. Dates are spelt YYYY-MM-DD."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyRunInput:
    """Run one business date of one tenant."""

    tenant: str
    business_date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CatchUpInput:
    """Run every open business date of the tenant up to and with `until`, the earliest first."""

    tenant: str
    until: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DayStepInput:
    """A step of one business date."""

    tenant: str
    business_date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DayBegun:
    """Whether there is anything to run: not if this date was closed before."""

    is_open: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class StepFailedInput:
    """A whole step could not be done; it is kept in the exception queue and tried again."""

    tenant: str
    business_date: str
    step: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NextDay:
    """The business date that is to be run next; None when the tenant's books stand beyond the wanted date.

    Attributes:
        count: how many dates are to be run from this one on, at most a month of them.
    """

    business_date: str | None
    count: int = 1
