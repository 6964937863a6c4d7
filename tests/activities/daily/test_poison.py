"""Poison in a daily run (R29): one agreement of a thousand cannot be folded; it is parked, and the others go on."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import Session, col, select

from compliance.vault.cells import RowAddress
from models.domain.schedules.rows import Row
from models.domain.tokens import new_case_token, new_token, uuid7
from models.tables.agreements import Agreement, AgreementEvent, AgreementRow, LedgerEntry, Mandate
from models.tables.daily import DailyException
from models.tables.installments import InstallmentCase
from tests.support.daybook import ONE_DAY, START, TENANT, Daybook, daybook

FIRST_DUE = START + 3 * ONE_DAY  # time for its reminder
ROW = Row(no=1, due=FIRST_DUE, principal_minor=100_000, interest_minor=100, fee_minor=0)


@pytest.fixture
def book(sqlite_database, vault, clock, tmp_path: Path):
    with daybook(sqlite_database, vault, clock, tmp_path) as opened:
        yield opened


def copies_of(book: Daybook, agreement: Agreement, count: int) -> list[str]:
    """So many agreements like one that was put in force, of the same customer; their ids."""
    tokens = [(new_token("agr"), new_case_token(TENANT), new_token("mdt")) for _ in range(count)]

    def copy(session: Session) -> None:
        for table, condition in (
            (InstallmentCase, col(InstallmentCase.token) == agreement.case_token),
            (Mandate, col(Mandate.id) == agreement.mandate_id),
            (Agreement, col(Agreement.id) == agreement.id),
            (AgreementRow, col(AgreementRow.agreement_id) == agreement.id),
            (AgreementEvent, col(AgreementEvent.agreement_id) == agreement.id),
            (LedgerEntry, col(LedgerEntry.agreement_id) == agreement.id),
        ):
            found = [row.model_dump() for row in session.exec(select(table).where(condition)).all()]
            rows = [_copied(book, row, agreement, names) for names in tokens for row in found]
            session.connection().execute(insert(table.__table__), rows)

    book.change(copy)
    return [agreement_id for agreement_id, *_ in tokens]


def _copied(book: Daybook, row: dict[str, Any], agreement: Agreement, new: tuple[str, str, str]) -> dict[str, Any]:
    agreement_id, token, mandate = new
    names = {agreement.id: agreement_id, agreement.case_token: token, agreement.mandate_id: mandate}
    copied = {name: names.get(value, value) if isinstance(value, str) else value for name, value in row.items()}
    if "business_key" in row:
        copied["business_key"] = row["business_key"].replace(agreement.case_token, token)
    if "journal" in row:
        copied["journal"] = row["journal"].replace(agreement.id, agreement_id)
    if "account_cell" in row:
        address = RowAddress(tenant=TENANT, table="mandates", row=mandate, subject=agreement.subject_id)
        copied |= book.vault.seal_many(address, {"account_cell": "6222000012345678", "holder_cell": "测试·客户"})
    elif "id" in row and row["id"] != agreement.id:
        copied["id"] = uuid7(row["created_at"])
    return copied


def _spoil(book: Daybook, agreement_id: str) -> None:
    def spoil(session: Session) -> None:
        row = session.get_one(Agreement, agreement_id)
        row.snapshot = "{"
        session.add(row)

    book.change(spoil)


def _parked(book: Daybook) -> Sequence[DailyException]:
    return book.all(DailyException)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_one_bad_agreement_of_a_thousand_is_parked_and_the_others_finish(book: Daybook) -> None:
    one = book.agree(rows=[ROW])
    others = copies_of(book, one, 999)
    bad, good = others[500], {one.id, *others} - {others[500]}
    _spoil(book, bad)
    begun = time.process_time()
    while book.today() < FIRST_DUE + 5 * ONE_DAY:
        book.run_day(book.today())
    took = time.process_time() - begun
    print(f"eight dates with 1,000 agreements in {took:.1f} s of this process")
    assert took < 30
    orders = book.orders()
    assert Counter(order.agreement_id for order in orders) == Counter(dict.fromkeys(good, 1))
    assert {order.state for order in orders} == {"SETTLED"}
    with book.database.read() as session:
        ended = Counter(session.exec(select(Agreement.status)).all())
    assert ended == {"paid-off": 999, "active": 1}
    # Parked with a reason, once for each step and date; a step tries it once, so there is no storm.
    parked = _parked(book)
    assert {each.target.partition("/")[0] for each in parked} == {bad}
    assert all(each.code and each.state == "OPEN" for each in parked)
    per_date = Counter(each.business_date for each in parked for _ in range(each.tries))
    assert max(per_date.values()) <= 10
    assert all(book.run_of(START + number * ONE_DAY).state == "DONE" for number in range(8))
