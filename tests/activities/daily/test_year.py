"""A year of fifty agreements by daily runs: month ends, a leap day and holidays; each row is debited once."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from models.domain.schedules.due_dates import Rhythm
from models.domain.schedules.rows import Row
from models.domain.servicing.ledger import Account
from models.queries.ledger import trial_balance
from tests.support.daybook import ONE_DAY, TENANT, Daybook, daybook
from tests.support.reconciling import reconciled

OPENED = date(2027, 2, 25)
LEAP_DAY = date(2028, 2, 29)
LAST = date(2028, 3, 10)
LIVES, MONTHS = 50, 12
# Labour Day, the National Day week, and a Spring Festival: as such weeks lie, on weekdays.
HOLIDAYS = (
    *(date(2027, 5, 3) + number * ONE_DAY for number in range(3)),
    *(date(2027, 10, 1) + number * ONE_DAY for number in range(7)),
    *(date(2028, 1, 25) + number * ONE_DAY for number in range(7)),
)
DUE_DAYS = (1, 15, 28, 29, 30, 31)


@pytest.fixture
def book(sqlite_database, vault, clock, tmp_path: Path) -> Iterator[Daybook]:
    weekdays = [day for day in HOLIDAYS if day.weekday() < 5]
    with daybook(sqlite_database, vault, clock, tmp_path, today=OPENED, holidays=weekdays) as opened:
        yield opened


def rows_of(number: int) -> tuple[Row, ...]:
    """Twelve rows from March 2027 to February 2028, on one of the awkward days of the month."""
    seed = date(2027, 3, DUE_DAYS[number % len(DUE_DAYS)])
    return tuple(
        Row(no=no, due=Rhythm().step(seed, no - 1), principal_minor=10_000 + number, interest_minor=100, fee_minor=0)
        for no in range(1, MONTHS + 1)
    )


@pytest.mark.long
@pytest.mark.timeout(900)
def test_fifty_lives_of_twelve_months_are_six_hundred_debits_each_once_at_the_bank(book: Daybook) -> None:
    signed = {book.agree(rows=rows_of(number), on=OPENED).id: rows_of(number) for number in range(LIVES)}
    dues = {row.due for rows in signed.values() for row in rows}
    assert LEAP_DAY in dues
    assert {29, 30, 31} <= {day.day for day in dues}
    assert any(day in HOLIDAYS for day in dues)
    assert any(day.weekday() >= 5 for day in dues)
    while (today := book.today()) <= LAST:
        book.run_day(today)
        with book.database.read() as session:
            assert sum(trial_balance(session, tenant=TENANT, on=today).values()) == 0
    book.check_books(LAST)

    assert book.bank is not None
    taken = [entry.debit for entry in book.bank.entries()]
    assert len(taken) == len({debit.end_to_end_id for debit in taken}) == LIVES * MONTHS == 600
    asked = Counter((order.agreement_id, order.row_no) for order in book.orders())
    assert asked == Counter({(token, row.no): 1 for token, rows in signed.items() for row in rows})
    for order in book.orders():
        row = signed[order.agreement_id][order.row_no - 1]
        assert (order.amount_minor, order.state) == (row.total_minor, "SETTLED")
        assert row.due <= order.requested_on <= row.due + timedelta(days=len(HOLIDAYS))
    whole = sum(row.total_minor for rows in signed.values() for row in rows)
    assert sum(debit.amount_minor for debit in taken) == whole
    assert book.check_books(LAST)[Account.BANK_CLEARING] == whole
    assert book.exceptions() == []
    for files in (False, True):
        result = reconciled(book, OPENED, LAST, files=files)
        assert (result.orders, result.agreeing, result.differences) == (600, 600, ())
