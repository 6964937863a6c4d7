"""Books against bank: all that was planted is found, once each, and nothing else is."""

import time
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.daily import OrderState
from models.domain.reconciliation.compare import reconcile
from models.domain.reconciliation.differences import About, Kind
from models.domain.reconciliation.tolerance import DEFAULT_TOLERANCE, last_day
from tests.models.domain.reconciliation.planted import AS_OF, FAULTS, clean, settled, side_by_side, workday
from tests.models.domain.servicing.histories import many


def _compared(movements):
    return reconcile(side_by_side(movements), is_bank_day=workday)


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 60))
@many(100)
def test_sides_that_agree_give_no_difference(seed: int, rows: int):
    rng = Random(seed)
    result = _compared([clean(number, rng) for number in range(rows)])
    assert result.differences == ()
    assert result.agreeing + result.pending <= result.lines + result.orders


@given(seed=st.integers(0, 2**32), faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=20))
@many(150)
def test_every_planted_fault_is_found_once_and_nothing_else(seed: int, faults):
    rng = Random(seed)
    movements = [clean(number, rng) for number in range(20)]
    planted = []
    for number, fault in enumerate(faults, start=100):
        movement = settled(number, rng)
        planted.append(fault(movement, rng))
        movements.append(movement)
    rng.shuffle(movements)
    found = list(_compared(movements).differences)
    assert len(found) == len(planted)
    for each in planted:
        told = [difference for difference in found if each.is_told_by(difference)]
        assert told, (each, found)
        found.remove(told[0])


def test_a_hundred_faults_among_ten_thousand_rows_within_ten_seconds():
    rng = Random(20_261_121)
    movements = [clean(number, rng) for number in range(10_000)]
    assert _compared(movements).differences == ()
    planted = []
    for number in range(100):
        movement = settled(20_000 + number, rng)
        planted.append(FAULTS[number % len(FAULTS)](movement, rng))
        movements.append(movement)
    rng.shuffle(movements)
    begun = time.perf_counter()
    result = _compared(movements)
    took = time.perf_counter() - begun
    found = list(result.differences)
    hits = sum(any(each.is_told_by(difference) for difference in found) for each in planted)
    assert (hits, len(found)) == (100, 100)
    assert took < 10


def test_an_answer_is_awaited_for_the_tolerance_and_no_longer():
    movement = settled(1, Random(1))
    assert movement.order is not None
    until = last_day(movement.order.requested_on, DEFAULT_TOLERANCE.settles_within, is_bank_day=workday)
    movement.order, movement.lines = replace(movement.order, state=OrderState.SENT, paid=()), []
    movement.clearing = None
    accounts = side_by_side([movement])
    waiting = reconcile(replace(accounts, as_of=until), is_bank_day=workday)
    assert (waiting.pending, waiting.differences) == (1, ())
    late = reconcile(replace(accounts, as_of=until + timedelta(days=1)), is_bank_day=workday)
    assert [(each.kind, each.expected_on) for each in late.differences] == [(Kind.UNANSWERED, until)]


@pytest.mark.parametrize(
    ("asked", "days", "until"),
    [
        (date(2026, 11, 20), 2, date(2026, 11, 24)),  # a Friday: over the weekend
        (date(2026, 11, 21), 2, date(2026, 11, 24)),
        (date(2026, 11, 23), 0, date(2026, 11, 23)),
    ],
)
def test_tolerance_counts_banking_days(asked: date, days: int, until: date):
    assert last_day(asked, days, is_bank_day=workday) == until


def test_days_without_a_calendar_are_granted_generously():
    def unannounced(day: date) -> bool:
        raise LookupError(day)

    assert last_day(date(2031, 1, 1), 2, is_bank_day=unannounced) == date(2031, 1, 13)


def test_a_transfer_that_the_bank_does_not_know_is_named_when_its_time_is_over():
    rng = Random(3)
    movement = settled(1, rng)
    by_hand = replace(movement.order.paid[0], event_id="t", reference="NEVER-CAME")
    accounts = replace(side_by_side([movement]), transfers=(by_hand,))
    found = reconcile(accounts, is_bank_day=workday)
    assert [(each.kind, each.about, each.event_id) for each in found.differences] == [
        (Kind.MISSING_AT_BANK, About.TRANSFER, "t")
    ]
    early = reconcile(replace(accounts, as_of=by_hand.booked_on), is_bank_day=workday)
    assert (early.differences, early.pending) == ((), 1)
    assert by_hand.booked_on < AS_OF


def test_money_of_nobody_is_told_in_the_period_alone():
    movement = settled(1, Random(5))
    line = replace(movement.lines[0], order_id=None, end_to_end_id=None, reference=None)
    accounts = replace(side_by_side([]), lines=(line,))
    assert [each.kind for each in reconcile(accounts, is_bank_day=workday).differences] == [Kind.ORPHAN]
    before = replace(accounts, last=line.value_date - timedelta(days=1), first=line.value_date - timedelta(days=9))
    assert reconcile(before, is_bank_day=workday).differences == ()
