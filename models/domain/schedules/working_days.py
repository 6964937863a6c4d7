"""Moving dates to working days (节假日顺延). Pure: the days come in as a set, make-up Saturdays (调休) among them."""

from collections.abc import Iterable
from datetime import date, timedelta

from models.domain.schedules.convention import Convention, Holiday, Shift
from models.domain.schedules.faults import ScheduleInvalid


def working_days_between(
    first: date, last: date, *, holidays: Iterable[date] = (), make_up_days: Iterable[date] = ()
) -> frozenset[date]:
    """Monday to Friday without the holidays, and the make-up days beside them; both ends included."""
    days = {first + timedelta(days=number) for number in range((last - first).days + 1)}
    plain = {day for day in days if day.weekday() < 5}  # noqa: PLR2004 - Saturday is 5
    return frozenset((plain - set(holidays)) | (days & set(make_up_days)))


def moved(day: date, *, working_days: frozenset[date], shift: Shift = Shift.NEXT) -> date:
    """The day itself if it is a working day, otherwise the working day after or before it.

    Raises:
        ScheduleInvalid: the day lies outside the first and last of the working days. Guessing at holidays that nobody
            has announced would move money on a wrong day.
    """
    if day in working_days:
        return day
    first, last = min(working_days, default=day), max(working_days, default=day)
    step = timedelta(days=1 if shift is Shift.NEXT else -1)
    while first <= day <= last:
        if day in working_days:
            return day
        day += step
    raise ScheduleInvalid("/calendar", "quote-calendar-short", date=day.isoformat())


def due_moved(
    dates: tuple[date, ...], *, convention: Convention, working_days: frozenset[date] | None
) -> tuple[date, ...]:
    """Due dates after the holiday rule; only MOVE_DUE changes them."""
    if convention.holiday is not Holiday.MOVE_DUE or working_days is None:
        return dates
    return tuple(moved(day, working_days=working_days, shift=convention.shift) for day in dates)


def debit_dates(
    dates: tuple[date, ...], *, convention: Convention, working_days: frozenset[date] | None
) -> tuple[date, ...]:
    """When the debit orders of rows due on `dates` are presented: on working days, unless the rule moves nothing."""
    if convention.holiday is Holiday.NONE or working_days is None:
        return dates
    return tuple(moved(day, working_days=working_days, shift=convention.shift) for day in dates)
