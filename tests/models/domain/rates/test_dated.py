"""Rates of dated flows: they agree with another library, follow the calendar, and do not hide a cost."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.rates.america import actuarial_rate
from models.domain.rates.europe import Span, interval, rate_of_charge
from models.domain.rates.flows import DatedFlow
from models.domain.rates.solving import NoRate
from models.domain.rates.unit_periods import Kind, UnitPeriod
from models.domain.rates.yields import xirr

_START = date(2027, 1, 31)
_PAYMENTS = st.lists(
    st.tuples(st.integers(min_value=1, max_value=1900), st.integers(min_value=1, max_value=10**6)),
    min_size=1,
    max_size=40,
)


def _flows(principal: int, payments: list[tuple[int, int]]) -> list[DatedFlow]:
    paid = [DatedFlow(on=_START + timedelta(days), amount_minor=-amount) for days, amount in payments]
    return [DatedFlow(on=_START, amount_minor=principal), *paid]


@given(principal=st.integers(min_value=1000, max_value=10**8), payments=_PAYMENTS)
@settings(max_examples=60)
def test_another_library_finds_the_same_dated_rate(principal: int, payments: list[tuple[int, int]]) -> None:
    flows = _flows(principal, payments)
    rate = xirr(flows)
    if not Decimal("-0.9") < rate < 10:
        return
    other = pyxirr.xirr([flow.on for flow in flows], [float(flow.amount_minor) for flow in flows])
    assert other is not None
    assert float(rate) == pytest.approx(other, rel=1e-6, abs=1e-8)


@given(principal=st.integers(min_value=1000, max_value=10**8), payments=_PAYMENTS)
@settings(max_examples=40)
def test_the_european_rate_is_near_the_rate_by_days(principal: int, payments: list[tuple[int, int]]) -> None:
    # Months of equal length move a payment by at most two days or so: ln(1+X) changes by less than a fifth.
    total = sum(amount for _, amount in payments)
    if not principal < total < 2 * principal or min(days for days, _ in payments) < 60:
        return
    flows = _flows(principal, payments)
    ours, by_days = (1 + rate_of_charge(flows).rate).ln(), (1 + xirr(flows)).ln()
    assert abs(ours - by_days) <= by_days / 5


@given(days=st.integers(min_value=0, max_value=4000), first=st.integers(min_value=0, max_value=4000))
def test_an_interval_is_never_shorter_for_a_later_day(days: int, first: int) -> None:
    start = date(2024, 1, 1) + timedelta(first)
    end = start + timedelta(days)
    assert interval(start, end, span=Span.MONTH).years <= interval(start, end + timedelta(3), span=Span.MONTH).years


def test_an_interval_runs_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        interval(date(2027, 1, 2), date(2027, 1, 1), span=Span.MONTH)


def test_one_decimal_and_a_half_goes_up() -> None:
    flows = [
        DatedFlow(on=date(2027, 1, 1), amount_minor=100_000),
        DatedFlow(on=date(2028, 1, 1), amount_minor=-112_250),
    ]
    assert str(rate_of_charge(flows).percent) == "12.3"


def test_weeks_are_counted_as_weeks() -> None:
    flows = [DatedFlow(on=date(2027, 1, 4), amount_minor=100), DatedFlow(on=date(2027, 1, 18), amount_minor=-101)]
    assert rate_of_charge(flows).span is Span.WEEK
    assert rate_of_charge(flows).rate == pytest.approx(Decimal("1.01") ** 26 - 1, abs=Decimal("1e-20"))


def test_a_fee_kept_back_raises_every_rate() -> None:
    payments = [(30 * k, 90_000) for k in range(1, 13)]
    for rate in (xirr, lambda flows: rate_of_charge(flows).rate, lambda flows: actuarial_rate(flows).rate):
        assert rate(_flows(950_000, payments)) > rate(_flows(1_000_000, payments)) > 0


@pytest.mark.parametrize("rate", [xirr, rate_of_charge, actuarial_rate])
def test_flows_that_are_not_a_loan_are_refused(rate) -> None:
    for flows in ([], [DatedFlow(on=_START, amount_minor=1)], _flows(100, [(0, 100)]), _flows(100, [(0, 40), (0, 70)])):
        with pytest.raises(NoRate):
            rate(flows)


def _unit(*days: date) -> UnitPeriod:
    flows = [DatedFlow(on=days[0], amount_minor=10_000), *(DatedFlow(on=day, amount_minor=-9_000) for day in days[1:])]
    return actuarial_rate(flows).unit


def test_unit_periods_of_ends_of_months_and_halves_of_months() -> None:
    assert _unit(date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)) == UnitPeriod(
        kind=Kind.MONTH
    )
    halves = (date(2027, 1, 5), date(2027, 1, 15), date(2027, 1, 31), date(2027, 2, 15), date(2027, 2, 28))
    assert _unit(*halves) == UnitPeriod(kind=Kind.HALF_MONTH)


def test_without_a_common_period_the_average_decides() -> None:
    # 10, 20 and 31 days: 20.3 on average, nearest to three weeks.
    days = (date(2027, 1, 1), date(2027, 1, 11), date(2027, 1, 31), date(2027, 3, 3))
    assert _unit(*days) == UnitPeriod(kind=Kind.WEEK, count=3)


def test_two_periods_equally_common_give_the_shorter() -> None:
    days = [date(2027, 1, 1) + timedelta(days) for days in (0, 7, 14, 28, 42)]
    assert _unit(*days) == UnitPeriod(kind=Kind.WEEK, count=1)
