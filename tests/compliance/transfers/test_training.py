"""Data of a transfer job are opened only under a training grant that holds at that moment (培训准入)."""

from datetime import timedelta

import pytest

from compliance.transfers.training import JobReader, require_training
from compliance.vault.cells import RowAddress
from models.database.engine import Database
from models.domain.tokens import new_token
from models.errors import TrainingMissing
from models.tables.transfer_grants import TransferGrant
from tests.support.transfer_jobs import NOW, TARGET, recorded_job

ROW, SUBJECT = "cus_1", "sub_training"


@pytest.fixture
def opened(sqlite_database: Database, vault, clock):
    """A job, a sealed name, and a way to grant training."""
    clock.set(NOW)
    vault.ensure_tenant(TARGET)
    vault.create_subject(tenant=TARGET, subject_id=SUBJECT)
    row = RowAddress(TARGET, "customer_records", ROW, SUBJECT)
    sealed = vault.seal_many(row, {"name_cell": "欧阳晓雯"})
    with sqlite_database.write() as session:
        record = recorded_job(session)
        job, staff = record.job.token, record.job.created_by

    def grant(**changes) -> None:
        values = {
            "id": new_token("tgr"),
            "tenant": TARGET,
            "job": job,
            "staff_id": staff,
            "course": "data-transfer",
            "passed_at": clock() - timedelta(days=1),
            "valid_until": clock() + timedelta(days=1),
            "granted_by": "stf_x",
            "granted_at": clock(),
        }
        with sqlite_database.write() as session:
            session.add(TransferGrant(**(values | changes)))

    def read(staff_id: str | None = staff, of: str = job) -> str:
        return JobReader(vault, sqlite_database, clock, of, staff_id).open_row(row, sealed)["name_cell"]

    return grant, read, staff, job


def test_without_training_nothing_is_opened(opened) -> None:
    _, read, _, _ = opened
    with pytest.raises(TrainingMissing):
        read()


def test_with_training_it_is_opened_until_the_last_moment(opened, clock) -> None:
    grant, read, _, _ = opened
    grant()
    assert read() == "欧阳晓雯"
    clock.advance(days=1)
    with pytest.raises(TrainingMissing):
        read()


@pytest.mark.parametrize("lack", ["not yet", "revoked", "somebody else's", "another job's"])
def test_a_grant_that_does_not_hold_opens_nothing(opened, clock, lack: str) -> None:
    grant, read, _, _ = opened
    if lack == "not yet":
        grant(passed_at=clock() + timedelta(hours=1))
    if lack == "revoked":
        grant(revoked_at=clock())
    if lack in ("not yet", "revoked"):
        with pytest.raises(TrainingMissing):
            read()
        return
    grant()
    with pytest.raises(TrainingMissing):
        read("stf_other") if lack == "somebody else's" else read(of="main.other")


def test_the_jobs_own_steps_open_on_the_sponsors_grant_alone(opened, sqlite_database: Database, clock) -> None:
    grant, read, _, job = opened
    grant()
    with pytest.raises(TrainingMissing):
        read(None)
    with pytest.raises(TrainingMissing):
        require_training(sqlite_database, job=job, staff_id=None, now=clock())
    grant(is_sponsor=True)
    assert read(None) == "欧阳晓雯"
    require_training(sqlite_database, job=job, staff_id=None, now=clock())
