"""Lives of agreements over months of daily runs against an independent bank: money in, ledger, rows, news."""

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from deploy.demo.mock_bank import ACCOUNT_CLOSED, INSUFFICIENT_FUNDS, MANDATE_GONE, rejected, returned
from models.domain.servicing.ledger import Account
from tests.support.daybook import START, Daybook, daybook, fate_of, level_rows

SIGNED = date(2026, 10, 27)
FIRST_DUE = date(2026, 11, 27)  # some days after the books are opened


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
def sqlite_book(sqlite_database, vault, clock, tmp_path: Path):
    with daybook(sqlite_database, vault, clock, tmp_path) as opened:
        yield opened


def test_a_row_paid_as_agreed_is_debited_once_and_is_no_news(sqlite_book: Daybook) -> None:
    agreement = sqlite_book.agree(rows=level_rows(2, start=SIGNED))
    sqlite_book.run_until(FIRST_DUE + timedelta(days=36))
    assert [
        (order.row_no, order.attempt, order.amount_minor, order.state) for order in sqlite_book.orders(agreement)
    ] == [(no, 1, 101_000, "SETTLED") for no in (1, 2)]
    assert sqlite_book.agreement(agreement).status == "paid-off"
    assert [item.split()[0] for item in sqlite_book.news(agreement)] == ["settled"]
    assert sqlite_book.exceptions() == []
    balance = sqlite_book.check_books(sqlite_book.today())
    assert balance[Account.BANK_CLEARING] == 202_000
    assert balance[Account.INSTALLMENT_PRINCIPAL] == balance[Account.CUSTOMER_CREDIT] == 0


def test_a_missed_row_is_tried_again_and_cured(sqlite_book: Daybook) -> None:
    agreement = sqlite_book.agree(rows=level_rows(2, start=SIGNED))
    fate_of(sqlite_book, agreement, rejected(INSUFFICIENT_FUNDS))
    sqlite_book.run_until(FIRST_DUE + timedelta(days=10))
    first, again = sorted(sqlite_book.orders(agreement), key=lambda order: order.attempt)
    assert (first.state, first.reason_code, again.state, again.attempt) == ("REJECTED", "AM04", "SETTLED", 2)
    assert again.amount_minor > 101_000  # late interest of the days between
    assert [item.split()[0] for item in sqlite_book.news(agreement)] == ["missed", "cured"]
    assert sqlite_book.agreement(agreement).days_past_due == 0
    assert sqlite_book.agreement(agreement).owed_minor == 0


def test_a_late_return_opens_the_row_again(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(2, start=SIGNED))
    fate_of(book, agreement, returned(INSUFFICIENT_FUNDS, days=5))
    book.run_until(FIRST_DUE + timedelta(days=20))
    assert book.events(agreement)[:3] == ["activated", "payment", "reversal"]
    assert [order.state for order in sorted(book.orders(agreement), key=lambda o: o.attempt)] == ["RETURNED", "SETTLED"]
    assert [item.split()[0] for item in book.news(agreement)] == ["missed", "cured"]
    assert book.check_books(book.today())[Account.BANK_CLEARING] == sum(
        order.amount_minor for order in book.orders(agreement) if order.state == "SETTLED"
    )


@pytest.mark.long
def test_a_mandate_that_is_gone_is_not_debited_again_and_the_ladder_is_climbed(sqlite_book: Daybook) -> None:
    book = sqlite_book
    agreement = book.agree(rows=level_rows(5, start=SIGNED))
    fate_of(book, agreement, rejected(MANDATE_GONE))
    book.run_until(FIRST_DUE + timedelta(days=95))
    assert len(book.orders(agreement)) == 1
    assert [item.split()[0] for item in book.news(agreement)] == ["missed", "default-due"]


def test_a_due_date_on_a_weekend_is_not_missed(book: Daybook) -> None:
    saturday = date(2026, 11, 28)
    agreement = book.agree(rows=level_rows(1, start=date(2026, 10, 28), interest=500))
    assert book.rows(agreement)[0].due == saturday
    book.run_until(saturday + timedelta(days=6))
    assert [order.state for order in book.orders(agreement)] == ["SETTLED"]
    assert [item.split()[0] for item in book.news(agreement)] == ["settled"]
    assert book.check_books(book.today())[Account.INTEREST_INCOME] == -500  # no late interest for the bank's weekend


@pytest.mark.long
@pytest.mark.timeout(300)
def test_thirteen_months_of_many_lives_debit_each_row_once(sqlite_book: Daybook) -> None:
    book = sqlite_book
    rows = level_rows(12)
    kept = [book.agree(rows=rows) for _ in range(3)]
    missed, late, closed = (book.agree(rows=rows) for _ in range(3))
    fate_of(book, missed, rejected(), rejected())
    fate_of(book, late, returned(days=2))
    fate_of(book, closed, rejected(ACCOUNT_CLOSED))
    book.run_until(START + timedelta(days=395))
    for agreement in kept:
        assert Counter(order.row_no for order in book.orders(agreement)) == dict.fromkeys(range(1, 13), 1)
        assert [(row.no, row.due, row.principal_minor, row.interest_minor) for row in book.rows(agreement)] == [
            (row.no, row.due, row.principal_minor, row.interest_minor) for row in rows
        ]
    for agreement in (*kept, missed, late, closed):
        assert book.agreement(agreement).status == "paid-off", book.orders(agreement)
    settled = [order for order in book.orders() if order.state == "SETTLED"]
    assert book.check_books(book.today())[Account.BANK_CLEARING] == sum(order.amount_minor for order in settled)
