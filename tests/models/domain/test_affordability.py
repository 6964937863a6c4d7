"""Repayment capacity: the sum can be checked by hand, and more money never makes it smaller."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.affordability import (
    DEFAULT_PARAMETERS,
    Affordability,
    AffordabilityParameters,
    Finances,
    LineCode,
    assess,
)

_MONEY = st.integers(min_value=0, max_value=10**10)
_FINANCES = st.builds(
    Finances,
    monthly_income_minor=_MONEY,
    essential_expense_minor=_MONEY,
    other_debt_payment_minor=_MONEY,
    dependants=st.integers(min_value=0, max_value=20),
    bureau_obligation_minor=st.none() | _MONEY,
)
_AMOUNT = st.integers(min_value=1, max_value=10**11)
_TERM = st.integers(min_value=1, max_value=60)


def _household(**changes: int | None) -> Finances:
    base = Finances(
        monthly_income_minor=900_000,
        essential_expense_minor=350_000,
        other_debt_payment_minor=120_000,
        dependants=2,
        bureau_obligation_minor=150_000,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def _assess(finances: Finances, *, amount: int = 100_000, term: int = 1) -> Affordability:
    return assess(finances, requested_amount_minor=amount, requested_term_months=term)


def test_the_working_of_one_household_by_hand() -> None:
    result = assess(_household(), requested_amount_minor=4_800_000, requested_term_months=36)
    assert [(line.code, line.amount_minor) for line in result.lines] == [
        (LineCode.INCOME, 900_000),
        (LineCode.ESSENTIAL_EXPENSE, -350_000),
        (LineCode.OTHER_DEBT, -120_000),
        (LineCode.DEPENDANTS, -200_000),
        (LineCode.BUREAU_UNDECLARED, -30_000),  # 1,500.00 reported, 1,200.00 of it declared
    ]
    assert result.capacity_minor == result.before_floor_minor == 200_000
    assert result.requested_payment_minor == 133_334  # 48,000.00 / 36 = 1,333.33…, rounded up
    assert result.covers_request
    assert result.coverage_bps == 14_999
    assert result.months_needed == 24
    assert result.rule_version == DEFAULT_PARAMETERS.version


def test_a_household_without_means_has_no_capacity_and_never_repays() -> None:
    result = assess(_household(monthly_income_minor=0), requested_amount_minor=100, requested_term_months=1)
    assert result.before_floor_minor == -700_000
    assert (result.capacity_minor, result.coverage_bps, result.months_needed) == (0, 0, None)
    assert not result.covers_request


def test_bureau_figures_already_declared_are_not_taken_off_twice() -> None:
    without = _assess(_household(bureau_obligation_minor=None))
    covered = _assess(_household(bureau_obligation_minor=120_000))
    assert covered.capacity_minor == without.capacity_minor
    assert LineCode.BUREAU_UNDECLARED not in {line.code for line in without.lines}
    assert covered.lines[-1].amount_minor == 0


def test_parameters_and_their_version_are_the_callers() -> None:
    own = AffordabilityParameters(version="bank/7", source="resolution 7", dependant_allowance_minor=50_000)
    result = assess(_household(), requested_amount_minor=1, requested_term_months=1, parameters=own)
    assert result.rule_version == "bank/7"
    assert result.capacity_minor == 300_000


def test_the_stored_working_is_plain_json_in_order() -> None:
    working = assess(_household(), requested_amount_minor=1, requested_term_months=1).working()
    assert working[3] == {
        "code": "dependants",
        "amountMinor": -200_000,
        "params": {"dependants": 2, "allowance": 100_000},
    }


@pytest.mark.parametrize(("amount", "term"), [(0, 12), (-1, 12), (100, 0), (100, -3)])
def test_a_request_without_amount_or_term_is_refused(amount: int, term: int) -> None:
    with pytest.raises(ValueError, match="above zero"):
        assess(_household(), requested_amount_minor=amount, requested_term_months=term)


@pytest.mark.parametrize("field", ["monthly_income_minor", "essential_expense_minor", "dependants"])
def test_negative_figures_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="not negative"):
        _household(**{field: -1})


@given(finances=_FINANCES, amount=_AMOUNT, term=_TERM)
def test_lines_add_up_and_capacity_is_never_negative(finances: Finances, amount: int, term: int) -> None:
    result = assess(finances, requested_amount_minor=amount, requested_term_months=term)
    assert sum(line.amount_minor for line in result.lines) == result.before_floor_minor
    assert result.capacity_minor == max(0, result.before_floor_minor)


@given(finances=_FINANCES, more=_MONEY, amount=_AMOUNT, term=_TERM)
def test_more_income_never_lowers_capacity(finances: Finances, more: int, amount: int, term: int) -> None:
    richer = replace(finances, monthly_income_minor=finances.monthly_income_minor + more)
    before, after = _assess(finances, amount=amount, term=term), _assess(richer, amount=amount, term=term)
    assert after.capacity_minor >= before.capacity_minor
    assert after.coverage_bps >= before.coverage_bps
    assert not (before.covers_request and not after.covers_request)


@given(finances=_FINANCES, amount=_AMOUNT, term=_TERM)
def test_derived_figures_agree_with_each_other(finances: Finances, amount: int, term: int) -> None:
    result = assess(finances, requested_amount_minor=amount, requested_term_months=term)
    assert result.requested_payment_minor * term >= amount > (result.requested_payment_minor - 1) * term
    assert result.covers_request == (result.coverage_bps >= 10_000)
    if result.months_needed is None:
        assert result.capacity_minor == 0
    else:
        assert result.capacity_minor * result.months_needed >= amount
        assert result.capacity_minor * (result.months_needed - 1) < amount
        assert result.covers_request <= (result.months_needed <= term)
