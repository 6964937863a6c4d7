"""Whom the daily run has called: once for each occasion, on its day, if the occasion still stands and a rule allows."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from activities.daily.chunks import DayWork
from activities.daily.follow_ups import call_after
from models.domain.daily import DayStep
from models.domain.states import OutboxKind
from models.domain.tokens import new_token
from models.operations.business_dates import Day
from models.tables.aftercare import FollowUp
from models.tables.agreements import Agreement
from models.tables.daily import Ticket
from models.tables.installments import CaseContact
from models.tables.platform import OutboxEntry
from tests.support.daybook import START, TENANT, Daybook, daybook, level_rows

WEEK = timedelta(days=7)


@pytest.fixture
def book(database, vault, clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Open books whose dates are looked at one by one, without the runs between them; so nobody keeps figures."""
    monkeypatch.setattr("activities.daily.chunks.count_in", lambda *_, **__: None)
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


def _call(book: Daybook, on: date) -> list[str]:
    """The half step of a date, twice; what stands on record then, as `kind state due`."""
    for _ in range(2):
        call_after(DayWork(book.database, book.clock, Day(tenant=TENANT, on=on), DayStep.REMINDERS))
    return [f"{row.kind} {row.state} {row.due_on}" for row in _all(book)]


def _all(book: Daybook) -> list[FollowUp]:
    return sorted(book.all(FollowUp), key=lambda row: (row.due_on, row.kind, row.attempt))


def _starts(book: Daybook) -> list[str]:
    return [row.workflow_id for row in book.all(OutboxEntry, col(OutboxEntry.kind) == OutboxKind.START)]


def _set(book: Daybook, agreement: Agreement, **values: object) -> None:
    book.change(
        lambda session: session.exec(update(Agreement).where(col(Agreement.id) == agreement.id).values(**values))
    )


def test_a_week_after_activation_the_customer_is_called_once(book: Daybook) -> None:
    agreement = book.agree(mandate=False)
    assert _call(book, START + WEEK - timedelta(days=1)) == []
    assert _call(book, START + WEEK) == [f"welcome OPEN {START + WEEK}"]
    [row] = _all(book)
    assert _starts(book) == [f"aftercare/{agreement.case_token}/{row.id}"]
    assert (row.schedule_version, row.attempt, row.anchor) == ("2026-11", 1, START)
    assert _call(book, START + WEEK + timedelta(days=1)) == [f"welcome OPEN {START + WEEK}"]


def test_the_first_missed_payment_is_followed_up_while_it_is_open_and_then_its_cure(book: Daybook) -> None:
    agreement = book.agree(mandate=False)
    due = date(2026, 12, 23)
    _set(book, agreement, oldest_unpaid_due=due, days_past_due=5, status="in-arrears")
    _call(book, due + timedelta(days=5))
    _set(book, agreement, oldest_unpaid_due=None, days_past_due=0, status="active")
    noticed = due + timedelta(days=8)
    assert _call(book, noticed)[1:] == [f"cured PLANNED {noticed + timedelta(days=3)}"]
    assert _call(book, noticed + timedelta(days=3))[1:] == [f"cured OPEN {noticed + timedelta(days=3)}"]
    # A second one is the case's own affair: the officer has been told.
    _set(book, agreement, oldest_unpaid_due=date(2027, 1, 23), days_past_due=5, status="in-arrears")
    assert len(_call(book, date(2027, 1, 28))) == 2


def test_a_call_whose_occasion_has_gone_is_skipped_and_that_is_on_record(book: Daybook) -> None:
    agreement = book.agree(mandate=False)
    _set(book, agreement, status="paid-off", days_past_due=0)
    assert _call(book, START + WEEK) == [f"welcome SKIPPED {START + WEEK}"]
    assert (_all(book)[0].reason_code, _starts(book)) == ("situation-changed", [])


def test_before_the_last_row_and_after_the_close(book: Daybook) -> None:
    agreement = book.agree(mandate=False, rows=level_rows(2))
    assert _call(book, date(2026, 12, 16)) == []  # before the first of two rows
    assert _call(book, date(2027, 1, 16)) == ["last-row OPEN 2027-01-16"]
    _set(book, agreement, status="paid-off", closed_on=date(2027, 1, 24))
    assert _call(book, date(2027, 2, 23))[1:] == ["closed OPEN 2027-02-23"]


def test_a_call_that_a_rule_forbids_waits_for_the_next_run(book: Daybook) -> None:
    agreement = book.agree(mandate=False)
    complaint = Ticket(
        id=new_token("tkt"),
        tenant=TENANT,
        case_token=agreement.case_token,
        kind="conduct",
        state="OPEN",
        due_at=book.clock(),
        opened_by="test",
        created_at=book.clock(),
    )
    ticket_id = complaint.id
    book.change(lambda session: session.add(complaint))
    assert _call(book, START + WEEK) == [f"welcome PLANNED {START + WEEK}"]
    book.change(lambda session: session.exec(update(Ticket).where(col(Ticket.id) == ticket_id).values(state="DONE")))
    assert _call(book, START + WEEK + timedelta(days=1)) == [f"welcome OPEN {START + WEEK}"]


def test_who_refused_to_talk_is_not_called(book: Daybook) -> None:
    agreement = book.agree(mandate=False)
    refused = CaseContact(
        id=new_token("con"),
        tenant=TENANT,
        case_token=agreement.case_token,
        channel="phone",
        direction="out",
        result_code="refused-to-talk",
        by_staff="test",
        at=book.clock(),
    )
    book.change(lambda session: session.add(refused))
    assert _call(book, START + WEEK) == [f"welcome PLANNED {START + WEEK}"]


def test_the_step_of_reminders_does_it(sqlite_database, vault, clock, tmp_path: Path) -> None:
    with daybook(sqlite_database, vault, clock, tmp_path, with_bank=False, today=START + WEEK) as book:
        book.agree(mandate=False, on=START)
        for step in ("begin", "reminders", "reminders"):
            book.run_step(step, START + WEEK)
        with book.database.read() as session:
            assert session.exec(select(FollowUp.kind)).all() == ["welcome"]
        assert book.run_of(START + WEEK).figures["reminders"] == {
            "followUpsPlanned": 1,
            "followUps": 1,
            "followUpsSkipped": 0,
        }
