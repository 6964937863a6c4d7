"""A found rate makes the flows worth nothing, agrees with another library, and is refused where there is none."""

from decimal import Decimal

import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.rates.solving import NoRate, NoRateReason, Term, period_rate, present_value
from models.domain.rates.yields import effective, in_percent, irr, nominal, per_period

_PAYMENTS = st.lists(st.integers(min_value=0, max_value=10**7), min_size=1, max_size=60).filter(any)
_PRINCIPAL = st.integers(min_value=1, max_value=10**9)


def _terms(flows: list[int]) -> list[Term]:
    return [Term(amount=Decimal(amount), whole=k) for k, amount in enumerate(flows)]


@given(principal=_PRINCIPAL, payments=_PAYMENTS)
def test_the_flows_are_worth_nothing_at_their_rate(principal: int, payments: list[int]) -> None:
    terms = _terms([principal, *(-payment for payment in payments)])
    # In units of the principal: far below the smallest coin of any loan.
    assert abs(present_value(terms, period_rate(terms))) / principal < Decimal("1e-20")


@given(principal=_PRINCIPAL, payments=_PAYMENTS)
@settings(max_examples=60)
def test_another_library_finds_the_same_rate(principal: int, payments: list[int]) -> None:
    flows = [principal, *(-payment for payment in payments)]
    rate = irr(flows)
    if not Decimal("-0.5") < rate < 5:
        return  # there the other one leaves its own range
    assert float(rate) == pytest.approx(pyxirr.irr(flows), rel=1e-6, abs=1e-9)


@given(principal=_PRINCIPAL, payments=_PAYMENTS, factor=st.integers(min_value=2, max_value=1000))
def test_the_unit_of_money_does_not_matter(principal: int, payments: list[int], factor: int) -> None:
    flows = [principal, *(-payment for payment in payments)]
    assert abs(irr([factor * amount for amount in flows]) - irr(flows)) < Decimal("1e-25") * (1 + abs(irr(flows)))


@given(principal=_PRINCIPAL, payments=_PAYMENTS, row=st.integers(min_value=0, max_value=59), more=st.integers(1, 10**6))
def test_who_pays_more_pays_a_higher_rate(principal: int, payments: list[int], row: int, more: int) -> None:
    dearer = list(payments)
    dearer[row % len(payments)] += more
    before, after = (irr([principal, *(-one for one in each)]) for each in (payments, dearer))
    assert after >= before
    if before < 1:  # above, a coin five years away is worth less than the digits that are carried
        assert after > before


@given(payments=_PAYMENTS)
def test_a_plan_without_cost_has_the_rate_zero(payments: list[int]) -> None:
    assert irr([sum(payments), *(-payment for payment in payments)]) == 0


@given(rate=st.decimals(min_value="-0.05", max_value="2", places=9), periods=st.sampled_from([1, 4, 12, 52]))
def test_yearly_and_period_rates_are_two_ways_of_one(rate: Decimal, periods: int) -> None:
    assert abs(per_period(effective(rate, periods_a_year=periods), periods_a_year=periods) - rate) < Decimal("1e-25")


def test_a_rate_of_one_per_cent_a_month() -> None:
    payment = Decimal("1066.185464145")  # level payment of 12,000 over 12 months at 1 %
    rate = irr([Decimal(12_000), *[-payment] * 12])
    assert in_percent(nominal(rate), digits=6) == Decimal("12.000000")
    assert in_percent(effective(rate), digits=6) == Decimal("12.682503")


@pytest.mark.parametrize(
    ("flows", "reason"),
    [
        ([], NoRateReason.ONE_SIDED),
        ([100], NoRateReason.ONE_SIDED),
        ([100, 50], NoRateReason.ONE_SIDED),
        ([0, -50], NoRateReason.ONE_SIDED),
        ([100, -250, 156], NoRateReason.SEVERAL_ROOTS),  # both 20 % and 30 % fit
        ([100, -200, 101], NoRateReason.NO_ROOT),
    ],
)
def test_flows_without_one_rate_are_refused_with_the_reason(flows: list[int], reason: NoRateReason) -> None:
    with pytest.raises(NoRate) as refused:
        irr(flows)
    assert refused.value.reason is reason


def test_several_changes_of_sign_with_one_rate() -> None:
    # A second advance while the first is being repaid.
    flows = [1000, -400, 500, -400, -900]
    assert irr(flows) == pytest.approx(Decimal(str(pyxirr.irr(flows))), abs=Decimal("1e-9"))


@pytest.mark.parametrize("payment", [1, 5, 10**9, 10**15])
def test_rates_far_from_any_loan_are_still_found(payment: int) -> None:
    rate = irr([1000, -payment])
    assert abs(rate - (Decimal(payment) / 1000 - 1)) < Decimal("1e-20") * (1 + abs(rate))
