"""Where money goes: CCM-57b on both sides of its boundary, the explanation, and policies that would break it."""

from datetime import date, timedelta

import pytest

from models.domain.servicing.allocation import (
    DEFAULT_ALLOCATION,
    IN_ADVANCE_ALLOCATION,
    RULE_EARLY,
    RULE_EXCESS,
    RULE_LATE,
    RULE_NOT_OVERDUE,
    AllocationPolicy,
    pairs,
)
from models.domain.servicing.components import Bucket, Component
from models.domain.servicing.fold import explain, fold, preview
from tests.models.domain.servicing.histories import ACTIVATED, even_terms, payment

_DUE = (Bucket.PAST_DUE, Bucket.DUE)
_FIRST_DUE = date(2026, 2, 15)


def _paid_at(days_past_due: int):
    """50.00 against one missed row (and what followed), so many days after it fell due."""
    day = _FIRST_DUE + timedelta(days=days_past_due)
    lines = explain(even_terms(), [ACTIVATED, payment("p", day, 5_000)], day)
    return [(line.rule, line.component, line.row_no, line.amount_minor) for line in lines]


def test_at_90_days_past_due_interest_comes_before_principal():
    # Late interest of 90 days on row 1, 62 on row 2 and 31 on row 3: 183 × 0.50 = 91.50 takes the 50.00.
    assert _paid_at(90) == [(RULE_EARLY, Component.PENALTY, None, 5_000)]


def test_at_91_days_past_due_principal_comes_first():
    assert _paid_at(91) == [(RULE_LATE, Component.PRINCIPAL, 1, 5_000)]


def test_within_the_charges_the_policy_decides_and_rows_are_paid_oldest_first():
    day = date(2026, 3, 25)
    lines = explain(even_terms(), [ACTIVATED, payment("p", day, 110_000)], day)
    # 38 days on row 1 and 10 on row 2, at 0.50 a day each.
    assert [(line.component, line.row_no, line.amount_minor) for line in lines] == [
        (Component.PENALTY, None, 2_400),
        (Component.INTEREST, 1, 1_000),
        (Component.INTEREST, 2, 1_000),
        (Component.PRINCIPAL, 1, 100_000),
        (Component.PRINCIPAL, 2, 5_600),
    ]
    assert {line.days_past_due for line in lines} == {38}


def test_a_row_due_today_is_due_and_not_past_due():
    lines = explain(even_terms(), [ACTIVATED, payment("p", _FIRST_DUE, 101_000)], _FIRST_DUE)
    assert {(line.rule, line.bucket) for line in lines} == {(RULE_NOT_OVERDUE, Bucket.DUE)}


def test_surplus_waits_and_pays_the_next_row_on_its_day():
    day = date(2026, 2, 1)
    events = [ACTIVATED, payment("p", day, 151_000)]
    waiting = fold(even_terms(), events, date(2026, 2, 14))
    assert (waiting.credit_minor, waiting.rows_paid) == (151_000, 0)
    due = fold(even_terms(), events, _FIRST_DUE)
    assert (due.credit_minor, due.rows_paid) == (50_000, 1)
    lines = explain(even_terms(), events, _FIRST_DUE)
    assert [(line.event_id, line.rule, line.amount_minor) for line in lines] == [
        ("p", RULE_EXCESS, 151_000),
        ("", RULE_NOT_OVERDUE, 1_000),
        ("", RULE_NOT_OVERDUE, 100_000),
        ("", RULE_EXCESS, 50_000),
    ]


def test_a_policy_with_pairs_in_advance_pays_the_next_rows_at_once():
    terms = even_terms(allocation=IN_ADVANCE_ALLOCATION)
    state = fold(terms, [ACTIVATED, payment("p", date(2026, 2, 1), 151_000)], date(2026, 2, 1))
    assert state.credit_minor == 0
    # Charges of all rows to come stand before principal in this order.
    assert [row.paid_minor for row in state.rows] == [101_000, 49_000, 1_000]


def test_a_preview_says_what_a_payment_would_do():
    day = date(2026, 3, 25)
    state = fold(even_terms(), [ACTIVATED], day)
    shown = preview(even_terms(), state, amount_minor=110_000)
    booked = explain(even_terms(), [ACTIVATED, payment("", day, 110_000)], day)
    assert shown == booked


@pytest.mark.parametrize("at", ["before_switch", "from_switch"])
def test_an_order_against_the_rule_is_refused(at: str):
    orders = {"before_switch": DEFAULT_ALLOCATION.before_switch, "from_switch": DEFAULT_ALLOCATION.from_switch}
    other = "from_switch" if at == "before_switch" else "before_switch"
    with pytest.raises(ValueError, match="CCM-57b"):
        AllocationPolicy(version="v", source="s", **{**orders, at: orders[other]})


def test_an_order_that_leaves_something_due_unpaid_is_refused():
    with pytest.raises(ValueError, match="covers"):
        AllocationPolicy(
            version="v",
            source="s",
            before_switch=pairs(_DUE, (Component.INTEREST, Component.PRINCIPAL)),
            from_switch=DEFAULT_ALLOCATION.from_switch,
        )
    with pytest.raises(ValueError, match="once"):
        AllocationPolicy(
            version="v",
            source="s",
            before_switch=DEFAULT_ALLOCATION.before_switch * 2,
            from_switch=DEFAULT_ALLOCATION.from_switch,
        )
