"""A drill really injects its fault, measures recovery, and leaves the live stores as they were."""

import base64
import os
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from activities.gateways.messages import Receipt
from activities.transfers import drill_poison
from activities.transfers.drill_bench import Drilled, DrillFault
from compliance.vault.kek import EnvKek, KekProvider
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from deploy.drill_desk import DrillDesk
from deploy.drill_postgres import PREFIX
from deploy.drill_transfers import drill_on, scratch_of, scratch_on_postgres
from deploy.exits import CommandFailed, ExitCode
from deploy.stores import Stores
from models.database.engine import Database
from models.tables.transfers import TransferRow
from tests.support.clock import FakeClock
from tests.support.telling import PLAN, model_assessment
from tests.support.transfer_waves import JOB, SOURCE, TENANT, WaveOffice, persons

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
        live = Stores(self.office.database, self.keys)
        place = (
            scratch_of(root, data=place_of(live.data), keys=place_of(live.keys))
            if live.data.is_sqlite
            else scratch_on_postgres(root, live)
        )
        with place as files:
            done = drill_on(files, job=JOB, fault=fault, keks=partial(one_kek, self.secret), suites=SUITES)
        assert list(root.iterdir()) == [], "the scratch place is gone"
        return done


@pytest.fixture
def floor(sqlite_database: Database, keys_database: Database, clock: FakeClock) -> Floor:
    return floor_on(sqlite_database, keys_database, clock)


@pytest.fixture
def postgres_floor(postgres_database: Database, postgres_keys_database: Database, clock: FakeClock) -> Floor:
    return floor_on(postgres_database, postgres_keys_database, clock)


def floor_on(data: Database, keys: Database, clock: FakeClock) -> Floor:
    secret = base64.b64encode(os.urandom(32)).decode()
    initialise_key_store(keys, kek=EnvKek(secret), clock=clock)
    office = WaveOffice(data, open_vault(keys, EnvKek(secret), clock), clock)
    office.plan |= PLAN
    office.open()
    for tenant in (TENANT, SOURCE):
        with data.write() as session:
            session.add(model_assessment(tenant, approved_on=date(2026, 1, 5), now=clock()))
    return Floor(office, keys, secret)


def place_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


@pytest.mark.parametrize(
    ("fault", "stands"),
    [
        (DrillFault.KEYS_LOST, "planned"),
        (DrillFault.BACKUP_CORRUPTED, "planned"),
        (DrillFault.POISON_FILE, "planned"),
        (DrillFault.GATEWAY_DOWN, "planned"),
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
    seen = {
        DrillFault.KEYS_LOST: "keys-unavailable",
        DrillFault.POISON_FILE: "source-unreadable",
        DrillFault.GATEWAY_DOWN: "gateway-unavailable",
    }
    assert done.detected == seen.get(fault, done.detected)
    assert office.stored() == before, "the live book is as it was"
    assert [row.move for row in office.all_of(TransferRow)] == moves


def test_what_cannot_be_moved_cannot_be_drilled(floor: Floor, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="no rows"):
        floor.drill(tmp_path, DrillFault.WORKER_KILLED)
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        DrillFault.KEYS_LOST,
        DrillFault.BACKUP_CORRUPTED,
        DrillFault.POISON_FILE,
        DrillFault.GATEWAY_DOWN,
        pytest.param(DrillFault.WORKER_KILLED, marks=pytest.mark.long),
    ],
)
def test_on_postgresql_the_drill_has_databases_of_its_own(
    fault: DrillFault, postgres_floor: Floor, tmp_path: Path
) -> None:
    office = postgres_floor.office
    office.rows(persons(30, prefix="S"))
    office.plan_waves()
    before, moves = office.stored(), [row.move for row in office.all_of(TransferRow)]
    done = postgres_floor.drill(tmp_path, fault)
    assert done.recovered, done
    assert office.stored() == before, "the live book is as it was"
    assert [row.move for row in office.all_of(TransferRow)] == moves
    assert drill_databases(office.database) == [], "they are dropped"


def test_who_may_make_no_databases_is_told_so(postgres_floor: Floor, tmp_path: Path) -> None:
    live = postgres_floor.office.database
    with live.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("DROP ROLE IF EXISTS drill_poor")
        connection.exec_driver_sql("CREATE ROLE drill_poor")
    poor = create_engine(live.engine.url.update_query_dict({"options": "-c role=drill_poor"}))
    stores = Stores(Database(poor), Database(poor))
    with pytest.raises(CommandFailed, match="CREATEDB") as refused, scratch_on_postgres(tmp_path / "root", stores):
        pass
    assert refused.value.code == ExitCode.NO_PERMISSION
    poor.dispose()


def drill_databases(database: Database) -> list[str]:
    with database.read() as session:
        query = text("SELECT datname FROM pg_database WHERE datname LIKE :name")
        return list(session.connection().execute(query, {"name": f"{PREFIX}%"}).scalars())


def test_a_drill_that_injected_nothing_has_not_recovered(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teeth: a file that would not burst is no poison, and a provider that was there was not away."""
    floor.office.rows(persons(10, prefix="S"))
    monkeypatch.setattr(drill_poison, "_write_bomb", drill_poison._write_good)
    monkeypatch.setattr(drill_poison, "_unpacked", lambda _path: 0)
    assert not floor.drill(tmp_path, DrillFault.POISON_FILE).recovered
    monkeypatch.setattr(DrillDesk, "take", lambda desk, message: Receipt(ref=message))
    assert not floor.drill(tmp_path, DrillFault.GATEWAY_DOWN).injected
