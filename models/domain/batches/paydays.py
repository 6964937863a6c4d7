"""When wages are paid, and when one wage is too long ago (发薪日). Pure.

工资支付暂行规定 Art. 7 (WAGE-P7): on the agreed day; on a holiday or rest day, on the nearest working day before it; at
least once a month. 保障农民工工资支付条例 Art. 14 (WAGE-14) says the same of migrant workers.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from models.domain.servicing.retry_policy import WorkingDay, day_in_month

_LONGEST_HOLIDAY: Final = 31
RULE: Final = "WAGE-P7"


@dataclass(frozen=True, kw_only=True, slots=True)
class Payday:
    """The day of one month's wages: as agreed, and on which bank day the money has to be there."""

    agreed: date
    on: date

    @property
    def moved(self) -> bool:
        """Whether it was moved before a holiday or rest day; `WAGE-P7` says so."""
        return self.on != self.agreed


def payday(year: int, month: int, agreed_day: int, is_bank_day: WorkingDay) -> Payday:
    """The payday of a month.

    Args:
        year: in which the agreed day lies; the bank day before it may lie in the month or year before.
        month: 1 to 12.
        agreed_day: 1 to 31; a shorter month has its last day.
        is_bank_day: of the tenant's calendar.

    Raises:
        ValueError: no day of a month, or the calendar knows no open day in a month.
        LookupError: nobody has announced the bank days of that year; nothing is moved by guess.
    """
    if not 1 <= agreed_day <= 31:  # noqa: PLR2004 - days of a month
        raise ValueError("a payday is 1 to 31")
    agreed = day_in_month(year, month, agreed_day)
    return Payday(agreed=agreed, on=bank_day_before(agreed, is_bank_day))


def bank_day_before(day: date, is_bank_day: WorkingDay) -> date:
    """The day itself if banks work on it, or the nearest one before it.

    Raises:
        ValueError: there is none within a month.
        LookupError: the calendar does not know the year.
    """
    for back in range(_LONGEST_HOLIDAY + 1):
        if is_bank_day(day - timedelta(days=back)):
            return day - timedelta(days=back)
    raise ValueError("no bank day within a month: the calendar is broken")


def months_between(earlier: date, later: date) -> int:
    """Months of the calendar from one payment to the next: of the next month, 1. WAGE-P7 allows no more."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month
