"""Lines that name no order find their run by the file that they answer, which is asked for once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.batches.states import OrderState
from models.domain.daily import ReplyState
from models.queries.batches.replies import waiting_lines
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile, BankReply
from tests.support.clock import FakeClock
from tests.support.daybook import START, TENANT, Daybook, daybook

MANY = 1_100  # more than are looked up at once
RUNS = ("a", "b")


@pytest.fixture
def book(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[Daybook]:
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


def run_of(letter: str) -> str:
    return f"{TENANT}.{letter:0<26}"


def write(session: Session, now: Any, lines: int) -> None:
    """A run of two orders for each letter, both in one file, and lines that name nothing but the file, in turn."""
    session.add(
        BankFile(
            id="bkf_in", tenant=TENANT, direction="in", kind="-", name="in", business_date=START, state="SENT",
            created_at=now,
        )
    )  # fmt: skip
    for letter in RUNS:
        session.add(
            BatchRun(
                token=run_of(letter), tenant=TENANT, branch="hq", kind="fee-collection", origin="staff", source="book",
                request_key=letter, business_date=START, stage="awaiting", created_by="-", created_by_person="-",
                created_at=now, updated_at=now, settings={},
            )
        )  # fmt: skip
        session.add(
            BankFile(
                id=f"bkf_{letter}", tenant=TENANT, direction="out", kind="-", name=letter, message_id=f"M-{letter}",
                business_date=START, state="SENT", created_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add_all(
            BatchOrder(
                id=f"bor_{letter}{member}", tenant=TENANT, run=run_of(letter), member=member,
                claim_key=f"{letter}{member}", subject_id="-", end_to_end_id=f"{letter}{member}", amount_minor=100,
                file_id=f"bkf_{letter}", state=OrderState.SENT.value, policy_version="-", policy={},
                requested_on=START, created_at=now, updated_at=now,
            )
            for member in (1, 2)
        )  # fmt: skip
    session.flush()
    session.add_all(
        BankReply(
            id=f"bkr_{number:05d}", tenant=TENANT, file_id="bkf_in", business_key=str(number), status="accepted",
            original_message_id=f"M-{RUNS[number % 2]}", amount_minor=0, state=ReplyState.NEW, created_at=now,
        )
        for number in range(lines)
    )  # fmt: skip


def test_a_file_that_is_answered_is_asked_for_once_however_many_lines_answer_it(book: Daybook) -> None:
    book.change(lambda session: write(session, book.clock(), MANY))
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(book.database.engine, "before_cursor_execute", note)
    with book.database.read() as session:
        found = waiting_lines(session, tenant=TENANT)
    event.remove(book.database.engine, "before_cursor_execute", note)

    assert {each.reply_id: each.run for each in found} == {
        f"bkr_{number:05d}": run_of(RUNS[number % 2]) for number in range(MANY)
    }
    of_files = [statement for statement in statements if "SELECT DISTINCT bank_files.message_id" in statement]
    assert len(of_files) == 1
