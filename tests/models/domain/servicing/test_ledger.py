"""Postings: each event books what it changes, a changed past books the difference, and the books balance."""

from datetime import date

from models.domain.servicing.components import Component
from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold
from models.domain.servicing.ledger import Account, balances, postings
from tests.models.domain.servicing.histories import ACTIVATED, START, even_terms, payment, reversal

_DUE = date(2026, 2, 15)


def _booked(before, after, day: date) -> dict[Account, int]:
    lines = postings(before, after, business_date=day)
    assert sum(line.amount_minor for line in lines) == 0
    assert {line.business_date for line in lines} <= {day}
    return {line.account: line.amount_minor for line in lines}


def _fold(day: date, *events: Event):
    return fold(even_terms(), [ACTIVATED, *events], day)


def test_activation_takes_the_debt_over_from_the_card():
    assert _booked(None, _fold(START), START) == {
        Account.CARD_RECEIVABLE: -300_000,
        Account.INSTALLMENT_PRINCIPAL: 300_000,
    }


def test_interest_is_income_when_its_row_falls_due():
    before = _fold(date(2026, 2, 14))
    assert _booked(_fold(START), before, START) == {}
    assert _booked(before, _fold(_DUE), _DUE) == {Account.INTEREST_RECEIVABLE: 1_000, Account.INTEREST_INCOME: -1_000}


def test_a_payment_and_its_late_return():
    paid = payment("p", _DUE, 101_000)
    before, after = _fold(_DUE), _fold(_DUE, paid)
    assert _booked(before, after, _DUE) == {
        Account.BANK_CLEARING: 101_000,
        Account.INTEREST_RECEIVABLE: -1_000,
        Account.INSTALLMENT_PRINCIPAL: -100_000,
    }
    day = date(2026, 3, 1)
    quiet, returned = _fold(day, paid), _fold(day, paid, reversal("r", day, "p"))
    # The tail is recomputed: besides the money itself, late interest of the fourteen days is new.
    assert _booked(quiet, returned, day) == {
        Account.BANK_CLEARING: -101_000,
        Account.INTEREST_RECEIVABLE: 1_000,
        Account.INSTALLMENT_PRINCIPAL: 100_000,
        Account.LATE_INTEREST_RECEIVABLE: 700,
        Account.INTEREST_INCOME: -700,
    }


def test_surplus_is_owed_to_the_customer_until_it_is_refunded():
    surplus = payment("p", START, 5_000)
    refund = Event(id="f", kind=EventKind.REFUND, value_date=START, amount_minor=5_000)
    assert _booked(_fold(START), _fold(START, surplus), START) == {
        Account.BANK_CLEARING: 5_000,
        Account.CUSTOMER_CREDIT: -5_000,
    }
    assert _booked(_fold(START), _fold(START, surplus, refund), START) == {}
    returned = _fold(START, surplus, refund, reversal("r", START, "p"))
    assert _booked(_fold(START), returned, START) == {Account.BANK_CLEARING: -5_000, Account.SUSPENSE: 5_000}


def test_waivers_and_write_offs_are_expenses_and_recoveries_take_from_them():
    waiver = Event(id="w", kind=EventKind.WAIVER, value_date=_DUE, amount_minor=1_000, component=Component.INTEREST)
    assert _booked(_fold(_DUE), _fold(_DUE, waiver), _DUE) == {
        Account.INTEREST_RECEIVABLE: -1_000,
        Account.WAIVER_EXPENSE: 1_000,
    }
    off = Event(id="o", kind=EventKind.WRITTEN_OFF, value_date=_DUE)
    assert _booked(_fold(_DUE), _fold(_DUE, off), _DUE) == {
        Account.INSTALLMENT_PRINCIPAL: -300_000,
        Account.INTEREST_RECEIVABLE: -1_000,
        Account.WRITE_OFF_EXPENSE: 301_000,
    }
    day = date(2026, 6, 1)
    recovered = _booked(_fold(day, off), _fold(day, off, payment("p", day, 40_000)), day)
    assert recovered == {Account.BANK_CLEARING: 40_000, Account.WRITE_OFF_EXPENSE: -40_000}


def test_before_anything_is_booked_every_balance_is_zero():
    assert set(balances(None).values()) == {0}
