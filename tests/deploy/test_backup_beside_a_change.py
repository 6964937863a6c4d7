"""A backup does not run while data are being sealed under other keys: its halves would not fit together."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from deploy import datadir
from deploy.backup import backup
from deploy.exits import CommandFailed, ExitCode
from deploy.settings import load_settings
from deploy.stores import open_stores, prepare_embedded
from deploy.values import Settings
from models.domain.suite_changes import ChangeKind, ChangeReason, ChangeState, SuiteName
from models.tables.suite_changes import SuiteChange
from models.tables.tenants import Tenant

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def installation(folder: Path, state: ChangeState) -> Settings:
    settings = load_settings({"CASEWORK_DATA_DIR": str(folder / "data")})
    settings.data.root.mkdir(parents=True)
    datadir.prepare(settings.data)
    with open_stores(settings) as stores:
        prepare_embedded(settings, stores, now=NOW)
        deed = Deed(tenant="main", action="tenant.created", target="main", actor="operator", at=NOW)
        with unit_of_work(stores.data, deed) as unit:
            unit.session.add(Tenant(code="main", name="Bank", created_at=NOW))
            unit.session.flush()
            unit.session.add(
                SuiteChange(
                    id="sch_1",
                    tenant="main",
                    kind=ChangeKind.SUITE,
                    suite=SuiteName.SM4_GCM,
                    reason_code=ChangeReason.SCHEDULE,
                    shown_hash="-",
                    state=state,
                    proposed_by="-",
                    proposed_at=NOW,
                )
            )
    return settings


def test_while_it_runs_the_backup_says_how_to_pause_it(tmp_path: Path) -> None:
    settings = installation(tmp_path, ChangeState.RUNNING)
    with datadir.held(settings.data, purpose="up"), pytest.raises(CommandFailed) as caught:
        backup(settings, target=tmp_path / "backups", now=NOW)
    assert caught.value.code is ExitCode.TEMPORARY
    assert "suites pause sch_1" in str(caught.value)
    assert list((tmp_path / "backups").glob("*.gz")) == []


@pytest.mark.parametrize("state", [ChangeState.PAUSED, ChangeState.DONE])
def test_a_paused_or_ended_change_is_no_hindrance(tmp_path: Path, state: ChangeState) -> None:
    settings = installation(tmp_path, state)
    with datadir.held(settings.data, purpose="up"):
        assert backup(settings, target=tmp_path / "backups", now=NOW).data.exists()


def test_neither_is_one_that_nobody_carries_out(tmp_path: Path) -> None:
    settings = installation(tmp_path, ChangeState.RUNNING)
    assert backup(settings, target=tmp_path / "backups", now=NOW).data.exists()
