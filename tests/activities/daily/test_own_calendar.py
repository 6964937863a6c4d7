"""The daily run by the bank's own calendar: an unknown year moves nothing, an uploaded one does, orders stay."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from deploy.bank import is_bank_day
from models.domain.bank_calendar import CalendarDay, days_of_year, year_of_days
from models.domain.daily import NO_CALENDAR
from models.domain.rule_desk import DraftKind
from models.domain.tokens import new_token
from models.operations.rule_desk import NewDraft, add_draft, decide_draft
from models.queries.bank_days import bank_days_of
from models.tables.daily import DebitOrder
from models.tables.installments import RuleVerdict
from tests.support.daybook import ONE_DAY, TENANT, Daybook, daybook, level_rows
from tests.support.rule_desk import settled_policy

NEW_YEAR = date(2027, 1, 1)
FIRST_OPEN = date(2027, 1, 4)


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path, with_bank=False, today=NEW_YEAR - 4 * ONE_DAY) as opened:
        by_fixture = opened.steps.bank_of

        def bank_of(tenant: str):
            with database.read() as session:
                days = bank_days_of(session, tenant, otherwise=is_bank_day)
            return replace(by_fixture(tenant), is_bank_day=days)

        opened.steps.bank_of = bank_of
        yield opened


def upload(book: Daybook, version: str, *, closed: tuple[date, ...] = ()) -> None:
    days = [
        CalendarDay(day=day, is_open=day.weekday() < 5 and day not in (NEW_YEAR, *closed)) for day in days_of_year(2027)
    ]
    draft_id = new_token("rdr")
    new = NewDraft(
        id=draft_id, tenant=TENANT, kind=DraftKind.CALENDAR, version=version, valid_from=NEW_YEAR,
        definition=year_of_days(2027, days).as_record(),
    )  # fmt: skip

    def act(session) -> None:
        now = book.clock()
        add_draft(session, new, shown_hash=draft_id, by_staff="s1", by_person="p1", now=now)
        decide_draft(
            session, tenant=TENANT, draft_id=draft_id, shown_hash=draft_id, approve=True,
            by_staff="s2", by_person="p2", earliest=NEW_YEAR, now=now,
        )  # fmt: skip

    book.change(act)


def collected(book: Daybook) -> date:
    """The day on which the bank is asked to take the row that is due on New Year's Day, by the calendar of the step."""
    from activities.daily.calendar import BankCalendar
    from activities.daily.chunks import DayWork
    from models.domain.daily import DayStep
    from models.operations.business_dates import Day

    work = DayWork(book.database, book.clock, Day(tenant=TENANT, on=NEW_YEAR), DayStep.ORDERS)
    days = book.steps.bank_of(TENANT).is_bank_day
    return BankCalendar(replace(work, is_bank_day=days)).collection_date(NEW_YEAR)


def run_to_new_year(book: Daybook) -> None:
    while (today := book.today()) <= NEW_YEAR:
        book.run_day(today)


def agreed(book: Daybook):
    return book.agree(rows=level_rows(2, start=date(2026, 12, 1)), on=date(2026, 12, 28))


def test_a_year_that_nobody_announced_moves_no_debit_and_says_so(book: Daybook) -> None:
    agreed(book)
    run_to_new_year(book)
    assert collected(book) == NEW_YEAR
    assert NO_CALENDAR in {code for _, code in book.exceptions()}


def test_an_uploaded_year_moves_the_debit_to_the_next_bank_day(book: Daybook) -> None:
    agreed(book)
    upload(book, "2027/1")
    run_to_new_year(book)
    assert collected(book) == FIRST_OPEN
    assert NO_CALENDAR not in {code for _, code in book.exceptions()}
    (order,) = book.all(DebitOrder)
    assert order.requested_on == NEW_YEAR


def test_another_calendar_moves_what_is_made_after_it_and_leaves_what_was_made(book: Daybook) -> None:
    agreed(book)
    upload(book, "2027/1")
    run_to_new_year(book)
    before = [(order.id, order.requested_on, order.state, order.file_id) for order in book.all(DebitOrder)]
    book.clock.advance(timedelta(minutes=1))
    upload(book, "2027/2", closed=(FIRST_OPEN,))
    assert collected(book) == FIRST_OPEN + ONE_DAY
    assert [(order.id, order.requested_on, order.state, order.file_id) for order in book.all(DebitOrder)] == before


def test_the_policy_of_the_business_date_is_asked_before_a_debit(book: Daybook) -> None:
    """A debit after a reminder that was too late for the bank is barred under the name of its policy."""
    since = date(2026, 12, 29)
    settled_policy(book.database, version="policy/1", since=since, now=book.clock(), reminder_lead_days=3)
    upload(book, "2027/1")
    for day in (date(2026, 12, 28), date(2026, 12, 29), date(2026, 12, 30)):
        book.run_day(day)
    late = agreed(book)  # its row falls due in two days: it cannot be told in time
    for day in (date(2026, 12, 31), NEW_YEAR):
        book.run_day(day)
    assert book.orders(late) == []
    with book.database.read() as session:
        (verdict,) = session.exec(select(RuleVerdict)).all()
    assert (verdict.rule_id, verdict.result, verdict.reason) == ("CCM-67", "FAIL", "stricter-policy")
    assert verdict.params["reminder_lead_days"]["source"] == "bank policy policy/1"
