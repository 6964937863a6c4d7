"""Paydays before holidays, and whether a payroll's figures and money hold."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bank import is_bank_day
from models.domain.batches.paydays import bank_day_before, months_between, payday
from models.domain.batches.wage_sums import CODES, ControlTotal, most_damages_minor, sum_faults
from models.domain.batches.wages import declared
from models.texts.render import LOCALES, catalogue


@pytest.mark.parametrize(
    ("year", "month", "agreed", "on"),
    [
        (2026, 3, 10, date(2026, 3, 10)),  # a Tuesday
        (2026, 3, 15, date(2026, 3, 13)),  # a Sunday: the Friday before
        (2026, 10, 5, date(2026, 9, 30)),  # the National Day holiday: before it, in the month before
        (2026, 2, 31, date(2026, 2, 28)),  # the last day of February, a made-up working Saturday
        (2026, 1, 1, date(2025, 12, 31)),  # in the year before
    ],
)
def test_wages_are_paid_on_the_agreed_day_or_the_bank_day_before_it(year: int, month: int, agreed: int, on: date):
    found = payday(year, month, agreed, is_bank_day)
    assert found.on == on
    assert found.moved is (found.agreed != on)


@given(st.dates(date(2025, 1, 10), date(2026, 12, 31)))
def test_a_payday_is_a_bank_day_never_later_and_none_lies_between(day: date):
    on = bank_day_before(day, is_bank_day)
    assert on <= day
    assert is_bank_day(on)
    assert not [at for at in range(on.toordinal() + 1, day.toordinal() + 1) if is_bank_day(date.fromordinal(at))]


def test_nothing_is_guessed_about_a_year_that_nobody_announced():
    with pytest.raises(LookupError):
        payday(2190, 1, 5, is_bank_day)
    with pytest.raises(ValueError, match="1 to 31"):
        payday(2026, 1, 32, is_bank_day)
    with pytest.raises(ValueError, match="broken"):
        bank_day_before(date(2026, 1, 1), lambda day: False)


def test_wages_once_a_month_are_counted_by_the_calendar():
    assert months_between(date(2026, 1, 31), date(2026, 2, 1)) == 1
    assert months_between(date(2025, 12, 5), date(2026, 2, 5)) == 2


def test_a_payroll_that_adds_up_and_is_covered_to_the_cent_goes_on():
    assert sum_faults(ControlTotal(rows=2, amount_minor=300), [100, 200], balance_minor=305, fee_minor=5) == ()


def test_every_figure_that_does_not_hold_is_told_at_once():
    faults = sum_faults(ControlTotal(rows=3, amount_minor=301), [100, 200, 0, -1], balance_minor=300)
    assert [fault.code for fault in faults] == ["control-count", "control-total", "row-amount", "funding-short"]
    assert faults[-1].params == {"needed": 301, "found": 300, "missing": 1}
    assert faults[-1].rule == "WAGE-27"
    assert all(f"batch-sum.{code}" in catalogue(locale) for code in CODES for locale in LOCALES)


def test_an_account_that_nobody_can_see_covers_nothing():
    (fault,) = sum_faults(ControlTotal(rows=1, amount_minor=100), [100], balance_minor=None)
    assert fault.code == "funding-short"


@pytest.mark.parametrize(
    ("gross", "other", "minimum", "most"),
    [(500_000, 50_000, 200_000, 100_000), (500_000, 50_000, 400_000, 50_000), (200_000, 0, 200_001, 0), (99, 0, 0, 19)],
)
def test_damages_are_a_fifth_at_most_and_leave_the_minimum_wage(gross: int, other: int, minimum: int, most: int):
    found = most_damages_minor(gross_minor=gross, other_deductions_minor=other, minimum_wage_minor=minimum, percent=20)
    assert found == most


def test_a_list_of_deductions_without_damages_says_that_there_are_none():
    assert declared({"deductions": ""}) == {"wage_deductions": (), "wage_damages_minor": 0}
    assert "wage_damages_minor" not in declared({"deductions": "damages"})
    assert declared({}) == {}
