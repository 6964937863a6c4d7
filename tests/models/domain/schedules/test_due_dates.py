"""Every day of seven years as a first date, under every month-end and holiday rule; calendars that end too soon."""

import calendar
from datetime import date, timedelta

import chinese_calendar
import pytest

from models.domain.schedules.build import build_plan, build_schedule
from models.domain.schedules.convention import Basis, Holiday, MonthEnd, Shift
from models.domain.schedules.day_count import DayCount
from models.domain.schedules.due_dates import Rhythm
from models.domain.schedules.faults import ScheduleInvalid
from models.domain.schedules.request import PeriodUnit
from models.domain.schedules.working_days import moved, working_days_between
from tests.models.domain.schedules.requests import ask, like

FIRST, LAST = date(2023, 1, 1), date(2029, 12, 31)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
# Announced years with their make-up Saturdays; after them plain weeks stand in for a calendar that nobody knows yet.
ANNOUNCED = (date(2023, 1, 1), date(2025, 12, 31))
WORKING = frozenset(
    {
        *working_days_between(date(2022, 12, 30), date(2022, 12, 31)),
        *(day for day in DAYS if day <= ANNOUNCED[1] and chinese_calendar.is_workday(day)),
        *working_days_between(date(2026, 1, 1), date(2032, 1, 31)),
    }
)


def _last_of(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


@pytest.mark.parametrize("rule", [MonthEnd.CLAMP, MonthEnd.LAST_DAY, MonthEnd.FIRST_OF_NEXT])
def test_month_ends_of_every_start(rule: MonthEnd) -> None:
    rhythm = Rhythm(month_end=rule)
    for start in DAYS:
        dates = rhythm.dates(start, first_due=None, rows=13)
        assert list(dates) == sorted(set(dates))
        for number, due in enumerate(dates, start=1):
            month = start.month - 1 + number
            year, month = start.year + month // 12, month % 12 + 1
            last = calendar.monthrange(year, month)[1]
            if rule is MonthEnd.FIRST_OF_NEXT and start.day > last:
                expected = date(year, month, last) + timedelta(days=1)
            elif rule is MonthEnd.LAST_DAY and start.day == _last_of(start):
                expected = date(year, month, last)
            else:
                expected = date(year, month, min(start.day, last))
            assert due == expected, (start, number)


@pytest.mark.parametrize("due_day", range(1, 32))
def test_card_due_days_of_every_start(due_day: int) -> None:
    rhythm = Rhythm(month_end=MonthEnd.CARD_DUE_DAY, due_day=due_day)
    for start in DAYS:
        first, second = rhythm.dates(start, first_due=None, rows=2)
        assert start < first <= start + timedelta(days=31)
        assert all(day.day == min(due_day, _last_of(day)) for day in (first, second))
        between = (first + timedelta(days=number) for number in range(1, (second - first).days))
        assert not any(day.day == min(due_day, _last_of(day)) for day in between)


@pytest.mark.parametrize("shift", Shift)
def test_every_day_moves_to_the_nearest_working_day(shift: Shift) -> None:
    for day in DAYS:
        there = moved(day, working_days=WORKING, shift=shift)
        assert there in WORKING
        low, high = sorted((day, there))
        assert not any(low + timedelta(days=n) in WORKING for n in range(1, (high - low).days))
        assert (there >= day) if shift is Shift.NEXT else (there <= day)
        assert there == day or day not in WORKING


def test_a_make_up_saturday_is_a_working_day_and_a_holiday_monday_is_none() -> None:
    assert moved(date(2025, 9, 28), working_days=WORKING) == date(2025, 9, 28)  # a Sunday that is worked
    assert moved(date(2025, 10, 1), working_days=WORKING) == date(2025, 10, 9)
    assert moved(date(2025, 10, 6), working_days=WORKING, shift=Shift.PREVIOUS) == date(2025, 9, 30)


@pytest.mark.parametrize("month_end", [MonthEnd.CLAMP, MonthEnd.LAST_DAY, MonthEnd.FIRST_OF_NEXT])
@pytest.mark.parametrize("holiday", Holiday)
def test_the_matrix_of_month_ends_and_holidays(month_end: MonthEnd, holiday: Holiday) -> None:
    convention = like("cn-level", month_end=month_end, holiday=holiday)
    plain = Rhythm(month_end=month_end)
    for start in DAYS[::7]:
        plan = build_plan(ask(convention, start=start, rows=6, working_days=WORKING))
        due = [row.due for row in plan.schedule.rows]
        planned = list(plain.dates(start, first_due=None, rows=6))
        working = [moved(day, working_days=WORKING) for day in planned]
        assert due == (working if holiday is Holiday.MOVE_DUE else planned)
        assert list(plan.debits) == (planned if holiday is Holiday.NONE else working)


def test_interest_follows_a_moved_date_only_if_the_convention_says_so() -> None:
    # 1 February 2026 is a Sunday; the row is due on the Monday.
    base = {"day_count": DayCount.ACT_365F, "basis": Basis.DAILY, "holiday": Holiday.MOVE_DUE}
    stays, follows = (
        build_schedule(
            ask(
                like("cn-level", interest_follows=interest_follows, **base),
                start=date(2026, 1, 1), rows=1, working_days=WORKING, rate="0.365",
            )
        ).rows[0]
        for interest_follows in (False, True)
    )  # fmt: skip
    assert (stays.due, follows.due) == (date(2026, 2, 2), date(2026, 2, 2))
    assert (stays.interest_minor, follows.interest_minor) == (31_000, 32_000)


def test_a_calendar_that_ends_too_soon_is_refused_and_not_guessed() -> None:
    known = working_days_between(date(2026, 1, 1), date(2026, 4, 30))
    convention = like("cn-level", holiday=Holiday.MOVE_DUE)
    with pytest.raises(ScheduleInvalid) as caught:
        build_schedule(ask(convention, start=date(2026, 1, 31), rows=6, working_days=known))
    assert (caught.value.fault.pointer, caught.value.fault.code) == ("/calendar", "quote-calendar-short")
    assert caught.value.fault.params == {"date": "2026-05-31"}


@pytest.mark.parametrize(("unit", "days"), [(PeriodUnit.WEEKS, 14), (PeriodUnit.DAYS, 2)])
def test_weeks_and_days_are_counted_from_the_seed(unit: PeriodUnit, days: int) -> None:
    due = Rhythm(every=2, unit=unit).dates(date(2024, 2, 28), first_due=None, rows=3)
    assert due == tuple(date(2024, 2, 28) + timedelta(days=days * number) for number in (1, 2, 3))
