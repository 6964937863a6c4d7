"""Figures that two persons have settled and that do more than judge: earlier reminders, longer retention."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import col

from activities.installments.agreement_steps import SqlAgreements
from models.contracts.agreements import CloseInput
from models.tables.agreements import Agreement
from models.tables.notices import Notice
from tests.support.daybook import ONE_DAY, START, Daybook, daybook, level_rows
from tests.support.rule_desk import settled_policy


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


def reminded(book: Daybook) -> list[str]:
    return [notice.business_key for notice in book.all(Notice, col(Notice.business_key).like("remind/%"))]


def test_reminders_go_out_as_early_as_the_bank_has_settled_and_from_that_day_on(book: Daybook) -> None:
    settled_policy(book.database, version="policy/1", since=START + ONE_DAY, now=book.clock(), reminder_lead_days=6)
    agreement = book.agree(rows=level_rows(2, start=date(2026, 10, 29)), on=date(2026, 10, 29))  # due in six days
    book.run_day(START)
    assert reminded(book) == []
    book.run_day(START + ONE_DAY)
    assert reminded(book) == [f"remind/{agreement.id}/1"]


@pytest.mark.parametrize(("figures", "years"), [({}, 10), ({"record_retention_years": 15}, 15)])
def test_what_is_closed_is_kept_for_as_long_as_the_bank_has_settled(
    book: Daybook, figures: dict[str, int], years: int
) -> None:
    settled_policy(book.database, version="policy/1", since=START, now=book.clock() - timedelta(days=1), **figures)
    agreement = book.agree()

    def end(session) -> None:
        row = session.get_one(Agreement, agreement.id)
        row.status = "settled"
        session.add(row)

    book.change(end)
    SqlAgreements(book.database, book.clock).close_agreement(CloseInput(case_token=agreement.case_token))
    closed = book.agreement(agreement)
    assert closed.kept_until == START.replace(year=START.year + years)
