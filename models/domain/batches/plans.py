"""Standing plans of batches (批量排期): on which dates a run of a kind is due by itself. Pure.

Which dates these are follows from the institution's bank days (银行工作日) alone. The clock only asks on every day:
Temporal knows no State Council, and nothing is begun by guess.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from models.domain.batches.kinds import BY_DAILY_RUN, KINDS, MemberSource
from models.domain.batches.states import RunStage
from models.domain.servicing.retry_policy import WorkingDay, day_in_month

LONGEST_BACKFILL: Final = 92  # days from first to last
# Kinds whose rows a run takes out of the book by a rule set; a file is sent by somebody, on the day on which there is
# one, and what is paid back somebody looks at.
STANDING_KINDS: Final = tuple(
    name
    for name, kind in KINDS.items()
    if MemberSource.BOOK in kind.sources and RunStage.RULES in kind.stages and name not in BY_DAILY_RUN
)
_LONGEST_HOLIDAY: Final = 31


class Rhythm(StrEnum):
    """On which dates."""

    BANK_DAYS = "bank-days"  # 每个银行工作日
    MONTH_DAY = "month-day"  # 每月固定日; the next bank day where it is none


class Overlap(StrEnum):
    """What becomes of a date that comes while an earlier run of the plan has not left the house."""

    SKIP = "skip"  # it is left out; its rows are due on the next date, too
    BUFFER_ONE = "buffer-one"  # it waits, and one at most does


class PlanState(StrEnum):
    """Where a plan stands."""

    PROPOSED = "proposed"  # waits for its second person
    ACTIVE = "active"
    REFUSED = "refused"
    RETIRED = "retired"


class LeftOut(StrEnum):
    """Why a date has no run."""

    NOT_DUE = "not-due"
    NOT_ACTIVE = "plan-not-active"
    NO_CALENDAR = "calendar-missing"  # nobody has announced that year's bank days
    REFUSED = "criteria-refused"  # the criteria do not hold on that date


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """When a plan is due.

    Attributes:
        month_day: 1 to 31, of `Rhythm.MONTH_DAY` alone; a shorter month has its last day.
    """

    rhythm: Rhythm
    month_day: int | None = None

    def __post_init__(self) -> None:
        """Refuse a day without its rhythm, and the other way round.

        Raises:
            ValueError: see above.
        """
        fits = self.month_day is None or 1 <= self.month_day <= 31  # noqa: PLR2004 - days of a month
        if (self.rhythm is Rhythm.MONTH_DAY) != (self.month_day is not None) or not fits:
            raise ValueError("a day of the month, 1 to 31, belongs to the rhythm month-day alone")


def is_due(calendar: Calendar, day: date, is_bank_day: WorkingDay) -> bool:
    """Whether a run is due on a date.

    Raises:
        LookupError: the bank days of a year that matters are not announced.
    """
    if not is_bank_day(day):
        return False
    if calendar.month_day is None:
        return True
    # Behind a holiday the date of the month before can fall into this one.
    before = day.replace(day=1) - timedelta(days=1)
    nominal = (day_in_month(each.year, each.month, calendar.month_day) for each in (before, day))
    return any(_moved(each, day, is_bank_day) for each in nominal)


def _moved(nominal: date, day: date, is_bank_day: WorkingDay) -> bool:
    """Whether `day`, a bank day, is the first one from `nominal` on."""
    between = (day - nominal).days
    if not 0 <= between <= _LONGEST_HOLIDAY:
        return False
    return not any(is_bank_day(nominal + timedelta(days=at)) for at in range(between))


def plan_key(plan: str, on: date) -> str:
    """By which a plan's run of a date is one run, whoever asks: the clock, a backfill, a repeated step."""
    return f"plan/{plan}/{on.isoformat()}"
