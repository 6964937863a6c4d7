"""What events do to an agreement, one rule at a time, with figures worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from models.domain.schedules.rows import Row
from models.domain.servicing.components import Component
from models.domain.servicing.events import Event, EventKind, PrepaymentChoice
from models.domain.servicing.fold import UnknownTarget, effect_dates, fold, resume, tail_after
from models.domain.servicing.state import ReversalFact, Status
from models.domain.servicing.terms import AgreementTerms
from tests.models.domain.servicing.histories import ACTIVATED, START, even_terms, payment, reversal

_DUE = date(2026, 2, 15)


def _kind(kind: EventKind, day: date, **fields) -> Event:
    return Event(id=f"k-{kind}", kind=kind, value_date=day, **fields)


def test_days_past_due_begin_the_day_after_the_due_date():
    on_the_day, next_day = (fold(even_terms(), [ACTIVATED], _DUE + timedelta(days=days)) for days in (0, 1))
    assert (on_the_day.days_past_due, on_the_day.status) == (0, Status.ACTIVE)
    assert (next_day.days_past_due, next_day.status) == (1, Status.IN_ARREARS)
    assert next_day.oldest_unpaid_due == _DUE
    assert [row.days_past_due(next_day.as_of) for row in next_day.rows] == [1, 0, 0]


def test_a_row_short_by_the_tolerance_is_not_past_due():
    events = [ACTIVATED, payment("p", _DUE, 100_900)]
    day = _DUE + timedelta(days=5)
    assert fold(even_terms(tolerance_minor=100), events, day).days_past_due == 0
    assert fold(even_terms(tolerance_minor=99), events, day).days_past_due == 5


def test_late_interest_runs_on_overdue_principal_only():
    # 1,000.00 × 18 % × 30 / 360 = 15.00; from day 28 the second row is due but adds nothing until it is late.
    assert fold(even_terms(), [ACTIVATED], _DUE + timedelta(days=28)).late_accrued_minor == 1_400
    assert fold(even_terms(), [ACTIVATED], _DUE + timedelta(days=30)).late_accrued_minor == 1_600
    assert fold(even_terms(late_rate=Decimal(0)), [ACTIVATED], _DUE + timedelta(days=30)).late_accrued_minor == 0


def test_a_row_paid_on_its_day_bears_no_late_interest():
    state = fold(even_terms(), [ACTIVATED, payment("p", _DUE, 101_000)], _DUE + timedelta(days=20))
    assert (state.late_accrued_minor, state.rows_paid, state.status) == (0, 1, Status.ACTIVE)


def test_a_late_return_reopens_the_row_with_its_own_dates_and_stays_visible():
    returned = reversal("r", date(2026, 3, 1), "p")
    state = fold(even_terms(), [ACTIVATED, payment("p", _DUE, 101_000), returned], date(2026, 3, 1))
    assert (state.days_past_due, state.oldest_unpaid_due) == (14, _DUE)
    assert state.late_accrued_minor == 700
    assert state.received_minor == 0
    assert state.reversals == (ReversalFact("r", "p", date(2026, 3, 1)),)


def test_a_reversal_may_be_taken_back_itself():
    events = [ACTIVATED, payment("p", _DUE, 101_000), reversal("r", _DUE, "p"), reversal("rr", _DUE, "r")]
    state = fold(even_terms(), events, _DUE)
    assert state.rows_paid == 1
    assert [fact.id for fact in state.reversals] == ["r", "rr"]


def test_a_reversal_of_something_unknown_is_refused():
    with pytest.raises(UnknownTarget):
        fold(even_terms(), [ACTIVATED, reversal("r", _DUE, "nothing")], _DUE)
    with pytest.raises(UnknownTarget):
        effect_dates([reversal("a", _DUE, "b"), reversal("b", _DUE, "a")])


def test_paid_to_the_last_row_is_paid_off_and_reversal_opens_it_again():
    events = [ACTIVATED, *(payment(f"p{row.no}", row.due, row.total_minor) for row in even_terms().rows)]
    assert fold(even_terms(), events, date(2026, 4, 15)).status is Status.PAID_OFF
    reopened = fold(even_terms(), [*events, reversal("r", date(2026, 4, 20), "p3")], date(2026, 4, 20))
    assert (reopened.status, reopened.days_past_due) == (Status.IN_ARREARS, 5)


def test_before_activation_money_waits_and_nothing_is_due():
    state = fold(even_terms(), [payment("p", START, 500)], date(2026, 6, 1))
    assert (state.status, state.credit_minor, state.days_past_due) == (Status.PENDING, 500, 0)


def test_default_and_cure_are_said_by_events_and_cure_ends_with_the_next_miss():
    default = _kind(EventKind.DEFAULTED, date(2026, 3, 1))
    cured = _kind(EventKind.CURED, date(2026, 3, 10))
    paid = payment("p", date(2026, 3, 10), 120_000)
    assert fold(even_terms(), [ACTIVATED, default], date(2026, 3, 1)).status is Status.DEFAULTED
    assert fold(even_terms(), [ACTIVATED, default, paid, cured], date(2026, 3, 10)).status is Status.CURED
    assert fold(even_terms(), [ACTIVATED, default, paid, cured], date(2026, 3, 16)).status is Status.IN_ARREARS


def test_a_waiver_concedes_what_is_owed_and_no_more():
    waiver = _kind(EventKind.WAIVER, date(2026, 2, 25), amount_minor=99_999, component=Component.PENALTY)
    state = fold(even_terms(), [ACTIVATED, waiver], date(2026, 2, 25))
    assert (state.late_accrued_minor, state.late_unpaid_minor, state.waived_minor) == (500, 0, 500)


def test_a_waiver_of_interest_leaves_rows_to_come_alone_and_one_of_principal_takes_the_last():
    interest = Event(id="i", kind=EventKind.WAIVER, value_date=_DUE, amount_minor=5_000, component=Component.INTEREST)
    principal = Event(
        id="q", kind=EventKind.WAIVER, value_date=_DUE, amount_minor=120_000, component=Component.PRINCIPAL
    )
    state = fold(even_terms(), [ACTIVATED, interest, principal], _DUE)
    assert [row.waived_interest_minor for row in state.rows] == [1_000, 0, 0]
    assert [row.waived_principal_minor for row in state.rows] == [100_000, 0, 20_000]


def test_a_pause_moves_rows_and_may_stop_late_interest():
    rows = tuple(
        Row(no=number, due=date(2026, 3 + number, 15), principal_minor=100_000, interest_minor=1_000)
        for number in (2, 3)
    )
    pause = _kind(EventKind.PAUSE, date(2026, 2, 20), rows=rows, late_free_until=date(2026, 3, 20))
    state = fold(even_terms(), [ACTIVATED, pause], date(2026, 3, 25))
    # Five days before the pause and five after it, on the row that was missed: the pause does not hide it.
    assert state.late_accrued_minor == 500
    assert (state.days_past_due, state.due_count, state.refits) == (38, 1, 0)
    assert [row.due for row in state.rows] == [_DUE, date(2026, 5, 15), date(2026, 6, 15)]


def test_a_re_age_takes_all_unpaid_into_new_rows_and_clears_the_days():
    rows = tuple(
        Row(no=2 + index, due=date(2026, 4 + index, 1), principal_minor=70_000, interest_minor=900)
        for index in range(4)
    )
    part = payment("p", date(2026, 2, 15), 21_000)
    re_age = _kind(EventKind.RE_AGE, date(2026, 3, 20), rows=rows)
    state = fold(even_terms(), [ACTIVATED, part, re_age], date(2026, 3, 20))
    assert (state.days_past_due, state.unpaid_principal_minor, state.refits) == (0, 280_000, 0)
    assert [row.total_minor for row in state.rows] == [21_000, 0, *(70_900,) * 4]
    assert state.late_unpaid_minor == 1_570  # 800.00 for 33 days, 1,000.00 for 5; a re-age does not forgive it


def test_agreed_rows_are_fitted_when_an_earlier_payment_is_learnt_later():
    rows = (Row(no=2, due=date(2026, 3, 15), principal_minor=150_000, interest_minor=1_000),)
    prepaid = _kind(
        EventKind.PREPAYMENT, date(2026, 2, 20), amount_minor=50_000, choice=PrepaymentChoice.SHORTER, rows=rows
    )
    paid = payment("p", _DUE, 101_000)
    on_time = fold(even_terms(), [ACTIVATED, paid, prepaid], date(2026, 2, 20))
    assert (on_time.refits, on_time.prepaid_minor) == (0, 50_000)
    bounced = fold(even_terms(), [ACTIVATED, paid, prepaid, reversal("r", date(2026, 2, 25), "p")], date(2026, 2, 25))
    # The prepayment first pays the row that is open again, so that the rows agreed on no longer apply.
    assert bounced.prepaid_minor == 0
    assert [row.principal_minor for row in bounced.rows] == [100_000] * 3


def test_money_prepaid_beyond_the_whole_principal_settles():
    rows = (Row(no=2, due=date(2026, 3, 15), principal_minor=1, interest_minor=0),)
    prepaid = _kind(
        EventKind.PREPAYMENT, date(2026, 1, 25), amount_minor=301_000, choice=PrepaymentChoice.LOWER, rows=rows
    )
    state = fold(even_terms(), [ACTIVATED, prepaid], date(2026, 1, 25))
    # 3,000.00 × 12 % × 10 / 360 = 10.00 for the days used.
    assert (state.status, state.owed_in_all_minor, state.credit_minor) == (Status.SETTLED, 0, 0)


def test_a_settlement_that_falls_short_is_a_payment():
    short = _kind(EventKind.SETTLEMENT, date(2026, 1, 25), amount_minor=300_999)
    state = fold(even_terms(), [ACTIVATED, short], date(2026, 1, 25))
    assert (state.short_settlements, state.credit_minor, state.status) == (1, 300_999, Status.ACTIVE)


def test_written_off_debt_stands_still_and_takes_recoveries():
    off = _kind(EventKind.WRITTEN_OFF, date(2026, 5, 15))
    day = date(2026, 8, 1)
    state = fold(even_terms(), [ACTIVATED, off, payment("p", date(2026, 7, 1), 50_000)], day)
    assert state.status is Status.WRITTEN_OFF
    assert state.late_accrued_minor == 50 * (89 + 61 + 30)
    assert sum(row.paid_minor for row in state.rows) == 50_000  # more than 90 days past due: principal first


def test_a_refund_whose_payment_comes_back_is_owed_again_until_money_makes_it_good():
    surplus = payment("p", date(2026, 2, 1), 30_000)
    refund = _kind(EventKind.REFUND, date(2026, 2, 2), amount_minor=30_000)
    returned = reversal("r", date(2026, 2, 5), "p")
    assert fold(even_terms(), [ACTIVATED, surplus, refund], date(2026, 2, 3)).owed_now_minor == 0
    state = fold(even_terms(), [ACTIVATED, surplus, refund, returned], date(2026, 2, 5))
    assert (state.refund_gap_minor, state.owed_now_minor) == (30_000, 30_000)
    good = fold(even_terms(), [ACTIVATED, surplus, refund, returned, payment("n", date(2026, 2, 6), 30_500)], _DUE)
    assert (good.refund_gap_minor, good.rows[0].paid_minor) == (0, 500)


def test_a_snapshot_that_is_too_late_is_refused():
    events = [ACTIVATED, payment("p", _DUE, 101_000)]
    snapshot = fold(even_terms(), events, date(2026, 3, 1))
    with pytest.raises(UnknownTarget):
        resume(even_terms(), snapshot, [reversal("r", date(2026, 3, 2), "p")], date(2026, 3, 2))
    with pytest.raises(ValueError, match="its own"):
        resume(even_terms(), snapshot, [payment("l", _DUE, 1)], date(2026, 3, 2))
    with pytest.raises(ValueError, match="its own"):
        resume(even_terms(), snapshot, [], date(2026, 2, 28))


def test_a_reversal_booked_later_belongs_to_the_day_of_what_it_takes_back():
    events = [ACTIVATED, payment("p", _DUE, 101_000), reversal("r", date(2026, 3, 9), "p")]
    assert effect_dates(events)["r"] == _DUE
    assert tail_after(events, _DUE) == ()
    assert [event.id for event in tail_after(events, START)] == ["p", "r"]


def test_serviced_rows_equal_signed_rows():
    terms = even_terms()
    state = fold(terms, [ACTIVATED], date(2027, 1, 1))
    assert tuple(
        Row(
            no=row.no,
            due=row.due,
            principal_minor=row.principal_minor,
            interest_minor=row.interest_minor,
            fee_minor=row.fee_minor,
        )
        for row in state.rows
    ) == (terms.rows)


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": EventKind.PAYMENT, "amount_minor": 0},
        {"kind": EventKind.PAYMENT, "amount_minor": -5},
        {"kind": EventKind.DEFAULTED, "amount_minor": 5},
        {"kind": EventKind.REVERSAL},
        {"kind": EventKind.PAYMENT, "amount_minor": 5, "target": "p"},
        {"kind": EventKind.WAIVER, "amount_minor": 5},
        {"kind": EventKind.PREPAYMENT, "amount_minor": 5},
        {"kind": EventKind.RE_AGE},
        {"kind": EventKind.RE_AGE, "rows": (Row(no=1, due=START, principal_minor=1, interest_minor=0),)},
        {"kind": EventKind.CURED, "late_free_until": START},
    ],
)
def test_an_event_that_makes_no_sense_cannot_be_made(fields):
    with pytest.raises(ValueError, match=":"):
        Event(id="e", value_date=START, **fields)


def test_terms_that_make_no_sense_cannot_be_made():
    row = Row(no=1, due=START, principal_minor=1, interest_minor=0)
    with pytest.raises(ValueError, match="ascend"):
        AgreementTerms(rows=(row,), start=START, annual_rate=Decimal(0))
    with pytest.raises(ValueError, match="not negative"):
        AgreementTerms(rows=even_terms().rows, start=START, annual_rate=Decimal(-1))
