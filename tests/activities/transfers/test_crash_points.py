"""R18: back up, verify, update, notify and audit of twenty records die at each of their writes: before, in, behind it.

Whatever died where: every record is wholly old or wholly new, the backup is restored byte for byte, nobody is told
twice, and nothing was done without its event.
"""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from activities.transfers.backup_steps import SqlBackup
from activities.transfers.report_steps import SqlReport
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_proofs import Named, Proof
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.domain.transfers.states import BackupState, Side, WaveState
from models.tables.audit import AuditEvent
from models.tables.transfer_reports import TransferReport
from models.tables.transfers import TransferBackup
from tests.support import reported_jobs, transfer_books
from tests.support.clock import FakeClock
from tests.support.kills import Killed, Moment, crashing
from tests.support.telling import Telling, customer
from tests.support.transfer_rows import Collection, book, csv_bytes
from tests.support.transfer_waves import WaveOffice, persons

# Each walks through every write of a step and breaks it there: minutes, so with the kills.
pytestmark = [pytest.mark.long, pytest.mark.parametrize("moment", list(Moment))]
RECORDS = 20
_MOST_WRITES = 60


def at_each_write(
    monkeypatch: pytest.MonkeyPatch, moment: Moment, step: Callable[[], Any], look: Callable[[], Any]
) -> int:
    """Do a step until it comes to its end, dying at its first write, at its second … ; returns how often it died."""
    for nth in range(1, _MOST_WRITES):
        with crashing(monkeypatch, moment, nth) as point, contextlib.suppress(Killed):
            step()
        look()
        if not point.fired:
            return nth - 1
    raise AssertionError("a step that does not end")


def facts_of(database: Database, action: str) -> list[dict[str, Any]]:
    with database.read() as session:
        query = select(AuditEvent.body).where(col(AuditEvent.action) == action).order_by(col(AuditEvent.id))
        return [json.loads(body)["facts"] for body in session.exec(query)]


def test_back_up(
    *, moment: Moment, sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, monkeypatch: Any
) -> None:
    books = transfer_books.Books(sqlite_database, vault, clock)
    books.open()
    customers = books.add(RECORDS)
    given = ChunkStep(job=transfer_books.JOB, side=Side.SOURCE)
    key = job_proof_key(vault, tenant=transfer_books.TARGET, job=transfer_books.JOB)
    proof = Proof()
    proof.extend(key, [Named(each.id, each.values) for each in sorted(customers)])

    def step() -> None:
        steps = SqlBackup(sqlite_database, vault, clock, tmp_path / "backups")
        assert steps.snapshot(given).stopped is None
        assert steps.prove_backup(given).stopped is None

    def look() -> None:
        with sqlite_database.read() as session:
            made = list(session.exec(select(TransferBackup)))
        assert len(made) <= 1
        assert len(facts_of(sqlite_database, "transfer.backup-made")) == len(made)
        proven = [each for each in made if each.state == BackupState.PROVEN]
        assert len(facts_of(sqlite_database, "transfer.backup-proven")) == len(proven)
        for each in made:  # of whatever is on record there is a container, whole
            assert (each.records, each.root) == (RECORDS, proof.root())
            assert len(list((tmp_path / "backups" / transfer_books.JOB).glob("*.cwtb"))) >= 1

    assert at_each_write(monkeypatch, moment, step, look) >= 2
    with sqlite_database.read() as session:
        [made] = session.exec(select(TransferBackup))
    assert made.state == BackupState.PROVEN, "restored, and compared with what was read, byte for byte"
    [container] = (tmp_path / "backups" / transfer_books.JOB).glob("*.cwtb")
    assert container.stat().st_size > 0


def test_verify(
    *, moment: Moment, sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, monkeypatch: Any
) -> None:
    collection = Collection(sqlite_database, vault, clock, tmp_path / "exchange").open()
    rows = book(RECORDS)
    rows[3][3] = rows[3][3][:-1] + ("0" if rows[3][3][-1] != "0" else "1")  # a document's number that is none
    collection.put("book.csv", csv_bytes(rows))
    collection.source("csv", "book.csv")

    def step() -> None:
        collection.collect()
        collection.verify()

    def look() -> None:
        kept = collection.rows()
        assert len({row.line for row in kept}) == len(kept)
        read = sum(each["rows"] for each in facts_of(sqlite_database, "transfer.rows-collected"))
        assert read == len(kept)
        told = sum(each["rows"] for each in facts_of(sqlite_database, "transfer.rows-verified"))
        assert told == sum(row.outcome is not None for row in kept)

    assert at_each_write(monkeypatch, moment, step, look) >= 2
    outcomes = [row.outcome for row in collection.rows()]
    assert len(outcomes) == RECORDS
    assert set(outcomes) <= {"accepted", "held"}
    assert len(collection.opened()) == RECORDS, "each opens under a key of its own"


@pytest.mark.parametrize("way", ["move", "undo"])
def test_update(
    *, moment: Moment, way: str, sqlite_database: Database, vault: Vault, clock: FakeClock, monkeypatch: Any
) -> None:
    office = WaveOffice(sqlite_database, vault, clock, chunk=6)
    office.open()
    theirs = [{k: v for k, v in each.items() if k not in ("email", "account")} for each in persons(6, prefix="T")]
    ids = office.book(theirs)
    office.rows(persons(RECORDS, prefix="S"), into=dict(enumerate(ids)))
    office.plan_waves()
    before, old = office.stored(), dict(json.loads(office.meant()))
    seen: dict[str, list[Any]] = {}
    if way == "undo":
        office.run(1)
    whole = dict(json.loads(office.meant())) if way == "undo" else {}

    def step() -> None:
        if way == "move":
            office.run(1)
        else:
            office.undo(1)

    def look() -> None:
        office.assert_conserved()
        for record, values in json.loads(office.meant()):
            seen.setdefault(record, []).append(values)
        moved = facts_of(sqlite_database, "transfer.rows-moved")
        lines = sum(each[name] for each in moved for name in ("inserted", "updated", "unchanged"))
        assert lines == len(office.changes())
        undone = sum(each["undone"] for each in facts_of(sqlite_database, "transfer.rows-undone"))
        assert undone == sum(change.undone_at is not None for change in office.changes())

    assert at_each_write(monkeypatch, moment, step, look) >= RECORDS // 6
    if way == "move":
        assert office.wave(1).state == WaveState.MOVED
        whole = dict(json.loads(office.meant()))
    else:
        assert office.stored() == before, "bit for bit"
    for record, found in seen.items():
        assert all(values in (old.get(record), whole[record]) for values in found), "wholly old or wholly new"
    assert len(whole) == RECORDS


def test_notify(moment: Moment, telling: Telling, monkeypatch: Any) -> None:
    telling.open(*(customer(number) for number in range(1, RECORDS + 1)))

    def step() -> None:
        telling.clock.advance(seconds=130)  # what was under way when it died is taken up again
        telling.plan()
        telling.send()

    def look() -> None:
        messages = telling.hooks.inbox.messages
        attempts = [attempt for number in range(1, len(telling.states()) + 1) for attempt in telling.attempts(number)]
        assert len(messages) <= len(attempts) <= RECORDS, "nobody is told what is not on record first"
        to = [message["to"] for message in messages.values()]
        assert len(set(to)) == len(to), "nobody is told twice"
        tried = facts_of(telling.database, "transfer.notices-tried")
        assert sum(each["customers"] - each["again"] for each in tried) == len(attempts)

    assert at_each_write(monkeypatch, moment, step, look) >= 2
    assert telling.states() == ["sent"] * RECORDS
    assert len(telling.hooks.inbox.messages) == RECORDS


def test_audit(
    *, moment: Moment, sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, monkeypatch: Any
) -> None:
    reported_jobs.AuditedJob(sqlite_database, vault, tmp_path / "anchor").build()
    given = JobStep(job=reported_jobs.JOB)

    def step() -> None:
        SqlReport(sqlite_database, vault, clock, sealer_wait_s=0).write_report(given)

    def look() -> None:
        with sqlite_database.read() as session:
            reports = list(session.exec(select(TransferReport)))
        seeds = [each["seed"] for each in facts_of(sqlite_database, "transfer.report-seeded")]
        assert len(seeds) == len(reports), "the seed is on record before the sample is drawn"
        assert all(report.seed in seeds for report in reports)
        written = [report for report in reports if report.body]
        assert len(facts_of(sqlite_database, "transfer.report-written")) == len(written)

    assert at_each_write(monkeypatch, moment, step, look) >= 1
    with sqlite_database.read() as session:
        assert [report.written_at is not None for report in session.exec(select(TransferReport))] == [True]
