"""Due dates (还款日): steps of a period from a seed date, and what happens at the end of a month."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice
from typing import Final

from models.domain.schedules.convention import MonthEnd
from models.domain.schedules.request import PeriodUnit

_MONTHS: Final = 12
_WEEK: Final = 7
_FEBRUARY: Final = 2
_LENGTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """How due dates follow one another. `due_day` is the card's due day, used by CARD_DUE_DAY alone."""

    every: int = 1
    unit: PeriodUnit = PeriodUnit.MONTHS
    month_end: MonthEnd = MonthEnd.CLAMP
    due_day: int | None = None

    def step(self, seed: date, periods: int) -> date:
        """The date `periods` (also negative) after the seed; the seed's day of the month is kept throughout."""
        if self.unit is PeriodUnit.WEEKS:
            return seed + timedelta(days=periods * self.every * _WEEK)
        if self.unit is PeriodUnit.DAYS:
            return seed + timedelta(days=periods * self.every)
        return self._in_month(seed, month_number(seed) + periods * self.every)

    def _in_month(self, seed: date, month: int) -> date:
        year, month = divmod(month, _MONTHS)
        last = _last_day(year, month + 1)
        day = self.due_day if self.month_end is MonthEnd.CARD_DUE_DAY and self.due_day else seed.day
        if self.month_end is MonthEnd.LAST_DAY and seed.day == _last_day(seed.year, seed.month):
            day = last
        if day > last and self.month_end is MonthEnd.FIRST_OF_NEXT:
            return date(year, month + 1, last) + timedelta(days=1)
        return date(year, month + 1, min(day, last))

    def is_whole(self, start: date, end: date) -> bool:
        """Whether exactly one period lies between: `start` is a date of this rhythm, and `end` the one after it."""
        return self.step(start, 0) == start and self.step(start, 1) == end

    def first_after(self, start: date) -> date:
        """The first due date where none is given: a period after `start`, or the card's next due day after it."""
        if self.month_end is not MonthEnd.CARD_DUE_DAY:
            return self.step(start, 1)
        candidates = (self._in_month(start, month_number(start) + later) for later in count())
        return next(day for day in candidates if day > start)

    def dates(self, start: date, *, first_due: date | None, rows: int) -> tuple[date, ...]:
        """All due dates. Without `first_due` the seed is `start`: its day of the month is the one that is kept."""
        if first_due is None and self.month_end is not MonthEnd.CARD_DUE_DAY:
            return tuple(self.step(start, number) for number in range(1, rows + 1))
        seed = first_due or self.first_after(start)
        return (seed, *islice((self.step(seed, number) for number in count(1)), rows - 1))

    def whole_periods_back(self, due: date, *, since: date, seed: date) -> Iterator[date]:
        """Starts of the whole periods before `due` that do not lie before `since`, latest first."""
        offset = 0
        while (start := self._back(due, seed=seed, periods=(offset := offset + 1))) >= since:
            yield start

    def _back(self, due: date, *, seed: date, periods: int) -> date:
        if self.unit is not PeriodUnit.MONTHS:
            return self.step(due, -periods)
        return self._in_month(seed, month_number(due) - periods * self.every)


def _last_day(year: int, month: int) -> int:
    return _LENGTHS[month - 1] + (month == _FEBRUARY and calendar.isleap(year))


def month_number(day: date) -> int:
    """Months since the year 0."""
    return day.year * _MONTHS + day.month - 1
