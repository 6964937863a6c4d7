"""Over many thousand random histories: what was learnt late changes nothing, and every sum closes."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import effect_dates, explain, fold, resume, tail_after
from models.domain.servicing.ledger import balances, postings, trial_balance
from models.domain.servicing.settlement import settlement_quote
from models.domain.servicing.snapshot import state_from, state_json
from models.domain.servicing.state import State, Status
from models.domain.servicing.terms import AgreementTerms
from tests.models.domain.servicing.histories import History, histories, many, reversal


def check_sums(terms: AgreementTerms, state: State) -> None:
    """Paid, waived and unpaid make up the rows, the rows the debt, and the uses of money the money."""
    assert sum(row.principal_minor for row in state.rows) + state.prepaid_minor + state.waived_elsewhere_minor == (
        terms.principal_minor
    )
    assert sum(row.paid_minor + row.waived_minor + row.unpaid_minor for row in state.rows) == sum(
        row.total_minor for row in state.rows
    )
    paid = sum(row.paid_minor for row in state.rows) + state.prepaid_minor + state.late_paid_minor
    assert paid + state.credit_minor + state.refunded_minor - state.refund_gap_minor == state.received_minor


def check_not_negative(state: State) -> None:
    numbers = [row.no for row in state.rows]
    assert numbers == sorted(set(numbers)), "a row is known by its number"
    for row in state.rows:
        assert min(row[2:]) >= 0
        assert min(row.unpaid_principal_minor, row.unpaid_interest_minor, row.unpaid_fee_minor) >= 0
    figures = (
        state.credit_minor,
        state.refund_gap_minor,
        state.late_unpaid_minor,
        state.late_paid_minor,
        state.late_waived_minor,
        state.prepaid_minor,
        state.carried_interest_minor,
        state.days_past_due,
    )
    assert min(figures) >= 0


@given(history=histories(), seed=st.randoms(use_true_random=False))
@many(1_200)
def test_late_insert_equals_having_had_it_in_time(history: History, seed):
    """Whichever way the facts arrive, the state is the same."""
    shuffled = list(history.events)
    seed.shuffle(shuffled)
    assert fold(history.terms, shuffled, history.as_of) == fold(history.terms, history.events, history.as_of)


@given(history=histories())
@many(1_500)
def test_insert_then_reverse_is_nothing_but_the_visible_fact(history: History):
    before = fold(history.terms, history.events, history.as_of)
    taken_back = reversal("zz", history.extra.value_date + timedelta(days=3), history.extra.id)
    after = fold(history.terms, (*history.events, history.extra, taken_back), history.as_of)
    assert replace(after, reversals=()) == replace(before, reversals=())
    shown = {fact.id for fact in after.reversals} - {fact.id for fact in before.reversals}
    assert shown == ({"zz"} if history.extra.value_date <= history.as_of else set())


@given(history=histories())
@many(2_000)
def test_sums_close_and_no_balance_is_negative(history: History):
    state = fold(history.terms, history.events, history.as_of)
    check_sums(history.terms, state)
    check_not_negative(state)
    if state.active:
        assert not state.credit_minor or not state.owed_now_minor, "money waits while something is due"
    assert (state.days_past_due > 0) == (state.oldest_unpaid_due is not None)


@given(history=histories())
@many(2_000)
def test_paying_the_quote_on_its_day_leaves_exactly_zero(history: History):
    state = fold(history.terms, history.events, history.as_of)
    if not state.active:
        return
    quote = settlement_quote(history.terms, state, agreement="a")
    assert sum(item.amount_minor for item in quote.items) == quote.amount_minor - quote.surplus_minor
    paid = Event(
        id="e5q", kind=EventKind.SETTLEMENT, value_date=history.as_of, amount_minor=quote.amount_minor, ref="q"
    )
    dates = effect_dates(history.events)
    events = (*(event for event in history.events if dates[event.id] <= history.as_of), paid)
    after = fold(history.terms, events, history.as_of)
    assert after.owed_in_all_minor == 0
    assert after.unpaid_principal_minor == 0
    assert after.credit_minor == quote.surplus_minor
    assert after.status in (Status.SETTLED, Status.PAID_OFF, Status.WRITTEN_OFF)
    assert sum(balances(after).values()) == 0
    assert fold(history.terms, events, history.as_of + timedelta(days=400)).owed_in_all_minor == 0


@given(history=histories(), cut=st.integers(0, 400))
@many(2_000)
def test_resume_equals_the_full_fold(history: History, cut: int):
    """From any earlier day's snapshot, stored and read back, the tail alone gives the same state."""
    day = min(history.as_of, history.as_of - timedelta(days=cut))
    snapshot = state_from(state_json(fold(history.terms, history.events, day)))
    tail = tail_after(history.events, day)
    assert resume(history.terms, snapshot, tail, history.as_of) == fold(history.terms, history.events, history.as_of)


@given(history=histories(), step=st.integers(1, 45))
@many(1_200)
def test_a_changed_past_is_recomputed_from_the_last_good_snapshot(history: History, step: int):
    """Snapshots before the changed day stay good; the tail after them, with the new fact, is all that is folded."""
    days = [history.as_of - timedelta(days=step * number) for number in range(12)]
    snapshots = {day: fold(history.terms, history.events, day) for day in days}
    events = (*history.events, history.extra)
    changed = effect_dates(events)[history.extra.id]
    good = [day for day in days if day < changed]
    if good:
        newest = max(good)
        again = resume(history.terms, snapshots[newest], tail_after(events, newest), history.as_of)
        assert again == fold(history.terms, events, history.as_of)


@given(history=histories())
@many(1_200)
def test_postings_balance_and_add_up_to_the_state(history: History):
    """Facts arrive in any order, days pass; each step posts its difference, and the journal equals the state."""
    journal, booked, known = [], None, []
    day = history.as_of
    for number, event in enumerate(_by_arrival(history.events)):
        known.append(event)
        day = history.as_of + timedelta(days=number)
        state = fold(history.terms, known, day)
        lines = postings(booked, state, business_date=day)
        assert sum(line.amount_minor for line in lines) == 0
        journal.extend(lines)
        booked = state
    if booked is not None:
        assert trial_balance(journal) == balances(fold(history.terms, history.events, day))


@given(history=histories())
@many(1_200)
def test_the_explanation_accounts_for_every_cent(history: History):
    """Lines of a payment add up to it, and to what the state says was paid."""
    lines = explain(history.terms, history.events, history.as_of)
    state = fold(history.terms, history.events, history.as_of)
    backed = {fact.target for fact in state.reversals}
    money = (EventKind.PAYMENT, EventKind.PREPAYMENT, EventKind.SETTLEMENT)
    for event in history.events:
        if event.kind in money and event.value_date <= history.as_of and event.id not in backed:
            mine = [line for line in lines if line.event_id == event.id]
            used = sum(line.amount_minor for line in mine)
            assert used == event.amount_minor
            assert all(line.amount_minor > 0 and line.rule for line in mine)


def _by_arrival(events: tuple[Event, ...]) -> list[Event]:
    """An order in which facts may become known: by id, but what takes back comes after what it takes back."""
    position = {event.id: index for index, event in enumerate(events)}
    early = sorted((event for event in events if event.target is None), key=lambda event: event.id)
    return early + sorted((event for event in events if event.target), key=lambda event: position[event.id])


def test_histories_are_worth_the_trouble():
    """The decoder reaches every kind of end: otherwise the properties above would prove little."""
    seen, kinds = set(), set()

    @given(history=histories())
    @many(400)
    def look(history: History) -> None:
        state = fold(history.terms, history.events, history.as_of + timedelta(days=200))
        seen.add(state.status)
        kinds.update(event.kind for event in history.events)

    look()
    assert set(Status) - {Status.CURED} <= seen
    assert set(EventKind) == kinds
