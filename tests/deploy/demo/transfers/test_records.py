"""What the demo reads from the records of a job: sums, merges, states."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import SQLModel

from deploy.demo.transfers import records
from models.database.engine import Database
from models.tables.tenants import Tenant
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferJob, TransferPair, TransferRow, TransferSource

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
JOB = "main.job"


def _row(number: int, outcome: str | None, **more: Any) -> TransferRow:
    return TransferRow(
        job=JOB, number=number, tenant="main", source="tsr_1", line=number + 1, subject_id=f"sub_{number}",
        row_cell=b"-", outcome=outcome, **more,
    )  # fmt: skip


@pytest.fixture
def job(sqlite_database: Database) -> Database:
    job = TransferJob(
        token=JOB, tenant="main", branch="hq", plan_hash="0" * 64, stage="updating", created_by="s",
        created_by_person="p", created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    source = TransferSource(
        id="tsr_1", tenant="main", job=JOB, number=1, kind="csv", place="a.csv", mapping_hash="0" * 64, read_rows=5
    )
    rows = [
        _row(1, "accepted", move="moved"),
        _row(2, "merged", target_record="cus_2", move="moved"),
        _row(3, "merged", target_record="cus_9", same_row=1, move="conflict"),
        _row(4, "rejected"),
        _row(5, None),
    ]
    pair = TransferPair(
        id="tpr_1", tenant="main", job=JOB, row_number=2, other="cus_2", score_milli=9_000, verdict="same"
    )
    notices = [
        TransferNotice(
            id=f"tnt_{number}", tenant="main", job=JOB, row_number=number, subject_id=f"sub_{number}",
            language="en", text_version="v", state=state, due_at=NOW,
        )
        for number, state in ((1, "delivered"), (2, "sent"))
    ]  # fmt: skip
    with sqlite_database.write() as session:
        for level in ([Tenant(code="main", name="m", created_at=NOW)], [job], [source], [*rows, pair, *notices]):
            some: list[SQLModel] = list(level)
            session.add_all(some)
            session.flush()
    return sqlite_database


def test_a_row_without_an_outcome_breaks_conservation(job: Database) -> None:
    with job.read() as session:
        told = records.conservation(session, JOB)
    assert (told.read, told.undecided, told.holds) == (5, 1, False)
    assert str(told) == "5 read = 1 accepted + 1 rejected + 2 merged + 0 held, 1 undecided"


def test_merges_tell_whom_with_and_whether_a_person_was_asked(job: Database) -> None:
    with job.read() as session:
        merged = {each.row: each for each in records.merges(session, JOB)}
        assert records.rejected(session, JOB) == {4}
        assert records.moves(session, JOB) == {"moved": 2, "conflict": 1}
    assert (merged[2].record, merged[2].by) == ("cus_2", "person")
    assert (merged[3].record, merged[3].same_row, merged[3].by) == (None, 1, "policy")


def test_whoever_is_in_no_final_state_was_not_told(job: Database) -> None:
    with job.read() as session:
        counts = records.notices(session, JOB)
    assert records.untold(counts) == 1
