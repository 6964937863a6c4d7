"""When its term is over a backup is deleted and certified; when a job's retention is over its keys are destroyed."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from activities.transfers.backup_retention import BackupRetention
from activities.transfers.backup_steps import SqlBackup
from activities.transfers.job_retention import JobRetention
from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.seal import SIGNING_KEY_NAME, seal_keys, seal_pending
from compliance.transfers.backup_certificate import check
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.ids import job_record
from models.domain.transfers.states import BackupState, Side
from models.errors import SubjectShredded
from models.tables.audit import AuditEvent
from models.tables.erasure import LegalHold
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferBackup, TransferJob
from tests.support.clock import FakeClock
from tests.support.transfer_books import JOB, Books
from tests.support.transfer_waves import JOB as MOVED_JOB
from tests.support.transfer_waves import SOURCE, TENANT, WaveOffice, persons


def _end(database: Database, job: str, clock: FakeClock) -> None:
    with database.write() as session:
        session.execute(update(TransferJob).where(col(TransferJob.token) == job).values(ended_at=clock()))


def test_a_backup_is_deleted_when_its_term_is_over_and_certified(
    database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    books = Books(database, vault, clock)
    books.open(plan={"backup": {"keep_days": 30}})
    books.add(20)
    books.add(3, "bank")
    folder = tmp_path / "backups"
    steps = SqlBackup(database, vault, clock, folder)
    for side in Side:
        steps.snapshot(ChunkStep(job=JOB, side=side))
        steps.prove_backup(ChunkStep(job=JOB, side=side))
    duty = BackupRetention(database, vault, folder)
    clock.advance(days=400)
    assert duty.sweep(clock()) == 0, "the job has not ended"
    _end(database, JOB, clock)
    clock.advance(days=29)
    assert duty.sweep(clock()) == 0
    assert len(list((folder / JOB).iterdir())) == 4
    clock.advance(days=1)
    assert duty.sweep(clock()) == 2
    assert not list((folder / JOB).iterdir())
    assert duty.sweep(clock()) == 0, "repeated, it finds its work done"
    while seal_pending(database, seal_keys(vault), now=clock(), anchor=tmp_path / "anchor"):
        pass
    assert duty.sweep(clock()) == 2
    with Session(database.engine) as session:
        backups = session.exec(select(TransferBackup)).all()
    assert {(each.state, each.manifest) for each in backups} == {(BackupState.DELETED, None)}
    public = vault.signing_key(SIGNING_KEY_NAME).public_key()
    key = verifier_key(origin_of(public), public)
    for backup in backups:
        text = str(backup.certificate)
        checked = check(text, trusted_key=key)
        assert (checked.ok, checked.statement["records"]) == (True, backup.records), checked.faults
        assert checked.statement["manifest"] == backup.manifest_hash
        forged: dict[str, Any] = json.loads(text)
        forged["statement"]["records"] += 1
        assert set(check(json.dumps(forged), trusted_key=key).faults) == {"signature", "event-differs"}


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock) -> WaveOffice:
    office = WaveOffice(database, vault, clock)
    office.open()
    office.rows(persons(60, prefix="S"))
    for tenant in (TENANT, SOURCE):
        vault.create_subject(tenant=tenant, subject_id=job_record(MOVED_JOB))
    office.plan_waves()
    office.run(1)
    office.run(2)
    return office


def test_keys_of_a_job_go_when_its_retention_is_over_and_its_customers_stay(office: WaveOffice) -> None:
    duty, clock = JobRetention(office.database, office.vault), office.clock
    conflict = TransferConflict(
        id="tcf_1", tenant=TENANT, job=MOVED_JOB, wave=1, attempt=1, row_number=3, kind="undo", state="decided",
        opened_at=clock(),
    )  # fmt: skip
    office.vault.create_subject(tenant=TENANT, subject_id="tcf_1")  # somebody has said something about it
    with office.database.write() as session:
        session.add(conflict)
    _end(office.database, MOVED_JOB, clock)
    meant = office.meant()
    clock.advance(days=3 * 366 - 2)
    assert duty.sweep(clock()) == 0
    office.vault.header_of(tenant=SOURCE, subject_id=job_record(MOVED_JOB))
    clock.advance(days=5)
    assert duty.sweep(clock()) == 1
    assert duty.sweep(clock()) == 0
    for tenant, subject in (
        (TENANT, job_record(MOVED_JOB)), (SOURCE, job_record(MOVED_JOB)), (TENANT, office.row(7).subject_id),
        (TENANT, "tcf_1"),
    ):  # fmt: skip
        with pytest.raises(SubjectShredded):
            office.vault.header_of(tenant=tenant, subject_id=subject)
    assert office.meant() == meant, "customers of the book keep their keys"
    with office.database.read() as session:
        event = session.exec(select(AuditEvent).where(col(AuditEvent.action) == "transfer.keys-destroyed")).one()
    assert json.loads(event.body)["facts"] == {"keys": 63, "rule": "application"}


def test_a_legal_hold_on_one_customer_holds_the_whole_job(office: WaveOffice) -> None:
    _end(office.database, MOVED_JOB, office.clock)
    record = office.records()[str(office.row(5).target_record)]
    hold = LegalHold(
        id="lhd_1", tenant=TENANT, subject_id=record.subject_id, reason_code="litigation", state="PLACED",
        shown_hash="0" * 64, placed_by="stf_1", placed_at=office.clock(),
    )  # fmt: skip
    with office.database.write() as session:
        session.add(hold)
    office.clock.advance(days=4 * 366)
    duty = JobRetention(office.database, office.vault)
    assert duty.sweep(office.clock()) == 0
    with office.database.write() as session:
        held = session.get_one(LegalHold, "lhd_1")
        held.state = "RELEASED"
        session.add(held)
    assert duty.sweep(office.clock() + timedelta(seconds=1)) == 1
