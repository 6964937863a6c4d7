"""Dates that may be run together: until the next row, the next try, the next rung, or while the bank owes an answer."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import INSUFFICIENT_FUNDS, MANDATE_GONE, rejected
from deploy.demo.quiet import next_busy_date
from models.database.engine import Database
from models.operations.debit_orders import forget_retries
from tests.support.clock import FakeClock
from tests.support.daybook import TENANT, Daybook, daybook, fate_of, level_rows

FIRST_DUE = date(2026, 11, 24)  # the second date of the books


@pytest.fixture
def book(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[Daybook]:
    with daybook(sqlite_database, vault, clock, tmp_path) as opened:
        yield opened


def busy(book: Daybook) -> date | None:
    with book.database.read() as session:
        return next_busy_date(session, tenant=TENANT, today=book.today())


def test_nothing_is_ahead_without_agreements(book: Daybook) -> None:
    assert busy(book) is None


def test_quiet_until_a_row_falls_due_and_while_its_debit_is_under_way_not_at_all(book: Daybook) -> None:
    book.agree(rows=level_rows(2, start=date(2026, 10, 24)))
    assert busy(book) == FIRST_DUE
    book.run_until(FIRST_DUE)
    assert busy(book) == book.today()
    book.run_until(FIRST_DUE + timedelta(days=1))
    assert busy(book) == date(2026, 12, 24)


def test_a_next_try_ends_the_quiet_and_so_does_a_rung_where_there_is_none(book: Daybook) -> None:
    poor, gone = (book.agree(rows=level_rows(1, start=date(2026, 10, 24))) for _ in range(2))
    fate_of(book, poor, rejected(INSUFFICIENT_FUNDS))
    fate_of(book, gone, rejected(MANDATE_GONE))
    book.run_until(FIRST_DUE + timedelta(days=1))
    assert busy(book) == book.orders(poor)[0].next_try_on
    book.change(lambda session: forget_retries(session, agreement_id=poor.id, row_no=1))
    assert busy(book) == FIRST_DUE + timedelta(days=7)
