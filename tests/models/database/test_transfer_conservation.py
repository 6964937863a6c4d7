"""What the database itself keeps of a job's conservation, on both kinds."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.transfers.states import JobStage
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.clock import FakeClock
from tests.support.transfer_rows import Collection, book, csv_bytes

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def collection(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Collection:
    made = Collection(database, vault, clock, tmp_path / "exchange").open()
    made.put("book.csv", csv_bytes(book(3)))
    made.source("csv", "book.csv")
    return made


def drop_a_row(session: Session, job: str) -> None:
    session.delete(session.get_one(TransferRow, (job, 2)))


def forget_an_outcome(session: Session, job: str) -> None:
    session.get_one(TransferRow, (job, 2)).outcome = None


def say_fewer(session: Session, job: str) -> None:
    source = session.get_one(TransferSource, session.get_one(TransferRow, (job, 1)).source)
    source.read_rows = 2


def finish_too_early(session: Session, job: str) -> None:
    session.add(
        TransferSource(
            id="tsr_more", tenant="main", job=job, number=9, kind="csv", place="x", mapping_hash="", read_rows=7
        )
    )
    session.flush()
    session.get_one(TransferSource, "tsr_more").finished_at = NOW


@pytest.mark.parametrize("wrong", [drop_a_row, forget_an_outcome, say_fewer, finish_too_early])
def test_what_would_lose_a_row_is_refused(collection: Collection, wrong: Callable[[Session, str], None]) -> None:
    collection.collect()
    collection.verify()
    with pytest.raises(DBAPIError), collection.database.write() as session:
        wrong(session, collection.job)
        session.flush()


@pytest.mark.parametrize("stage", [JobStage.GO_NO_GO, JobStage.UPDATING])
def test_a_job_goes_no_further_than_verifying_with_rows_that_nobody_decided(
    collection: Collection, stage: JobStage
) -> None:
    def go_on(session: Session) -> None:
        session.get_one(TransferJob, collection.job).stage = stage.value
        session.flush()

    collection.collect()
    with pytest.raises(DBAPIError), collection.database.write() as session:
        go_on(session)
    collection.verify()
    with collection.database.write() as session:
        go_on(session)
