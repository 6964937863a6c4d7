"""Unit-periods of Regulation Z, Appendix J (b)(3) to (b)(5): in which period time runs, and how much of it has passed.

Standard intervals are a day, a week, a half month, a month, and multiples of weeks or months up to a year. The
unit-period is the interval that occurs most often, the shorter of equals; if none occurs twice, the standard interval
nearest to the average of all.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from enum import StrEnum
from itertools import pairwise
from typing import Final

from models.domain.rates.calendars import is_month_end, months_before, whole_months
from models.domain.rates.solving import WORKING_DIGITS

_WEEK: Final = 7
_HALF_MONTH: Final = 15
_MONTH: Final = 30
_YEAR_MONTHS: Final = 12
_YEAR_WEEKS: Final = 52
_YEAR_DAYS: Final = 365


class Kind(StrEnum):
    """What a unit-period is a multiple of."""

    DAY = "day"
    WEEK = "week"
    HALF_MONTH = "half-month"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitPeriod:
    """So many days, weeks, half months (always one) or months."""

    kind: Kind
    count: int = 1

    @property
    def a_year(self) -> Decimal:
        """Unit-periods in a year."""
        with localcontext(Context(prec=WORKING_DIGITS)):
            in_year = {
                Kind.DAY: _YEAR_DAYS,
                Kind.WEEK: _YEAR_WEEKS,
                Kind.HALF_MONTH: 2 * _YEAR_MONTHS,
                Kind.MONTH: _YEAR_MONTHS,
            }
            return Decimal(in_year[self.kind]) / self.count

    @property
    def length(self) -> Decimal:
        """Days, with all months equal; orders unit-periods by size."""
        with localcontext(Context(prec=WORKING_DIGITS)):
            return Decimal(_YEAR_DAYS) / self.a_year


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Time between two days: full unit-periods and an odd part of one, on which interest is simple."""

    full: int
    odd: Decimal


_YEAR: Final = UnitPeriod(kind=Kind.MONTH, count=_YEAR_MONTHS)


def unit_period_of(*, advances: Sequence[date], payments: Sequence[date]) -> UnitPeriod:
    """The unit-period of a transaction with more than one advance or payment; days in order, each once.

    Periods are those between advances, between payments, and from the beginning of the term to the first of the others.
    """
    due_day = max(day.day for day in payments)
    if _is_semimonthly(payments):
        return UnitPeriod(kind=Kind.HALF_MONTH)
    start = min(advances[0], payments[0])
    openings = [(start, days[0]) for days in (advances, payments) if days[0] > start]
    gaps = [*openings, *pairwise(advances), *pairwise(payments)]
    found = Counter(_common(one, two, due_day) for one, two in gaps)
    often = {unit: times for unit, times in found.items() if times > 1}
    if often:
        most = max(often.values())
        shortest = min((unit for unit, times in often.items() if times == most), key=lambda unit: unit.length)
        return min(shortest, _YEAR, key=lambda unit: unit.length)
    with localcontext(Context(prec=WORKING_DIGITS)):
        average = Decimal(sum((two - one).days for one, two in gaps)) / len(gaps)
    return _nearest(average)


def span_between(start: date, end: date, *, unit: UnitPeriod, due_day: int | None = None) -> Span:
    """Unit-periods from `start` to `end`, counted back from `end`.

    `due_day` is the day of the month on which payments fall, for ends of short months.
    """
    with localcontext(Context(prec=WORKING_DIGITS)):
        if unit.kind in (Kind.DAY, Kind.WEEK):
            length = unit.count * (_WEEK if unit.kind is Kind.WEEK else 1)
            full, days = divmod((end - start).days, length)
            return Span(full=full, odd=Decimal(days) / length)
        stands_for = due_day if due_day is not None and is_month_end(end) and due_day > end.day else None
        months, days = whole_months(start, end, due_day=stands_for)
        if unit.kind is Kind.HALF_MONTH:
            half, days = divmod(days, _HALF_MONTH)
            return Span(full=2 * months + half, odd=Decimal(days) / _HALF_MONTH)
        full, rest = divmod(months, unit.count)
        if unit == _YEAR and days:
            left = (months_before(end, full * unit.count, due_day=stands_for) - start).days
            return Span(full=full, odd=Decimal(left) / _YEAR_DAYS)
        return Span(full=full, odd=Decimal(_MONTH * rest + days) / (_MONTH * unit.count))


def _common(one: date, two: date, due_day: int) -> UnitPeriod:
    """The interval of two days as months where it is whole months, else weeks, else days."""
    stands_for = due_day if is_month_end(two) and due_day > two.day else None
    months, days = whole_months(one, two, due_day=stands_for)
    if months and (not days or _same_due_day(one, two, due_day)):
        return UnitPeriod(kind=Kind.MONTH, count=months + (1 if days else 0))
    length = (two - one).days
    if length % _WEEK == 0:
        return UnitPeriod(kind=Kind.WEEK, count=length // _WEEK)
    return UnitPeriod(kind=Kind.DAY, count=length)


def _same_due_day(one: date, two: date, due_day: int) -> bool:
    """Whether both stand for the due day, the one in a short month by its end."""
    return all(day.day == due_day or (is_month_end(day) and day.day < due_day) for day in (one, two))


def _is_semimonthly(days: Sequence[date]) -> bool:
    """Every second payment a month apart, and the one between neither: 1st and 16th, 15th and last."""
    due = [max(day.day for day in days[k::2]) for k in (0, 1)] if len(days) > 2 else []  # noqa: PLR2004  a pair and more
    if not due or due[0] == due[1]:
        return False
    return all(
        (two.year - one.year) * _YEAR_MONTHS + two.month - one.month == 1 and _same_due_day(one, two, due[k % 2])
        for k, (one, two) in enumerate(zip(days, days[2:], strict=False))
    )


def _nearest(days: Decimal) -> UnitPeriod:
    """The standard interval nearest to so many days; the shorter of two equally near, and never above a year."""
    standards = [
        UnitPeriod(kind=Kind.DAY),
        UnitPeriod(kind=Kind.HALF_MONTH),
        *(UnitPeriod(kind=Kind.WEEK, count=count) for count in range(1, _YEAR_WEEKS)),
        *(UnitPeriod(kind=Kind.MONTH, count=count) for count in range(1, _YEAR_MONTHS + 1)),
    ]
    return min(standards, key=lambda unit: (abs(unit.length - days), unit.length))
