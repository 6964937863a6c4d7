"""Periods of interest between due dates: what part of a year each is worth, and the broken days before the first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from models.domain.schedules.convention import Basis, Convention, FirstPeriod, Holiday, Method
from models.domain.schedules.day_count import MONTHS_A_YEAR, nominal_year, year_fraction
from models.domain.schedules.due_dates import Rhythm
from models.domain.schedules.request import PeriodUnit, ScheduleRequest
from models.domain.schedules.working_days import due_moved

_WEEK = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Timetable:
    """When rows are due and what time each is worth.

    Attributes:
        due: due dates after the holiday rule.
        years: the part of a year that each row's interest is for.
        nominal: the part of a year of a whole period, as the annuity formula takes it.
        broken_until: where the broken days before the first whole period end, if they stand apart.
        broken_years: what they are worth.
    """

    due: tuple[date, ...]
    years: tuple[Decimal, ...]
    nominal: Decimal
    broken_until: date | None = None
    broken_years: Decimal = Decimal(0)


def rhythm_of(request: ScheduleRequest) -> Rhythm:
    """How the request's due dates follow one another."""
    return Rhythm(
        every=request.every,
        unit=request.unit,
        month_end=request.convention.month_end,
        due_day=request.due_day,
    )


def timetable(request: ScheduleRequest, *, rows: int) -> Timetable:
    """Dates and times of a request with this number of rows.

    Raises:
        ScheduleInvalid: the calendar does not reach far enough to move a date.
    """
    rhythm = rhythm_of(request)
    convention = request.convention
    custom = convention.method is Method.CUSTOM
    planned = (
        tuple(row.due for row in request.custom_rows)
        if custom
        else rhythm.dates(request.start, first_due=request.first_due, rows=rows)
    )
    due = due_moved(planned, convention=convention, working_days=request.working_days)
    follows = convention.holiday is Holiday.MOVE_DUE and convention.interest_follows
    dates = due if follows and convention.basis is Basis.DAILY else planned
    clock = _Clock(convention=convention, rhythm=rhythm)
    start = _whole_start(request, rhythm, planned[0]) if not custom else request.start
    regular = rhythm.is_whole(request.start, planned[0])
    return Timetable(
        due=due,
        years=clock.row_years((start, *dates), regular=regular or start > request.start, custom=custom),
        nominal=clock.nominal(),
        broken_until=start if start > request.start else None,
        broken_years=clock.between(request.start, start) if start > request.start else Decimal(0),
    )


def _whole_start(request: ScheduleRequest, rhythm: Rhythm, first: date) -> date:
    """Where the first row's own interest begins: later than the start only if broken days stand apart from it."""
    if request.convention.first_period is FirstPeriod.COUNTED or rhythm.is_whole(request.start, first):
        return request.start
    return next(rhythm.whole_periods_back(first, since=request.start, seed=first), request.start)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Clock:
    convention: Convention
    rhythm: Rhythm

    def nominal(self) -> Decimal:
        if self.rhythm.unit is PeriodUnit.MONTHS:
            return Decimal(self.rhythm.every) / MONTHS_A_YEAR
        days = self.rhythm.every * (_WEEK if self.rhythm.unit is PeriodUnit.WEEKS else 1)
        return Decimal(days) / nominal_year(self.convention.day_count)

    def between(self, start: date, end: date) -> Decimal:
        """By the days; or by whole periods back from the end, and what is left over by the days."""
        if self.convention.basis is Basis.DAILY:
            return year_fraction(start, end, day_count=self.convention.day_count)
        if self.rhythm.is_whole(start, end):
            return self.nominal()
        starts = list(self.rhythm.whole_periods_back(end, since=start, seed=end))
        rest = starts[-1] if starts else end
        return len(starts) * self.nominal() + year_fraction(start, rest, day_count=self.convention.day_count)

    def row_years(self, dates: Iterable[date], *, regular: bool, custom: bool) -> tuple[Decimal, ...]:
        """Of each row. Rows after the first are whole periods whatever the month's end did to their dates."""
        spans = tuple(pairwise(dates))
        if self.convention.basis is Basis.DAILY or custom:
            return tuple(self.between(start, end) for start, end in spans)
        first = self.nominal() if regular else self.between(*spans[0])
        return (first, *[self.nominal()] * (len(spans) - 1))
