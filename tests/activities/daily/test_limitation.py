"""Each debit and each notice that asks for money interrupts limitation on its day, and can be read by case."""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from models.domain.notices import NoticeState
from models.domain.servicing.events import EventKind, PaymentChannel
from models.operations.agreements import named
from models.operations.booking import book as book_events
from models.queries.limitation import limitation_events
from models.tables.agreements import Agreement
from models.tables.notices import Notice
from tests.support.daybook import ONE_DAY, START, Daybook, daybook, level_rows


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


def test_debits_that_stay_and_notices_that_went_out_interrupt_limitation(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(3, start=date(2026, 10, 24)))
    book.run_day(START)  # reminds of the row that is due tomorrow
    now = book.clock()

    def paid(key: str, channel: PaymentChannel) -> object:
        return named(EventKind.PAYMENT, business_key=key, on=START, now=now, amount_minor=1_000, channel=channel)

    kept, returned = paid("debit/1", PaymentChannel.DEBIT), paid("debit/2", PaymentChannel.DEBIT)
    counter = paid("counter/1", PaymentChannel.COUNTER)
    back = named(EventKind.REVERSAL, business_key="return/2", on=START + ONE_DAY, now=now, target=returned.event.id)

    def act(session) -> None:
        fresh = session.get_one(Agreement, agreement.id)
        book_events(session, [(fresh, [kept, returned, counter, back])], as_of=START + ONE_DAY, now=now)

    book.change(act)
    [notice] = book.all(Notice)

    def read() -> list[tuple[date, str, str]]:
        with book.database.read() as session:
            return [
                (each.on, each.kind.value, each.record) for each in limitation_events(session, agreement.case_token)
            ]

    assert read() == [(START, "debit", kept.event.id)]  # nothing was sent yet

    def send(session) -> None:
        row = session.exec(select(Notice)).one()
        row.state, row.sent_at = NoticeState.SENT, now
        session.add(row)

    book.change(send)
    assert read() == [(START, "debit", kept.event.id), (START, "notice", notice.id)]
