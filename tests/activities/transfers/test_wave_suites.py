"""No wave begins while the institution's data are sealed anew: it could not be put back exactly."""

import pytest

from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.transfers.states import WaveState
from models.errors import SuiteChangeUnderWay
from models.tables.suite_changes import SuiteChange
from tests.support.clock import FakeClock
from tests.support.transfer_waves import JOB, TENANT, WaveOffice, persons


def test_a_wave_waits_for_the_end_of_a_change_of_suite(database: Database, vault: Vault, clock: FakeClock) -> None:
    office = WaveOffice(database, vault, clock)
    office.open()
    office.rows(persons(10, prefix="S"))
    office.plan_waves()
    change = SuiteChange(
        id="sch_1", tenant=TENANT, kind="suite", suite="sm4-gcm", reason_code="return", shown_hash="0" * 64,
        state="RUNNING", proposed_by="stf_1", proposed_at=clock(),
    )  # fmt: skip
    with database.write() as session:
        session.add(change)
    with pytest.raises(SuiteChangeUnderWay):
        office.steps.begin_wave(ChunkStep(job=JOB, wave=1, attempt=1))
    assert office.wave(1).state == WaveState.PLANNED
    with database.write() as session:
        ended = session.get_one(SuiteChange, "sch_1")
        ended.state = "DONE"
        session.add(ended)
    assert office.run(1).state == WaveState.MOVED
