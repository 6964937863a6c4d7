"""Whole months between two days, counted back from the later one, with the ends of months matched."""

from calendar import monthrange
from datetime import date
from typing import Final

_MONTHS: Final = 12


def months_before(day: date, months: int, *, due_day: int | None = None) -> date:
    """The same day so many months earlier; where that month is too short, its last day.

    `due_day` is the day of the month that `day` stands for, where it is not its own: 31 for a due date at the end of
    each month.
    """
    index = day.year * _MONTHS + day.month - 1 - months
    year, month = divmod(index, _MONTHS)
    return date(year, month + 1, min(due_day or day.day, monthrange(year, month + 1)[1]))


def is_month_end(day: date) -> bool:
    """Whether no later day of its month exists."""
    return day.day == monthrange(day.year, day.month)[1]


def whole_months(start: date, end: date, *, due_day: int | None = None) -> tuple[int, int]:
    """Months that fit between the days, counted back from `end`, and the days that remain at the beginning.

    Two ends of months are whole months apart, whatever their days: 31 December to 28 February is two months.
    """
    months = (end.year - start.year) * _MONTHS + end.month - start.month
    if is_month_end(start) and is_month_end(end) and months >= 0:
        return months, 0
    if months_before(end, months, due_day=due_day) < start:
        months -= 1
    return months, (months_before(end, months, due_day=due_day) - start).days
