"""Day counts against worked examples: ISDA's for 30/360, and years that change or leap inside a period."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.schedules.day_count import DayCount, year_fraction, year_parts


# Dates and days as in ISDA's published comparison of the 30/360 rules.
@pytest.mark.parametrize(
    ("start", "end", "us", "eu"),
    [
        ("2007-01-15", "2007-01-30", 15, 15),
        ("2007-01-15", "2007-02-15", 30, 30),
        ("2007-09-30", "2007-10-31", 30, 30),
        ("2007-09-30", "2008-03-31", 180, 180),
        ("2006-08-31", "2007-02-28", 178, 178),
        ("2007-02-28", "2007-08-31", 180, 182),
        ("2008-02-29", "2008-08-31", 180, 181),
        ("2007-02-14", "2007-02-28", 14, 14),
        ("2007-02-26", "2008-02-29", 363, 363),
        ("2008-02-29", "2009-02-28", 360, 359),
        ("2008-02-28", "2008-03-30", 32, 32),
        ("2007-08-15", "2007-08-31", 16, 15),
    ],
)
def test_thirty_day_months(start: str, end: str, us: int, eu: int) -> None:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    assert year_parts(first, last, day_count=DayCount.THIRTY_360_US) == ((us, 360),)
    assert year_parts(first, last, day_count=DayCount.THIRTY_360_EU) == ((eu, 360),)


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        (DayCount.ACT_360, ((31, 360),)),
        (DayCount.ACT_365F, ((31, 365),)),
        (DayCount.ACT_364, ((31, 364),)),
        (DayCount.ACT_ACT, ((20, 365), (11, 366))),
        (DayCount.ACT_ACT_LAST, ((19, 365), (12, 366))),
        (DayCount.ACT_ACT_LEAP, ((31, 365),)),
    ],
)
def test_a_period_over_new_year_into_a_leap_year(rule: DayCount, parts: tuple[tuple[int, int], ...]) -> None:
    assert year_parts(date(2023, 12, 12), date(2024, 1, 12), day_count=rule) == parts


def test_the_leap_rule_looks_at_the_29_february_and_not_at_the_year() -> None:
    def year(start: date, end: date) -> int:
        return year_parts(start, end, day_count=DayCount.ACT_ACT_LEAP)[0][1]

    assert [
        year(date(2024, 1, 31), date(2024, 2, 28)),
        year(date(2024, 1, 31), date(2024, 2, 29)),
        year(date(2024, 3, 1), date(2024, 4, 1)),
    ] == [365, 366, 365]


@pytest.mark.parametrize("rule", [DayCount.ACT_ACT, DayCount.ACT_ACT_LAST])
@given(start=st.dates(date(2019, 1, 1), date(2031, 12, 31)), days=st.integers(0, 1_500), cut=st.integers(0, 1_500))
def test_actual_days_add_up_wherever_a_period_is_cut(rule: DayCount, start: date, days: int, cut: int) -> None:
    end, middle = start + timedelta(days=days), start + timedelta(days=min(cut, days))

    def exact(first: date, last: date) -> Fraction:
        return sum((Fraction(*part) for part in year_parts(first, last, day_count=rule)), Fraction(0))

    assert exact(start, end) == exact(start, middle) + exact(middle, end)
    assert sum(part[0] for part in year_parts(start, end, day_count=rule)) == days


@pytest.mark.parametrize("rule", DayCount)
def test_no_day_is_no_time(rule: DayCount) -> None:
    assert year_fraction(date(2024, 12, 31), date(2024, 12, 31), day_count=rule) == Decimal(0)
