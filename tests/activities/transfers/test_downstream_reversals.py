"""What was handed downstream is taken back after a rollback: once, last change first, before anything new is told.

Who is erased is told of too, once.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from activities.transfers.downstream import Downstream
from activities.transfers.downstream_reversals import ReversalKeeper
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.transfers.conflicts import Choice
from models.errors import GatewayUnavailable
from models.operations.four_eyes import By
from models.operations.transfers.conflict_choices import carry_out
from models.operations.transfers.conflicts import decide, hold_conflict
from models.tables.transfer_waves import TransferHandover
from tests.support.clock import FakeClock
from tests.support.transfer_waves import JOB, TENANT, WaveOffice, persons


class Crm:
    """A receiver that does as it is told, and takes a key once."""

    def __init__(self) -> None:
        self.seen: dict[str, list[dict[str, Any]]] = {}
        self.book: dict[str, dict[str, Any]] = {}
        self.away = False
        self.order: list[str] = []

    def __call__(self, url: str, content: bytes, *, key: str, media_type: str) -> int:
        if self.away:
            raise GatewayUnavailable
        if key in self.seen:
            return 409
        self.seen[key] = json.loads(content)["records"]
        for row in self.seen[key]:
            self.order.append(row["change"])
            if row["change"] in {"removed", "erased"}:
                del self.book[row["record"]]
            else:
                self.book[row["record"]] = {name: row[name] for name in row if name not in ("change", "at")}
        return 201


@pytest.fixture
def crm() -> Crm:
    return Crm()


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock, crm: Crm, tmp_path: Path) -> WaveOffice:
    """Two waves of forty; two rows, one in each wave, are merged into the one record that the consumer knows."""
    office = WaveOffice(database, vault, clock, downstream=Downstream(tmp_path / "exchange", crm))
    office.plan["consumers"] = [
        {"name": "crm", "kind": "hook", "form": "pseudonymous", "url": "https://crm.example.com/hook"},
        {"name": "core", "kind": "csv", "form": "pseudonymous"},
    ]
    office.open()
    [theirs] = persons(1, prefix="T")
    [record] = office.book([{name: theirs[name] for name in theirs if name not in ("email", "address")}])
    sixty = persons(60, prefix="S")
    office.rows([{k: v for k, v in sixty[0].items() if k != "address"}, *sixty[1:]], into={0: record})
    office.rows([{k: v for k, v in sixty[0].items() if k != "email"}], into={0: record})
    office.plan_waves()
    return office


def _keeper(office: WaveOffice) -> ReversalKeeper:
    assert office.downstream is not None
    return ReversalKeeper(office.database, office.vault, office.clock, office.downstream)


def _hand(office: WaveOffice) -> None:
    assert office.steps.hand_downstream(ChunkStep(job=JOB)).after is None


def test_a_rolled_back_job_leaves_the_consumer_as_it_was_before(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.run(2)
    _hand(office)
    assert len(crm.book) == 60
    for wave in (2, 1):
        office.undo(wave)
    crm.away = True
    assert _keeper(office).sweep() == 0, "it waits, and the rollback is done all the same"
    crm.away = False
    keeper = _keeper(office)
    assert keeper.sweep() >= 2
    assert keeper.sweep() == 0
    [left] = crm.book.values()
    assert left["version"] == "1", "the record that was there before is as it was, whichever wave had changed it"
    assert "email" not in left
    assert crm.order.count("removed") == 59
    assert crm.order.count("restored") == 2
    told = [part for part in office.all_of(TransferHandover) if part.reversal and part.consumer == "core"]
    assert office.downstream is not None
    for part in told:
        assert part.state == "handed"
        assert "-reversal." in part.place["file"]
        lines = (office.downstream.folder / part.place["file"]).read_text().splitlines()
        assert len(lines) == part.records + 1


def test_what_a_second_attempt_tells_comes_after_what_is_taken_back(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.run(2)
    _hand(office)
    office.undo(1)
    office.run(1, attempt=2)
    _hand(office)
    _hand(office)
    assert len(crm.book) == 60
    firsts, kinds = crm.order[:61], set(crm.order[61:100])
    assert set(firsts) == {"insert", "update"}
    assert kinds <= {"removed", "restored"}
    assert set(crm.order[-39:]) <= {"insert", "update"}
    assert _keeper(office).sweep() == 0


def test_one_record_that_is_put_back_is_taken_back_alone(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.run(2)
    _hand(office)
    record = str(office.row(9).target_record)
    office.change(record, email="new@example.com")
    office.undo(1)
    [conflict] = [each for each in office.conflicts() if each.row_number == 9]
    assert _keeper(office).sweep() == 2
    before = len(crm.book)
    with office.database.write() as session:
        held = hold_conflict(session, conflict.id)
        assert held is not None
        who = By(tenant=TENANT, staff_id="stf_2", person_id="per_2")
        decide(session, held, Choice.TAKE, reason="wrong", by=who, now=office.clock())
        carry_out(session, held, Choice.TAKE, None, now=office.clock())
    keeper = _keeper(office)
    assert keeper.sweep() == 2
    assert len(crm.book) == before - 1
    assert keeper.sweep() == 0


def test_what_was_never_handed_is_not_taken_back(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.undo(1)
    assert _keeper(office).sweep() == 0
    assert not crm.seen


def _subject(office: WaveOffice, number: int) -> str:
    return office.records()[str(office.row(number).target_record)].subject_id


def test_who_is_erased_is_told_to_each_consumer_once_and_without_a_value(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.run(2)
    _hand(office)
    merged, brought = _subject(office, 1), _subject(office, 30)
    keeper = _keeper(office)
    assert keeper.sweep() == 0
    crm.away = True
    office.erase(merged)
    office.erase(brought)
    assert keeper.sweep() == 0, "it waits"
    crm.away = False
    assert keeper.sweep() == 2, "one part for each consumer: both waves had changed the record that is merged into"
    assert keeper.sweep() == 0
    assert len(crm.book) == 58
    told = [row for rows in crm.seen.values() for row in rows if row["change"] == "erased"]
    assert len(told) == 2
    assert all({*row} == {"record", "change", "version", "at"} for row in told)
    [file] = [each for each in office.all_of(TransferHandover) if each.consumer == "core" and each.reversal]
    assert "-erasure." in file.place["file"]
    assert office.downstream is not None
    assert (office.downstream.folder / file.place["file"]).read_text().count(",erased,") == 2


def test_who_was_taken_back_before_they_were_erased_is_not_told_of_again(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.run(2)
    _hand(office)
    merged = _subject(office, 1)
    for wave in (2, 1):
        office.undo(wave)
    keeper = _keeper(office)
    keeper.sweep()
    assert len(crm.book) == 1
    office.erase(merged)
    assert keeper.sweep() == 2
    assert crm.book == {}, "the one that had been put back is gone as well"
    assert (crm.order.count("erased"), crm.order.count("removed")) == (1, 59)


def test_who_is_erased_before_a_part_is_handed_is_never_told_of(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    office.erase(_subject(office, 30))
    _hand(office)
    assert _keeper(office).sweep() == 0
    assert "erased" not in crm.order
    assert len(crm.book) == 39


def test_who_is_erased_after_a_rollback_has_left_them_out_is_told_of(office: WaveOffice, crm: Crm) -> None:
    office.run(1)
    _hand(office)
    office.erase(_subject(office, 30))
    office.undo(1)
    _keeper(office).sweep()
    assert crm.order.count("erased") == 1
    assert len(crm.book) == 1, "the customer of before"
