"""How many days may lie between what was asked and what was booked, as versioned data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from models.domain.daily import ANSWER_DAYS

BankDays = Callable[[date], bool]
"""Whether banks work on a day. Raises `LookupError` for a day whose calendar nobody has announced."""

_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tolerance:
    """Banking days (银行工作日), both ends included.

    Attributes:
        version: under which a report names it.
        settles_within: from the request of a debit to the bank's value date.
        booked_within: from the bank's value date to our booking, or the other way where runs had been missed.
    """

    version: str
    settles_within: int
    booked_within: int


DEFAULT_TOLERANCE: Final = Tolerance(version="2026-11", settles_within=2, booked_within=5)


def last_day(first: date, days: int, *, is_bank_day: BankDays) -> date:
    """The day that lies `days` banking days after the first.

    Where the calendar is not announced, the longest holiday is granted instead: nobody is accused on a guess.
    """
    day, left = first, days
    try:
        while left:
            day += _ONE_DAY
            left -= is_bank_day(day)
    except LookupError:
        return first + timedelta(days=days + ANSWER_DAYS)
    return day
