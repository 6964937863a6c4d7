"""On which dates a standing plan is due: every bank day, or a day of the month moved behind holidays."""

from datetime import date, timedelta

import pytest

from models.domain.batches.kinds import KindName
from models.domain.batches.plans import STANDING_KINDS, Calendar, Rhythm, is_due, plan_key

EVERY = Calendar(rhythm=Rhythm.BANK_DAYS)


def weekday(day: date) -> bool:
    if day.year > 2026:
        raise LookupError(day)
    return day.weekday() < 5


def due(calendar: Calendar, first: date, last: date, *closed: date) -> list[date]:
    days = (first + timedelta(days=at) for at in range((last - first).days + 1))
    return [day for day in days if is_due(calendar, day, lambda each: weekday(each) and each not in closed)]


def test_every_bank_day_and_no_other() -> None:
    found = due(EVERY, date(2026, 11, 20), date(2026, 11, 24))
    assert found == [date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)]


def test_a_day_of_the_month_comes_once_a_month_moved_behind_holidays_and_into_the_next_month() -> None:
    year = due(Calendar(rhythm=Rhythm.MONTH_DAY, month_day=31), date(2026, 1, 1), date(2026, 6, 30))
    # 31 January 2026 is a Saturday, 28 February too, 31 May a Sunday.
    assert year == [
        date(2026, 2, 2), date(2026, 3, 2), date(2026, 3, 31), date(2026, 4, 30), date(2026, 6, 1), date(2026, 6, 30),
    ]  # fmt: skip
    week = [date(2026, 10, 1) + timedelta(days=at) for at in range(8)]
    found = due(Calendar(rhythm=Rhythm.MONTH_DAY, month_day=1), date(2026, 9, 25), date(2026, 10, 30), *week)
    assert found == [date(2026, 10, 9)]


def test_nothing_is_due_by_guess() -> None:
    with pytest.raises(LookupError):
        is_due(EVERY, date(2027, 1, 4), weekday)


@pytest.mark.parametrize(("rhythm", "day"), [("month-day", None), ("month-day", 32), ("bank-days", 1)])
def test_a_day_belongs_to_its_rhythm(rhythm: str, day: int | None) -> None:
    with pytest.raises(ValueError, match="1 to 31"):
        Calendar(rhythm=Rhythm(rhythm), month_day=day)


def test_neither_files_nor_rows_of_agreements_are_planned_and_a_date_of_a_plan_is_one_wish() -> None:
    assert set(STANDING_KINDS) == {KindName.FEE_COLLECTION}, "rows of agreements are the daily run's"
    assert plan_key("bpl_x", date(2026, 11, 23)) == "plan/bpl_x/2026-11-23"
