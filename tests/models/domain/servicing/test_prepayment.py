"""Partial prepayment: both ways, what they save, and that what was shown is what is serviced."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.schedules.rows import Row
from models.domain.servicing.events import Event, EventKind, PrepaymentChoice
from models.domain.servicing.fold import fold
from models.domain.servicing.prepayment import PrepaymentOption, PrepaymentRefused, prepayment_options
from models.domain.servicing.revisions import level_rows
from models.domain.servicing.state import Status
from models.domain.servicing.terms import AgreementTerms
from tests.models.domain.servicing.histories import ACTIVATED, START, even_terms, many, months_after, payment


def _level(principal: int, count: int) -> AgreementTerms:
    dates = (START, *(months_after(START, number) for number in range(1, count + 1)))
    draft = even_terms()
    return even_terms(rows=level_rows(draft, principal, dates))


def _event(option: PrepaymentOption, day: date, amount: int) -> Event:
    return Event(
        id="pp", kind=EventKind.PREPAYMENT, value_date=day, amount_minor=amount, choice=option.choice, rows=option.rows
    )


def test_both_ways_side_by_side_on_a_level_plan():
    """12,000.00 in twelve rows at 12 %: 6,000.00 prepaid on the day of the first row."""
    terms = _level(1_200_000, 12)
    assert terms.rows[0].total_minor == 106_619
    day = terms.rows[0].due
    state = fold(terms, [ACTIVATED, payment("p", day, 106_619)], day)
    both = prepayment_options(terms, state, amount_minor=600_000)
    assert (both.due_minor, both.principal_minor) == (0, 600_000)
    # Lower: eleven rows at the level of 5,053.81 over eleven months.
    assert both.lower.fewer_rows == 0
    level = (Decimal(505_381) * Decimal("0.01") / (1 - Decimal("1.01") ** -11)).quantize(Decimal(1))
    assert {row.total_minor for row in both.lower.rows[:-1]} == {int(level)}
    assert abs(both.lower.rows[-1].total_minor - level) <= 11
    # Shorter: the old installment repays 5,053.81 in five rows instead of eleven.
    assert len(both.shorter.rows) == 5
    assert {row.total_minor for row in both.shorter.rows[:-1]} == {106_619}
    assert both.shorter.last_due == date(2026, 7, 15)
    assert both.shorter.highest_minor == 106_619
    assert both.shorter.saved_minor > both.lower.saved_minor > 0
    for option in (both.shorter, both.lower):
        assert sum(row.principal_minor for row in option.rows) == state.unpaid_principal_minor - 600_000


def test_interest_before_the_prepayment_is_kept_and_after_it_falls():
    terms = even_terms(
        rows=tuple(
            Row(no=row.no, due=row.due, principal_minor=100_000, interest_minor=1_000 * (4 - row.no))
            for row in even_terms().rows
        )
    )
    day = date(2026, 1, 30)
    both = prepayment_options(terms, fold(terms, [ACTIVATED], day), amount_minor=150_000)
    # 15 of 30 days on 3,000.00, 15 on 1,500.00: 15.00 + 7.50.
    assert both.lower.rows[0].interest_minor == 2_250
    assert [row.principal_minor for row in both.lower.rows] == [50_000, 50_000, 50_000]
    assert [row.interest_minor for row in both.lower.rows[1:]] == [1_000, 500]


def test_money_pays_what_is_due_before_it_prepays():
    day = date(2026, 2, 25)
    both = prepayment_options(even_terms(), fold(even_terms(), [ACTIVATED], day), amount_minor=151_500)
    assert (both.due_minor, both.principal_minor) == (101_500, 50_000)  # 5.00 late interest with the missed row


def test_the_rows_of_a_given_scheduler_are_used():
    rows = (Row(no=1, due=date(2027, 1, 1), principal_minor=200_000, interest_minor=7),)
    state = fold(even_terms(), [ACTIVATED], START)
    both = prepayment_options(even_terms(), state, amount_minor=100_000, lower=lambda tail: rows)
    assert both.lower.rows == rows
    assert both.shorter.rows != rows


@pytest.mark.parametrize(
    ("day", "amount"),
    [
        (date(2026, 2, 25), 101_500),  # only what is due
        (START, 300_000),  # all of it
    ],
)
def test_what_is_no_partial_prepayment_is_refused(day: date, amount: int):
    with pytest.raises(PrepaymentRefused):
        prepayment_options(even_terms(), fold(even_terms(), [ACTIVATED], day), amount_minor=amount)
    with pytest.raises(PrepaymentRefused):
        prepayment_options(even_terms(), fold(even_terms(), [], START), amount_minor=1)


@given(
    principal=st.integers(1_000, 5_000_000),
    count=st.integers(2, 24),
    after=st.integers(0, 200),
    share=st.integers(1, 999),
    choice=st.sampled_from(PrepaymentChoice),
)
@many(600)
def test_what_was_shown_is_what_is_serviced(principal: int, count: int, after: int, share: int, choice):
    """Preview equals execution; no row is negative or larger than before; paid as shown, the agreement ends at zero."""
    terms = _level(principal, count)
    day = START + timedelta(days=min(after, 30 * (count - 1)))
    events = [
        ACTIVATED,
        *(payment(f"p{row.no}", row.due, row.total_minor) for row in terms.rows if row.due <= day),
    ]
    state = fold(terms, events, day)
    amount = max(1, state.unpaid_principal_minor * share // 1_000)
    try:
        both = prepayment_options(terms, state, amount_minor=amount)
    except PrepaymentRefused:
        assert amount >= state.unpaid_principal_minor
        return
    option = both.shorter if choice is PrepaymentChoice.SHORTER else both.lower
    after_state = fold(terms, [*events, _event(option, day, amount)], day)
    assert [tuple(row[:5]) for row in after_state.coming_rows] == [
        (row.no, row.due, row.principal_minor, row.interest_minor, row.fee_minor) for row in option.rows
    ]
    assert after_state.refits == 0
    assert option.saved_minor >= 0
    # The last row gathers the rounding of the others: at most a minor unit of each.
    assert option.highest_minor <= max(row.total_minor for row in state.coming_rows) + count
    rest = [payment(f"r{row.no}", row.due, row.total_minor) for row in option.rows if row.total_minor]
    end = fold(terms, [*events, _event(option, day, amount), *rest], option.last_due)
    assert (end.status, end.credit_minor, end.late_accrued_minor) == (Status.PAID_OFF, 0, 0)
