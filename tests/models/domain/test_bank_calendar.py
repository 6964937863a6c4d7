"""A year's bank days: whole or refused, kept and read back, compared day by day."""

import calendar
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.bank_calendar import (
    CalendarDay,
    YearCalendar,
    days_of_rows,
    days_of_year,
    differences,
    rows_of_csv,
    year_of_days,
)
from models.errors import FormInvalid


def weekends(year: int) -> list[CalendarDay]:
    return [CalendarDay(day=day, is_open=day.weekday() < 5) for day in days_of_year(year)]


def codes(caught: pytest.ExceptionInfo[FormInvalid]) -> list[tuple[str, str]]:
    return [(fault.code, str(fault.params.get("day", ""))) for fault in caught.value.faults]


@given(st.integers(2000, 2199), st.data())
def test_a_whole_year_says_of_each_day_what_was_said(year: int, data: st.DataObject) -> None:
    days = days_of_year(year)
    assert len(days) == 365 + calendar.isleap(year)
    marks = data.draw(st.lists(st.booleans(), min_size=len(days), max_size=len(days)))
    told = [CalendarDay(day=day, is_open=mark) for day, mark in zip(days, marks, strict=True)]
    made = year_of_days(year, data.draw(st.permutations(told)))
    assert [made.is_open(day) for day in days] == marks
    assert YearCalendar.from_record(made.as_record()) == made
    assert [each.is_open for each in made.days()] == marks
    with pytest.raises(LookupError):
        made.is_open(days[0] - timedelta(days=1))


def test_each_day_stands_once_in_its_own_year() -> None:
    whole = weekends(2027)
    with pytest.raises(FormInvalid) as missing:
        year_of_days(2027, whole[:-1])
    assert codes(missing) == [("calendar-day-missing", "2027-12-31")]
    with pytest.raises(FormInvalid) as twice:
        year_of_days(2027, [*whole, whole[4]])
    assert codes(twice) == [("calendar-day-twice", "2027-01-05")]
    with pytest.raises(FormInvalid) as other:
        year_of_days(2027, [*whole, CalendarDay(day=date(2028, 1, 1), is_open=False)])
    assert codes(other) == [("calendar-other-year", "2028-01-01")]
    with pytest.raises(FormInvalid):
        year_of_days(1027, [])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"date": "2027-02-30", "state": "open"}, "date"),
        ({"date": 20270101, "state": "open"}, "date"),
        ({"date": "2027-01-01", "state": "yes"}, "state"),
        ({"date": "2027-01-01"}, "state"),
        ({"date": "2027-01-01", "state": "open", "reason": "x" * 61}, "reason"),
        ({"date": "2027-01-01", "state": "open", "reason": 3}, "reason"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_by_place_and_field(row: dict[str, Any], field: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        days_of_rows([{"date": "2027-01-01", "state": "closed"}, row])
    assert [fault.pointer for fault in caught.value.faults] == [f"/days/1/{field}"]


def test_csv_is_read_by_the_names_of_its_columns_in_any_order() -> None:
    text = "\ufeffstate, date ,reason\nclosed,2027-01-01,元旦\nopen, 2027-01-02 ,\n"
    first, second = days_of_rows(rows_of_csv(text))
    assert (first.day, first.is_open, first.reason) == (date(2027, 1, 1), False, "元旦")
    assert (second.day, second.is_open, second.reason) == (date(2027, 1, 2), True, "")
    with pytest.raises(FormInvalid) as caught:
        rows_of_csv("day,state\n")
    assert caught.value.faults[0].params == {"column": "date"}


def test_differences_name_the_days_that_change_and_a_year_without_a_calendar_changes_whole() -> None:
    before = year_of_days(2027, weekends(2027))
    moved = {date(2027, 2, 8): False, date(2027, 2, 13): True}
    after = year_of_days(
        2027,
        [CalendarDay(day=each.day, is_open=moved.get(each.day, each.is_open), reason="春节") for each in before.days()],
    )
    found = differences(before, after)
    assert [(each.day, each.before, each.after) for each in found] == [
        (date(2027, 2, 8), True, False),
        (date(2027, 2, 13), False, True),
    ]
    assert differences(after, after) == ()
    assert len(differences(None, after)) == 365
