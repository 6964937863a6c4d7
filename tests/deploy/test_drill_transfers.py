"""A drill really injects its fault, measures recovery, and leaves the live stores as they were."""

import base64
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from activities.transfers.drill import Drilled, DrillFault
from compliance.vault.kek import EnvKek, KekProvider
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from deploy.drill_transfers import drill_on, scratch_of
from deploy.exits import CommandFailed
from models.database.engine import Database
from models.tables.transfers import TransferRow
from tests.support.clock import FakeClock
from tests.support.transfer_waves import JOB, WaveOffice, persons

SUITES = ("aes-256-gcm",)


def one_kek(secret: str, _keys: Database) -> KekProvider:
    """The same provider in every process."""
    return EnvKek(secret)


@dataclass
class Floor:
    """An office whose stores lie in files, and the secret that opens them in another process too."""

    office: WaveOffice
    keys: Database
    secret: str

    def drill(self, tmp_path: Path, fault: DrillFault) -> Drilled:
        root = tmp_path / "root"
        with scratch_of(root, data=place_of(self.office.database), keys=place_of(self.keys)) as files:
            done = drill_on(files, job=JOB, fault=fault, keks=partial(one_kek, self.secret), suites=SUITES)
        assert list(root.iterdir()) == [], "the scratch place is gone"
        return done


@pytest.fixture
def floor(sqlite_database: Database, keys_database: Database, clock: FakeClock) -> Floor:
    secret = base64.b64encode(os.urandom(32)).decode()
    initialise_key_store(keys_database, kek=EnvKek(secret), clock=clock)
    office = WaveOffice(sqlite_database, open_vault(keys_database, EnvKek(secret), clock), clock)
    office.open()
    return Floor(office, keys_database, secret)


def place_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


@pytest.mark.parametrize(
    ("fault", "stands"),
    [
        (DrillFault.KEYS_LOST, "planned"),
        (DrillFault.BACKUP_CORRUPTED, "planned"),
        # Each starts two processes.
        pytest.param(DrillFault.WORKER_KILLED, "planned", marks=pytest.mark.long),
        pytest.param(DrillFault.WORKER_KILLED, "moved", marks=pytest.mark.long),
        pytest.param(DrillFault.KEYS_LOST, "moved", marks=pytest.mark.long),
    ],
)
def test_a_job_recovers_from_each_fault(fault: DrillFault, stands: str, floor: Floor, tmp_path: Path) -> None:
    office = floor.office
    office.rows(persons(50, prefix="S"))
    office.plan_waves()
    if stands == "moved":
        office.run(1)
        office.run(2)
    before, moves = office.stored(), [row.move for row in office.all_of(TransferRow)]
    done = floor.drill(tmp_path, fault)
    assert done.injected, done
    assert done.recovered, done
    assert done.rpo_records == 0
    if fault is DrillFault.WORKER_KILLED:
        assert 0 < done.figures["movedAtKill"] < done.figures["rows"]
    if fault is DrillFault.KEYS_LOST:
        assert done.detected == "keys-unavailable"
    assert office.stored() == before, "the live book is as it was"
    assert [row.move for row in office.all_of(TransferRow)] == moves


def test_what_cannot_be_moved_cannot_be_drilled(floor: Floor, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no rows"):
        floor.drill(tmp_path, DrillFault.WORKER_KILLED)
    assert list((tmp_path / "root").iterdir()) == []
