"""No step of a transfer job opens anything without its sponsor's training grant (培训准入); a rollback needs none."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import pytest
from sqlmodel import col, select, update

from activities.transfers.backup_steps import SqlBackup
from activities.transfers.report_steps import SqlReport
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.errors import TrainingMissing
from models.tables.audit import AuditEvent
from models.tables.transfer_grants import TransferGrant
from models.tables.transfers import TransferJob, TransferWave
from tests.support.clock import FakeClock
from tests.support.linkage_sets import Books as Records
from tests.support.linkage_sets import Maker
from tests.support.reported_jobs import AuditedJob
from tests.support.telling import Telling, customer
from tests.support.transfer_books import Books
from tests.support.transfer_matching import Matching
from tests.support.transfer_rows import Collection, book, csv_bytes
from tests.support.transfer_waves import WaveOffice, persons
from workflows.ports.transfers import BackupPort, CollectPort, MatchPort, NoticePort, ReportPort, WavePort

# What opens nothing: counts, sealed bytes, keys. A rollback puts back sealed images, and must not wait for a course.
OPENS_NOTHING: Final = {
    "quarantined",
    "unreviewed",
    "destroy_linkage",
    "plan_waves",
    "begin_wave",
    "undo_rows",
    "end_undo",
    "reconcile",
    "notices_left",
    "follow_ups_open",
    "may_close",
}


def _backups(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    books = Books(database, vault, clock)
    books.open()
    books.add(3)
    return SqlBackup(database, vault, clock, folder / "backups"), ChunkStep(job=_job(database), side="source")


def _proof(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    steps, step = _backups(database, vault, clock, folder)
    steps.snapshot(step)
    return steps, step


def _rows(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    made = Collection(database, vault, clock, folder / "exchange").open()
    made.put("book.csv", csv_bytes(book(3)))
    made.source("csv", "book.csv")
    return made.steps, ChunkStep(job=made.job)


def _collected(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    steps, step = _rows(database, vault, clock, folder)
    steps.collect(step)
    return steps, step


def _pairs(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    one = Maker(61).person()
    case = Matching(database, vault, clock).open(Records(source=[one], target=[one]))
    return case.steps, ChunkStep(job=case.job, side="source")


def _waves(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    waves = WaveOffice(database, vault, clock)
    waves.open()
    waves.rows(persons(3, prefix="S"))
    waves.plan_waves()
    step = ChunkStep(job=_job(database), wave=1, attempt=1)
    waves.steps.begin_wave(step)
    waves.downstream = cast(Any, object())  # nothing is handed over
    return waves.steps, step


def _notices(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, ChunkStep]:
    telling = Telling(database, vault, clock, folder, cast(Any, None), cast(Any, None))
    telling._gateways = cast(Any, {"none": None})
    telling.open(customer(1))
    return telling.notices, ChunkStep(job=telling.job)


def _report(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> tuple[Any, JobStep]:
    made = AuditedJob(database, vault, folder / "anchor").build()
    return SqlReport(database, vault, clock, sealer_wait_s=0), JobStep(job=made.job)


OPENS: Final[dict[str, Callable[..., tuple[Any, Any]]]] = {
    "snapshot": _backups,
    "prove_backup": _proof,
    "collect": _rows,
    "verify_rows": _collected,
    "quality_report": _collected,
    "make_tokens": _pairs,
    "match": _pairs,
    "move_rows": _waves,
    "end_wave": _waves,
    "hand_downstream": _waves,
    "plan_notices": _notices,
    "send_notices": _notices,
    "publish_notice": _notices,
    "write_report": _report,
}


def _job(database: Database) -> str:
    with database.read() as session:
        return session.exec(select(TransferJob.token)).one()


def _events(database: Database) -> int:
    with database.read() as session:
        return len(session.exec(select(AuditEvent.id)).all())


def test_every_step_of_a_job_is_known_to_open_something_or_nothing() -> None:
    ports = (BackupPort, CollectPort, MatchPort, WavePort, NoticePort, ReportPort)
    steps = {name for port in ports for name, _ in inspect.getmembers(port, inspect.isfunction) if name[0] != "_"}
    assert steps == {*OPENS} | OPENS_NOTHING


@pytest.mark.parametrize("step", OPENS)
def test_a_step_opens_nothing_once_the_sponsors_grant_has_run_out(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, step: str
) -> None:
    steps, given = OPENS[step](sqlite_database, vault, clock, tmp_path)
    with sqlite_database.write() as session:
        session.exec(update(TransferGrant).values(valid_until=clock() - timedelta(seconds=1)))
    before = _events(sqlite_database)
    with pytest.raises(TrainingMissing) as refused:
        getattr(steps, step)(given)
    assert refused.value.params["because"] == "expired"
    assert _events(sqlite_database) == before, "nothing was done"


def test_a_rollback_waits_for_no_course(
    sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    steps, step = _waves(sqlite_database, vault, clock, tmp_path)
    steps.move_rows(step)
    with sqlite_database.write() as session:
        session.exec(update(TransferGrant).where(col(TransferGrant.is_sponsor)).values(revoked_at=clock()))
    while (part := steps.undo_rows(step)).after is not None:
        step = ChunkStep(job=step.job, wave=1, attempt=1, after=part.after)
    assert steps.end_undo(ChunkStep(job=step.job, wave=1, attempt=1)).root_equal
    with sqlite_database.read() as session:
        assert session.get_one(TransferWave, (step.job, 1)).state == "undone"
