"""Backing up both books: made once, proven by restoring, and whatever is wrong is named and stays on record."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlmodel import Session, select
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from activities.transfers import backup_steps
from activities.transfers.backup_steps import SqlBackup
from compliance.audit.seal import SIGNING_KEY_NAME
from compliance.transfers.backup_container import read_container
from compliance.transfers.backup_envelopes import open_as_escrow, open_as_tenant
from compliance.transfers.backup_manifest import name_in, verified
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_proofs import Named, Proof
from compliance.vault.customer_layout import Customer, as_stored
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkDone, ChunkStep
from models.database.engine import Database
from models.domain.transfers.states import BackupState, Side
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferBackup
from tests.support.clock import FakeClock
from tests.support.transfer_books import JOB, SOURCE, TARGET, Books, customer

STEP = ChunkStep(job=JOB, side=Side.SOURCE)
DONE = ChunkDone(after=None)


@pytest.fixture
def books(database: Database, vault: Vault, clock: FakeClock) -> Books:
    return Books(database, vault, clock)


@pytest.fixture
def steps(books: Books, tmp_path: Path) -> SqlBackup:
    return SqlBackup(books.database, books.vault, books.clock, tmp_path / "backups")


def _backups(books: Books) -> list[TransferBackup]:
    with Session(books.database.engine) as session:
        return list(session.exec(select(TransferBackup).order_by(TransferBackup.number)).all())


def _actions(books: Books) -> list[str]:
    with Session(books.database.engine) as session:
        return sorted(session.exec(select(AuditEvent.action)).all())


def _container(steps: SqlBackup) -> Path:
    [container] = (steps.folder / JOB).glob("*.cwtb")
    return container


def _manifest(books: Books) -> dict[str, Any]:
    public_key = books.vault.signing_key(SIGNING_KEY_NAME).public_key()
    return verified(_backups(books)[-1].manifest or {}, public_key=public_key)


def _proof_of(books: Books, customers: list[Customer]) -> Proof:
    proof = Proof()
    key = job_proof_key(books.vault, tenant=TARGET, job=JOB)
    proof.extend(key, [Named(each.id, each.values) for each in sorted(customers)])
    return proof


def test_a_backup_is_made_once_and_proven_by_restoring(books: Books, steps: SqlBackup) -> None:
    books.open()
    customers = books.add(1_203)
    books.add(7, TARGET)
    assert steps.snapshot(STEP) == DONE
    [made] = _backups(books)
    assert (made.state, made.tenant, made.records) == (BackupState.MADE, SOURCE, 1_203)
    assert steps.snapshot(STEP) == DONE  # repeated: it is found
    assert steps.prove_backup(STEP) == DONE
    assert steps.prove_backup(STEP) == DONE
    [proven] = _backups(books)
    assert proven.state == BackupState.PROVEN
    assert proven.root == _proof_of(books, customers).root()
    assert proven.manifest == made.manifest
    assert _actions(books) == ["transfer.backup-made", "transfer.backup-proven"]
    figures = _manifest(books)["figures"]
    assert figures["nulls"]["mobile"] == sum(1 for each in customers if each.values["mobile"] is None)
    assert sorted(path.suffix for path in (steps.folder / JOB).iterdir()) == [".cwtb", ".json"]


def test_both_sides_are_measured_under_one_key(books: Books, steps: SqlBackup) -> None:
    books.open()
    books.add(20)
    copies = books.add(20, TARGET)
    for side in Side:
        step = ChunkStep(job=JOB, side=side)
        assert steps.snapshot(step) == steps.prove_backup(step) == DONE
    assert {(each.side, each.tenant) for each in _backups(books)} == {("source", SOURCE), ("target", TARGET)}
    target = next(each for each in _backups(books) if each.side == "target")
    assert target.root == _proof_of(books, copies).root()


def test_the_content_is_what_the_book_held_and_nothing_lies_in_the_clear(books: Books, steps: SqlBackup) -> None:
    books.open()
    customers = books.add(30)
    steps.snapshot(STEP)
    manifest = _manifest(books)
    name = name_in(manifest)
    secrets = open_as_tenant(books.vault, name, manifest["recipients"])
    records = list(read_container(_container(steps), name, secrets))
    assert [each.customer for each in records] == [
        Customer(each.id, each.subject, as_stored(each.values)) for each in customers
    ]
    for path in (steps.folder / JOB).iterdir():
        content = path.read_bytes()
        for each in customers:
            assert not any(
                str(each.values[field]).encode() in content for field in ("name", "id_number", "customer_no")
            )
        assert path.stat().st_mode & 0o077 == 0


def test_a_job_that_is_fed_by_files_has_no_source_to_back_up(books: Books, steps: SqlBackup) -> None:
    books.open(source=None)
    assert steps.snapshot(STEP) == steps.prove_backup(STEP) == DONE
    assert _backups(books) == []


def test_a_paused_job_waits(books: Books, steps: SqlBackup) -> None:
    books.open()
    books.add(3)
    books.pause(paused=True)
    assert steps.snapshot(STEP).paused
    assert steps.prove_backup(STEP).paused
    books.pause(paused=False)
    assert steps.prove_backup(STEP) == DONE
    assert [each.state for each in _backups(books)] == [BackupState.PROVEN]


def test_an_empty_book_is_backed_up_too(books: Books, steps: SqlBackup) -> None:
    books.open()
    assert steps.snapshot(STEP) == steps.prove_backup(STEP) == DONE
    assert _backups(books)[0].records == 0


def test_somebody_who_was_erased_is_not_in_it(books: Books, steps: SqlBackup) -> None:
    books.open()
    customers = books.add(9)
    books.vault.shred_subject(tenant=SOURCE, subject_id=customers[4].subject)  # the row is not marked yet
    with Session(books.database.engine) as session:
        erased = session.get_one(CustomerRecord, customers[6].id)
        erased.erased_at = books.clock()
        session.commit()
    assert steps.snapshot(STEP) == steps.prove_backup(STEP) == DONE
    left = [each for number, each in enumerate(customers) if number not in {4, 6}]
    assert _backups(books)[0].root == _proof_of(books, left).root()
    assert _manifest(books)["erasedMeanwhile"] == 1


def test_the_snapshot_is_of_one_moment_while_people_work_on(
    books: Books, steps: SqlBackup, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.open()
    customers = books.add(1_600)
    beats = []

    def changed_meanwhile() -> None:
        beats.append(1)
        if len(beats) == 1:  # the walk is under way: somebody new at the end of it, and one less
            books.put([customer(1_601)])
            with books.database.engine.begin() as connection:
                connection.exec_driver_sql(f"DELETE FROM customer_records WHERE id = '{customers[-1].id}'")

    monkeypatch.setattr(backup_steps, "_beat", changed_meanwhile)
    assert steps.snapshot(STEP) == DONE
    assert beats
    assert _backups(books)[0].root == _proof_of(books, customers).root()


class _Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at_beat", [1, 2, 3])
def test_half_a_container_is_thrown_away(
    books: Books, steps: SqlBackup, monkeypatch: pytest.MonkeyPatch, at_beat: int
) -> None:
    books.open()
    customers = books.add(1_100)
    beats = []

    def dies() -> None:
        beats.append(1)
        if len(beats) == at_beat:
            raise _Killed

    with monkeypatch.context() as killing:
        killing.setattr(backup_steps, "_beat", dies)
        with pytest.raises(_Killed):
            steps.snapshot(STEP)
    # What a hard kill leaves, which no `finally` cleans up.
    (steps.folder / JOB / f".{_id()}-00000000.cwtb.0123.part").write_bytes(os.urandom(100))
    (steps.folder / JOB / f"{_id()}-00000000.cwtb").write_bytes(os.urandom(100))
    assert _backups(books) == []
    assert steps.snapshot(STEP) == steps.prove_backup(STEP) == DONE
    assert _backups(books)[0].root == _proof_of(books, customers).root()
    assert len(list((steps.folder / JOB).iterdir())) == 2


def _id() -> str:
    return backup_steps._name(SOURCE, STEP, number=1).id


def test_a_finished_container_that_nobody_noted_is_found(
    books: Books, steps: SqlBackup, monkeypatch: pytest.MonkeyPatch
) -> None:
    books.open()
    books.add(40)

    def dies(*_: object) -> bool:
        raise _Killed

    with monkeypatch.context() as killing:
        killing.setattr(SqlBackup, "_record", dies)
        with pytest.raises(_Killed):
            steps.snapshot(STEP)
    before = _container(steps)
    assert steps.snapshot(STEP) == steps.prove_backup(STEP) == DONE
    assert _container(steps) == before
    assert _manifest(books)["container"]["file"] == before.name


def test_damage_is_named_stays_on_record_and_the_next_try_makes_another(books: Books, steps: SqlBackup) -> None:
    books.open()
    books.add(400)
    steps.snapshot(STEP)
    path = _container(steps)
    content = bytearray(path.read_bytes())
    content[70_000] ^= 1  # in the second chunk
    path.write_bytes(content)
    assert steps.prove_backup(STEP) == ChunkDone(after=None, stopped="backup-chunk-altered")
    [failed] = _backups(books)
    assert (failed.state, failed.fault) == (BackupState.FAILED, {"code": "chunk-altered", "chunk": 1})
    assert _actions(books) == ["transfer.backup-failed", "transfer.backup-made"]
    assert steps.prove_backup(STEP) == DONE
    assert [(each.number, each.state) for each in _backups(books)] == [
        (1, BackupState.FAILED),
        (2, BackupState.PROVEN),
    ]


def test_a_manifest_that_somebody_changed_in_the_database_is_forged(books: Books, steps: SqlBackup) -> None:
    books.open()
    books.add(5)
    steps.snapshot(STEP)
    with Session(books.database.engine) as session:
        row = session.exec(select(TransferBackup)).one()
        document = json.loads(json.dumps(row.manifest))
        document["manifest"]["figures"]["rows"] = 4
        row.manifest = document
        session.commit()
    assert steps.prove_backup(STEP).stopped == "backup-manifest-forged"


def test_the_escrow_of_settings_or_plan_opens_it_without_the_vault(books: Books, tmp_path: Path) -> None:
    general, of_plan = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    named = base64.b64encode(of_plan.public_key().public_bytes_raw()).decode()
    books.open(plan={"backup": {"escrow_key": named}})
    books.add(5)
    steps = SqlBackup(books.database, books.vault, books.clock, tmp_path / "backups", escrow=general.public_key())
    steps.snapshot(STEP)
    manifest = _manifest(books)
    secrets = open_as_escrow(of_plan, name_in(manifest), manifest["recipients"])
    assert len(list(read_container(_container(steps), name_in(manifest), secrets))) == 5


def test_without_an_escrow_the_manifest_says_so(books: Books, steps: SqlBackup) -> None:
    books.open()
    books.add(2)
    steps.snapshot(STEP)
    assert "no escrow key was configured" in _manifest(books)["escrow"]
    assert [each["kind"] for each in _manifest(books)["recipients"]] == ["tenant"]


def test_a_worker_that_stops_leaves_nothing_and_the_next_one_makes_it(books: Books, steps: SqlBackup) -> None:
    books.open()
    books.add(1_100)
    stopped, going = ActivityEnvironment(), ActivityEnvironment()
    beats: list[object] = []
    going.on_heartbeat = lambda *_: beats.append(1)
    stopped.on_heartbeat = lambda *_: stopped.cancel()
    with pytest.raises(CancelledError):
        stopped.run(steps.snapshot, STEP)
    assert list((steps.folder / JOB).iterdir()) == []
    assert going.run(steps.snapshot, STEP) == going.run(steps.prove_backup, STEP) == DONE
    assert len(beats) >= 4  # so Temporal hears of a book of any size
