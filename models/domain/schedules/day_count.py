"""Day counts (计息天数): what part of a year lies between two dates, as days over the days of a year.

A period runs from `start` (included) to `end` (excluded), except where a rule says otherwise. Sources: 30/360 US and
30E/360 as in ISDA 2006 §4.16(f) and (g); the actual rules as in §4.16(b), (d), (e).
"""

import calendar
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

MONTHS_A_YEAR: Final = 12
_DAYS_30: Final = 30
_DAYS_31: Final = 31
_FEBRUARY: Final = 2


class DayCount(StrEnum):
    """How days become a part of a year."""

    THIRTY_360_US = "30-360-us"
    THIRTY_360_EU = "30-360-eu"
    ACT_360 = "act-360"
    ACT_365F = "act-365f"
    ACT_364 = "act-364"
    ACT_ACT = "act-act"  # each day by the length of its own year; the first day counts, the last does not
    ACT_ACT_LAST = "act-act-last"  # the same, but the last day counts and the first does not
    ACT_ACT_LEAP = "act-act-leap"  # over 366 if the period holds a 29 February, else over 365


def year_parts(start: date, end: date, *, day_count: DayCount) -> tuple[tuple[int, int], ...]:
    """Pairs (days, days of the year) whose quotients add up to the part of a year; empty if no day passes."""
    return _RULES[day_count](start, end)


def year_fraction(start: date, end: date, *, day_count: DayCount) -> Decimal:
    """The part of a year between two dates, in the precision of the present decimal context."""
    return sum((Decimal(days) / year for days, year in year_parts(start, end, day_count=day_count)), Decimal(0))


def nominal_year(day_count: DayCount) -> int:
    """The year that a week or a day is a part of where interest is reckoned by the period."""
    return _NOMINAL.get(day_count, 365)


def _thirty_us(start: date, end: date) -> tuple[tuple[int, int], ...]:
    first, last = start.day, end.day
    if _ends_february(start):
        if _ends_february(end):
            last = _DAYS_30
        first = _DAYS_30
    if last == _DAYS_31 and first >= _DAYS_30:
        last = _DAYS_30
    return _thirty(start, end, first=min(first, _DAYS_30), last=last)


def _thirty_eu(start: date, end: date) -> tuple[tuple[int, int], ...]:
    return _thirty(start, end, first=min(start.day, _DAYS_30), last=min(end.day, _DAYS_30))


def _thirty(start: date, end: date, *, first: int, last: int) -> tuple[tuple[int, int], ...]:
    months = (end.year - start.year) * MONTHS_A_YEAR + end.month - start.month
    return ((months * _DAYS_30 + last - first, 360),)


def _ends_february(day: date) -> bool:
    return day.month == _FEBRUARY and day.day == calendar.monthrange(day.year, day.month)[1]


def _fixed(year: int) -> Callable[[date, date], tuple[tuple[int, int], ...]]:
    return lambda start, end: (((end - start).days, year),)


def _actual(start: date, end: date) -> tuple[tuple[int, int], ...]:
    parts = []
    day = start
    while day < end:
        stop = min(end, date(day.year + 1, 1, 1))
        parts.append(((stop - day).days, _length(day.year)))
        day = stop
    return tuple(parts)


def _actual_last(start: date, end: date) -> tuple[tuple[int, int], ...]:
    parts = []
    day = start
    while day < end:
        # A 31 December opens the next year: the day that it starts ends there.
        year = day.year + (day.month == MONTHS_A_YEAR and day.day == _DAYS_31)
        stop = min(end, date(year, 12, 31))
        parts.append(((stop - day).days, _length(year)))
        day = stop
    return tuple(parts)


def _actual_leap(start: date, end: date) -> tuple[tuple[int, int], ...]:
    leap = any(
        calendar.isleap(year) and start <= date(year, _FEBRUARY, 29) <= end for year in range(start.year, end.year + 1)
    )
    return (((end - start).days, 365 + leap),)


def _length(year: int) -> int:
    return 365 + calendar.isleap(year)


_RULES: Final[dict[DayCount, Callable[[date, date], tuple[tuple[int, int], ...]]]] = {
    DayCount.THIRTY_360_US: _thirty_us,
    DayCount.THIRTY_360_EU: _thirty_eu,
    DayCount.ACT_360: _fixed(360),
    DayCount.ACT_365F: _fixed(365),
    DayCount.ACT_364: _fixed(364),
    DayCount.ACT_ACT: _actual,
    DayCount.ACT_ACT_LAST: _actual_last,
    DayCount.ACT_ACT_LEAP: _actual_leap,
}
_NOMINAL: Final = {
    DayCount.THIRTY_360_US: 360,
    DayCount.THIRTY_360_EU: 360,
    DayCount.ACT_360: 360,
    DayCount.ACT_364: 364,
}
