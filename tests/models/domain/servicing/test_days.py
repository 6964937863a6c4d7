"""Numbered days agree with the day counts of schedules wherever those add up."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.domain.schedules.day_count import DayCount, year_fraction
from models.domain.servicing.days import half_up, parts_per_year, position
from tests.models.domain.servicing.histories import many

_ADDING_UP = sorted(set(DayCount) - {DayCount.THIRTY_360_US, DayCount.ACT_ACT_LEAP})
_DATES = st.dates(date(2019, 1, 1), date(2033, 12, 31))


@given(start=_DATES, days=st.integers(0, 900), day_count=st.sampled_from(_ADDING_UP))
@many(500)
def test_a_span_is_the_part_of_a_year_that_schedules_use(start: date, days: int, day_count: DayCount):
    end = start + timedelta(days=days)
    number = position(day_count)
    ours = Decimal(number(end) - number(start)) / parts_per_year(day_count)
    assert abs(ours - year_fraction(start, end, day_count=day_count)) < Decimal("1e-20")


def test_halves_are_rounded_up():
    assert [half_up(number, 2) for number in (0, 1, 2, 3)] == [0, 1, 1, 2]
    assert half_up(149, 100) == 1
