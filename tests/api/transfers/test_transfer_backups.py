"""Backups over HTTP: both companies read how far they are proven, and what they verify offline with."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from activities.transfers.backup_steps import SqlBackup
from compliance.transfers.backup_check import check_backup
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.transfers.states import JobStage, Side
from models.tables.staff import Staff
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob
from tests.support.api import Office
from tests.support.applications import FakeDispatcher, open_desk
from tests.support.clock import FakeClock
from tests.support.training import sponsored
from tests.support.transfer_books import Books


@pytest.fixture
def bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


OTHERS = "other.00000000000000000000000001"


def _job(bank: Office, token: str, *, tenant: str, source: str | None) -> None:
    with Session(bank.deps.database.engine) as session:
        if session.get(Tenant, "other") is None:
            session.add(Tenant(code="other", name="某某银行", created_at=bank.clock()))
            session.flush()
        session.add(
            TransferJob(
                token=token,
                tenant=tenant,
                source_tenant=source,
                branch="main",
                plan_hash="0" * 64,
                stage=JobStage.BACKING_UP,
                created_by="stf_1",
                created_by_person="psn_1",
                created_at=bank.clock(),
                updated_at=bank.clock(),
            )
        )
        session.flush()
        sponsored(session, token, tenant=tenant)
        session.commit()
    bank.deps.vault.ensure_tenant("other")


@pytest.fixture
def reader(bank: Office) -> Staff:
    return bank.staff("reader", Role.AUDITOR)


async def _get(bank: Office, reader: Staff, path: str) -> Any:
    async with bank.client(reader) as client:
        return await client.get(path)


@pytest.mark.parametrize("ours", [Side.SOURCE, Side.TARGET])
async def test_both_companies_see_both_sides_and_can_verify_what_they_get(
    bank: Office, reader: Staff, tmp_path: Path, ours: Side
) -> None:
    tenant = reader.tenant
    target, source = (tenant, "other") if ours is Side.TARGET else ("other", tenant)
    job = f"{target}.00000000000000000000000001"
    _job(bank, job, tenant=target, source=source)
    Books(bank.deps.database, bank.deps.vault, bank.clock).add(12, source)
    steps = SqlBackup(bank.deps.database, bank.deps.vault, bank.clock, tmp_path / "backups")
    for side in Side:
        steps.snapshot(ChunkStep(job=job, side=side))
    steps.prove_backup(ChunkStep(job=job, side=Side.SOURCE))
    listed = (await _get(bank, reader, f"/v1/transfers/{job}/backups")).json()["items"]
    assert [(each["side"], each["state"], each["records"]) for each in listed] == [
        ("source", "proven", 12),
        ("target", "made", 0),
    ]
    assert "no escrow key" in listed[0]["escrow"]
    answer = await _get(bank, reader, f"/v1/transfers/{job}/backups/{listed[0]['id']}/manifest")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(answer.text, encoding="utf-8")
    [container] = (tmp_path / "backups" / job).glob(f"{listed[0]['id']}-*.cwtb")
    checked = check_backup(container, manifest, trusted_key=json.loads(answer.text)["verifierKey"])
    assert checked.ok
    assert checked.manifest["figures"]["root"] == listed[0]["root"]


async def test_a_job_of_others_is_not_there(bank: Office, reader: Staff, tmp_path: Path) -> None:
    _job(bank, OTHERS, tenant="other", source=None)
    steps = SqlBackup(bank.deps.database, bank.deps.vault, bank.clock, tmp_path / "backups")
    steps.snapshot(ChunkStep(job=OTHERS, side=Side.TARGET))
    for path in (f"{OTHERS}/backups", f"{OTHERS}/backups/tbk_x/manifest", "none/backups"):
        answer = await _get(bank, reader, f"/v1/transfers/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
