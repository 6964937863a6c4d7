"""Day counts of servicing as whole numbers: each rule numbers the days, so that the parts of a span add up to it.

A span from `a` to `b` is `position(b) - position(a)` parts of a year of `parts_per_year` parts. A tail that is
recomputed cuts spans in other places than the first run did; with numbered days that changes nothing. Two rules of
`models.domain.schedules.day_count` do not add up by themselves and are numbered by their nearest kin, which can differ
by a day at a 31st or in a leap year: 30-360-us as 30-360-eu, act-act-leap as act-act. Interest of a row as signed is
not touched by this; only a period that ends early is reckoned here.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from models.domain.schedules.day_count import DayCount

_COMMON_YEAR: Final = 365
_LEAP_YEAR: Final = 366
_ACTUAL: Final = _COMMON_YEAR * _LEAP_YEAR


def _thirty(day: date) -> int:
    return 360 * day.year + 30 * day.month + min(day.day, 30)


def _actual(day: date) -> int:
    # One day is 1/365 of a common and 1/366 of a leap year; parts of 1/(365 × 366) keep both whole, and each year long.
    leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    in_year = day.timetuple().tm_yday - 1
    return day.year * _ACTUAL + in_year * (_COMMON_YEAR if leap else _LEAP_YEAR)


def _actual_last(day: date) -> int:
    return _actual(day + timedelta(days=1))


_RULES: Final[dict[DayCount, tuple[Callable[[date], int], int]]] = {
    DayCount.THIRTY_360_US: (_thirty, 360),
    DayCount.THIRTY_360_EU: (_thirty, 360),
    DayCount.ACT_360: (date.toordinal, 360),
    DayCount.ACT_364: (date.toordinal, 364),
    DayCount.ACT_365F: (date.toordinal, _COMMON_YEAR),
    DayCount.ACT_ACT: (_actual, _ACTUAL),
    DayCount.ACT_ACT_LEAP: (_actual, _ACTUAL),
    DayCount.ACT_ACT_LAST: (_actual_last, _ACTUAL),
}


def position(day_count: DayCount) -> Callable[[date], int]:
    """The function that numbers days under this rule."""
    return _RULES[day_count][0]


def parts_per_year(day_count: DayCount) -> int:
    """How many numbered parts a year has under this rule."""
    return _RULES[day_count][1]


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of two numbers that are not negative, rounded half up to a whole minor unit."""
    return (2 * numerator + denominator) // (2 * denominator)


def ratio(rate: Decimal) -> tuple[int, int]:
    """A rate as an exact fraction, numerator and denominator."""
    return rate.as_integer_ratio()
