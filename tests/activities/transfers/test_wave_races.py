"""What happens between the reading of a record and its writing: somebody at a desk, or another wave of the same job."""

from collections.abc import Callable

import pytest

from activities.transfers import wave_moving
from models.domain.transfers.states import WaveState
from tests.support.transfer_waves import WaveOffice, persons


@pytest.fixture
def office(database, vault, clock) -> WaveOffice:
    office = WaveOffice(database, vault, clock)
    office.plan["waveRows"] = 1
    office.open()
    return office


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Have something happen once, when a chunk is prepared and not written yet."""

    def arrange(act: Callable[[], object]) -> None:
        unit_of_work, waiting = wave_moving.unit_of_work, [act]

        def late(*given):
            if waiting:
                waiting.pop()()
            return unit_of_work(*given)

        monkeypatch.setattr(wave_moving, "unit_of_work", late)

    return arrange


def test_what_somebody_changes_meanwhile_is_a_conflict_and_never_overwritten(office: WaveOffice, meanwhile) -> None:
    [theirs] = persons(1, prefix="T")
    [record] = office.book([theirs])
    office.rows([theirs | {"occupation": "会计", "email": "row@example.com"}], into={0: record})
    office.plan_waves()
    meanwhile(lambda: office.change(record, email="desk@example.com"))
    office.run(1)
    assert office.values(record) == theirs | {"email": "desk@example.com"}
    [conflict] = office.conflicts()
    assert (conflict.kind, conflict.record_id, conflict.record_version) == ("record-changed", record, 2)
    assert office.changes() == []
    office.assert_conserved()


def test_another_wave_of_the_job_is_no_conflict_both_are_written(office: WaveOffice, meanwhile) -> None:
    [theirs] = persons(1, prefix="T")
    [record] = office.book([theirs])
    rows = [theirs | {"occupation": "会计"}, theirs | {"postcode": "200120"}]
    office.rows(rows, into={0: record, 1: record})
    assert office.plan_waves() == 2
    before = office.stored()
    meanwhile(lambda: office.move(1))
    office.run(2)
    office.run(1)
    assert office.values(record) == theirs | {"occupation": "会计", "postcode": "200120"}
    assert office.conflicts() == []
    assert office.reconcile() is None
    # Not in their order: the earlier wave's change lies under the later one's, and a person is asked.
    assert not office.undo(1).root_equal
    assert [each.kind for each in office.conflicts()] == ["undo"]
    assert office.stored() != before


def test_a_record_that_is_erased_before_its_row_arrives_stays_erased(office: WaveOffice) -> None:
    [theirs] = persons(1, prefix="T")
    [record] = office.book([theirs])
    office.rows([theirs | {"occupation": "会计"}], into={0: record})
    office.plan_waves()
    found = office.records()[record]
    office.vault.shred_subject(tenant="buyer", subject_id=found.subject_id)
    with office.database.write() as session:
        found.erased_at = office.clock()
        session.merge(found)
    assert office.move(1).stopped == "error-budget", "one of one row cannot move"
    assert (office.row(1).outcome, office.row(1).reason_code) == ("held", "record-erased")
    assert office.wave(1).state == WaveState.STOPPED
