"""A quiet date: what the steps would not find is not looked for, and whatever there is makes a date busy.

The books of these tests run every step of a quiet date all the same, and fail if anything came of it.
"""

from datetime import date, timedelta

import pytest
from sqlmodel import col, update

from activities.daily import quiet
from activities.daily.quiet import QUESTIONS, SKIPPED
from models.domain.daily import DayStep, ExceptionState
from models.operations.business_dates import Day, note_exception
from models.tables.agreements import Agreement
from models.tables.daily import DailyException
from tests.support.daybook import ONE_DAY, START, TENANT, daybook, level_rows

FIRST_DUE = date(2026, 11, 26)
REMIND = FIRST_DUE - timedelta(days=3)
LATER = date(2026, 12, 15)  # nothing of the agreement falls on it


@pytest.fixture
def book(sqlite_database, vault, clock, tmp_path):
    """Books with one agreement, whose first row falls due within the month."""
    with daybook(sqlite_database, vault, clock, tmp_path) as opened:
        opened.agree(rows=level_rows(2, start=date(2026, 10, 26)))
        yield opened


def test_most_dates_of_one_agreement_are_quiet_and_those_that_matter_are_not(book) -> None:
    book.run_until(LATER)
    dates = {START + timedelta(days=number) for number in range((LATER - START).days + 1)}
    busy = dates - book.quiet.keys()
    assert {REMIND, FIRST_DUE, FIRST_DUE + ONE_DAY} <= busy
    assert len(book.quiet) > len(dates) / 2


def test_the_record_of_a_quiet_date_names_every_step(book) -> None:
    book.run_until(LATER)
    assert LATER in book.quiet
    finished = book.run_of(LATER).figures["finished"]
    assert sorted(finished) == sorted(step.value for step in DayStep)
    assert [book.run_of(LATER).figures[step.value] for step in SKIPPED] == [{}] * len(SKIPPED)


def test_whatever_somebody_wants_tried_again_makes_a_date_busy(book) -> None:
    book.run_until(LATER - ONE_DAY)
    with book.database.write() as session:
        note_exception(
            session,
            Day(tenant=TENANT, on=LATER - ONE_DAY),
            step=DayStep.ARREARS,
            target=book.all(Agreement)[0].id,
            code="Broken",
            now=book.clock(),
        )
        session.flush()
        session.exec(update(DailyException).values(state=ExceptionState.RETRY))
    book.run_day(LATER)
    assert LATER not in book.quiet
    assert [item.state for item in book.all(DailyException)] == [ExceptionState.DONE]


@pytest.mark.parametrize("left_out", ["rows-due", "to-remind"])
def test_teeth_a_question_that_is_not_asked_is_noticed(book, monkeypatch: pytest.MonkeyPatch, left_out: str) -> None:
    # An agreement is touched on its due date as well; a plan that forgot either would be a plan that forgot the row.
    asked = {name: ask for name, ask in QUESTIONS.items() if name not in {left_out, "touched", "occasions", "calls"}}
    monkeypatch.setattr(quiet, "QUESTIONS", asked)
    with pytest.raises(AssertionError, match="was not quiet"):
        book.run_until(FIRST_DUE)


def test_an_agreement_that_is_overdue_leaves_no_date_quiet(book) -> None:
    book.run_until(LATER - ONE_DAY)
    with book.database.write() as session:
        session.exec(update(Agreement).where(col(Agreement.tenant) == TENANT).values(oldest_unpaid_due=FIRST_DUE))
    assert book.run_step("begin", LATER).is_open
    assert not book.run_step("take_replies", LATER).is_quiet
