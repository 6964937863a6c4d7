"""Money that comes back after the end: a case that lives is told, of one that is closed somebody else hears."""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import col

from models.domain.servicing.events import EventKind, PaymentChannel
from models.domain.states import CaseStage
from models.operations.agreements import close, named
from models.operations.booking import book as book_events
from models.operations.daily_exceptions import can_retry
from models.operations.debit_orders import fail_order
from models.tables.agreements import Agreement
from models.tables.daily import DailyException, DebitOrder
from models.tables.installments import InstallmentCase
from models.tables.notices import Notice
from tests.support.daybook import ONE_DAY, START, Daybook, daybook, level_rows, workday

DUE = START + ONE_DAY
AFTER = DUE + ONE_DAY


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


def _book(book: Daybook, agreement: Agreement, kind: EventKind, on: date, **more) -> str:
    event = named(kind, business_key=f"test/{agreement.id}/{kind}", on=on, now=book.clock(), **more)

    def act(session) -> None:
        book_events(session, [(session.get_one(Agreement, agreement.id), [event])], as_of=on, now=book.clock())

    book.change(act)
    return event.event.id


def _paid_off(book: Daybook) -> tuple[Agreement, str]:
    """All its money is in, its case has heard so; then the day after begins."""
    agreement = book.agree(rows=level_rows(1, start=date(2026, 10, 24)))
    money = _book(book, agreement, EventKind.PAYMENT, START, amount_minor=101_000, channel=PaymentChannel.COUNTER)
    book.run_day(START)
    book.run_day(DUE)
    return agreement, money


@pytest.mark.parametrize("closed", [False, True], ids=["case lives", "case closed"])
def test_a_return_after_the_end_is_heard(book: Daybook, *, closed: bool) -> None:
    agreement, money = _paid_off(book)
    assert [item.split()[0] for item in book.news(agreement)] == ["settled"]
    if closed:
        book.change(lambda session: _close(session, agreement))
    _book(book, agreement, EventKind.REVERSAL, AFTER, target=money)
    book.run_day(AFTER, twice=True)
    told = sorted(item.split()[0] for item in book.news(agreement))
    items = book.all(DailyException, col(DailyException.code) == "reopened")
    if closed:
        assert told == ["missed", "settled"]
        assert [(item.step, item.target, item.state, can_retry(item)) for item in items] == [
            ("arrears", agreement.id, "OPEN", False)
        ]
        book.run_day(AFTER + ONE_DAY)
        assert [item.state for item in book.all(DailyException, col(DailyException.code) == "reopened")] == ["OPEN"]
    else:
        assert told == ["missed", "reopened", "settled"]
        assert items == []
    assert [notice.kind for notice in book.all(Notice, col(Notice.kind) == "missed-payment")] == ["missed-payment"]


@pytest.mark.parametrize(
    ("failed_on", "expected"),
    [
        (date(2026, 11, 25), date(2026, 11, 30)),  # three days later is a Saturday
        (date(2026, 11, 24), date(2026, 11, 27)),
    ],
)
def test_another_try_is_moved_to_a_bank_day_or_stays_where_no_calendar_speaks(
    book: Daybook, failed_on: date, expected: date
) -> None:
    agreement = book.agree(rows=level_rows(1, start=date(2026, 10, 24)))
    book.run_day(START)
    book.run_day(DUE)
    (order,) = book.orders(agreement)

    def no_table(_day: date) -> bool:
        raise LookupError

    tries = {}
    for name, calendar in (("calendar", workday), ("none", no_table)):
        with book.database.read() as session:
            kept = session.get_one(DebitOrder, order.id)
            then = fail_order(
                session, kept, state="REJECTED", reason="AM04", on=failed_on, now=book.clock(), is_bank_day=calendar
            )
            tries[name] = then.on
            session.rollback()
    assert tries == {"calendar": expected, "none": date.fromordinal(failed_on.toordinal() + 3)}


def _close(session, agreement: Agreement) -> None:
    head = session.get_one(Agreement, agreement.id)
    close(session, head, on=START)
    case = session.get_one(InstallmentCase, head.case_token)
    case.stage = CaseStage.ENDED
    session.add(case)
