"""The bank of a tenant: a folder of its own outside the data, who collects, and the bank's calendar."""

from datetime import date

import pytest

from deploy.bank import is_bank_day


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 10, 1), False),  # 国庆节
        (date(2026, 11, 21), False),  # a Saturday
        (date(2026, 11, 23), True),
    ],
)
def test_holidays_and_weekends_are_no_bank_days(day: date, works: bool) -> None:
    assert is_bank_day(day) is works


def test_a_make_up_saturday_is_a_bank_day() -> None:
    assert is_bank_day(date(2026, 2, 14))  # 调休: made up for the Spring Festival


def test_beyond_the_announced_calendar_nothing_is_assumed() -> None:
    with pytest.raises(LookupError, match="2050"):
        is_bank_day(date(2050, 1, 4))
