"""A customer is erased while the job is open: before their row moves, and between the move and its rollback."""

import json

import pytest
from sqlmodel import col, select

from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.transfers.states import WaveState
from models.tables.audit import AuditEvent
from tests.support.clock import FakeClock
from tests.support.transfer_waves import JOB, WaveOffice, persons


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock) -> WaveOffice:
    """Forty new customers in wave 1, forty in wave 2; the first ten are merged into records that lack their e-mail."""
    office = WaveOffice(database, vault, clock)
    office.open()
    known = [{name: each[name] for name in each if name != "email"} for each in persons(10, prefix="T")]
    ids = office.book(known)
    office.rows(persons(80, prefix="S"), into=dict(enumerate(ids)))
    office.plan_waves()
    return office


def _undone_events(office: WaveOffice) -> list[dict[str, object]]:
    with office.database.read() as session:
        found = session.exec(select(AuditEvent).where(col(AuditEvent.action) == "transfer.wave-undone")).all()
    return [json.loads(each.body)["facts"] for each in found]


def test_who_is_erased_before_the_move_is_held_and_stops_no_wave(office: WaveOffice) -> None:
    office.erase(office.row(30).subject_id)
    assert (office.row(30).outcome, office.row(30).reason_code) == ("held", "erased")
    assert office.run(1).state == WaveState.MOVED, "no failure that the error budget counts"
    assert office.run(2).state == WaveState.MOVED
    assert office.reconcile() is None
    assert len(office.records()) == 10 + 69
    office.assert_conserved()


def test_who_is_erased_after_the_move_is_held_out_of_the_rollback(office: WaveOffice) -> None:
    office.run(1)
    new, merged = office.row(30), office.row(5)
    records = office.records()
    office.erase(records[str(new.target_record)].subject_id)
    office.erase(records[str(merged.target_record)].subject_id)
    assert office.steps.end_wave(ChunkStep(job=JOB, wave=1, attempt=1)).state == WaveState.MOVED, "no fault of the wave"
    undone = office.undo(1)
    assert (undone.state, undone.root_equal) == (WaveState.UNDONE, True)
    left = office.records()
    assert len(left) == 10 + 1, "all but the row of nobody"
    for record in (new.target_record, merged.target_record):
        assert left[str(record)].erased_at is not None, "nothing of before comes back"
    for number in (30, 5):
        assert (office.row(number).move, office.row(number).reason_code) == ("moved", "erased")
    assert not office.conflicts(), "nobody is asked about somebody who is gone"
    [told] = _undone_events(office)
    assert {each["why"] for each in told["differing"]} == {"erased"}  # type: ignore[index,union-attr]
    assert told["differingCount"] == 2
    office.assert_conserved()
    assert office.run(1, attempt=2).state == WaveState.MOVED
    assert office.run(2).state == WaveState.MOVED
    assert office.reconcile() is None
    assert len(office.records()) == 80, "nobody who was erased came back with the second attempt"
    office.assert_conserved()


def test_an_undo_that_waited_for_a_person_ends_with_the_erasure(office: WaveOffice) -> None:
    office.run(1)
    record = str(office.row(30).target_record)
    office.change(record, email="new@example.com")
    office.undo(1)
    [conflict] = office.conflicts()
    assert conflict.state == "open"
    office.erase(office.records()[record].subject_id)
    [conflict] = office.conflicts()
    assert (conflict.state, conflict.choice, conflict.reason_code) == ("decided", "keep", "erased")
    assert (office.row(30).move, office.wave(1).moved) == ("moved", 1)
    office.assert_conserved()
