"""Rounds of negotiation for tests: one that everyone knows, and random ones."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from models.domain.plans.negotiation import DEFAULT_TERMS, Balances, NegotiationInput

ROUND = NegotiationInput(
    balances=Balances(purchases_minor=38_000_00, cash_minor=6_000_00, fees_minor=1_200_00, interest_minor=2_800_00),
    original_rate=Decimal("0.1825"),
    capacity_minor=1_650_00,
    start=date(2027, 3, 1),
    first_due=date(2027, 4, 1),
    term_months=36,
    rate_concession_bps=625,
    concession_limit_bps=900,
)


def the_round(**changes: Any) -> NegotiationInput:
    """The known round with something changed."""
    return replace(ROUND, **changes)


_AMOUNT = st.integers(min_value=0, max_value=100_000_00)
_START = st.dates(min_value=date(2026, 1, 1), max_value=date(2030, 12, 31))


@st.composite
def rounds(draw: st.DrawFn) -> NegotiationInput:
    """Any round that the product could meet."""
    start = draw(_START)
    return NegotiationInput(
        balances=Balances(
            purchases_minor=draw(st.integers(min_value=1, max_value=500_000_00)),
            cash_minor=draw(_AMOUNT),
            fees_minor=draw(_AMOUNT),
            interest_minor=draw(_AMOUNT),
        ),
        original_rate=Decimal(draw(st.integers(min_value=0, max_value=2400))) / 10_000,
        capacity_minor=draw(st.integers(min_value=0, max_value=30_000_00)),
        start=start,
        first_due=start + timedelta(draw(st.integers(min_value=1, max_value=45))),
        term_months=draw(st.integers(min_value=1, max_value=70)),
        rate_concession_bps=draw(st.integers(min_value=0, max_value=2400)),
        concession_limit_bps=draw(st.integers(min_value=0, max_value=2400)),
        terms=replace(DEFAULT_TERMS, arrears_bear_interest=draw(st.booleans())),
    )
