"""Rotation of a branch key while processes read and write: nobody fails, and nothing new comes under an old version."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from compliance.vault import rewrap, rotation
from compliance.vault.cells import CellAddress
from compliance.vault.holders import LIVES_FOR
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import SM4_GCM
from compliance.vault.tables import BranchKey, KeyAcknowledgement, KeyHolder, SealKey, SubjectKey
from models.database.engine import Database
from models.errors import WrongState
from tests.support.clock import FakeClock
from tests.support.key_processes import key_process

NAMED: dict[str, Any] = {"tenant": "acme", "purpose": Purpose.SUBJECT_WRAP.value, "actor": "operator"}


@pytest.fixture
def operator(key_store: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    initialise_key_store(key_store, kek=kek, clock=clock)
    vault = open_vault(key_store, kek, clock)
    vault.ensure_tenant("acme")
    return vault


def _address(subject: str) -> CellAddress:
    return CellAddress("acme", "subjects", "name_cell", subject, subject)


def _branch_versions(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {row.subject_id: row.branch_version for row in session.exec(select(SubjectKey)).all()}


def test_a_version_seals_only_when_every_living_process_knows_it(
    operator: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with (
        key_process(key_store, kek, clock, name="api-1") as api,
        key_process(key_store, kek, clock, name="worker-1") as worker,
    ):
        assert (api.beat(), worker.beat()) == (0, 0)
        assert rotation.publish(operator.branches, **NAMED) == 2
        assert {one.process for one in rotation.activate(operator.branches, version=2, **NAMED)} == {
            "api-1",
            "worker-1",
        }
        assert api.beat() == 1
        (waiting,) = rotation.activate(operator.branches, version=2, **NAMED)
        assert (waiting.process, waiting.component) == ("worker-1", "worker")
        operator.forget()
        operator.create_subject(tenant="acme", subject_id="sub_before")
        worker.beat()
        assert rotation.activate(operator.branches, version=2, **NAMED) == []
        api.vault.create_subject(tenant="acme", subject_id="sub_after")
        assert _branch_versions(key_store) == {"sub_before": 1, "sub_after": 2}


def test_nobody_waits_for_a_process_that_ended_or_died(
    operator: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with (
        key_process(key_store, kek, clock, name="ended") as ended,
        key_process(key_store, kek, clock, name="killed") as killed,
    ):
        ended.beat()
        killed.beat()
        rotation.publish(operator.branches, **NAMED)
        ended.leave()
        assert [one.process for one in rotation.activate(operator.branches, version=2, **NAMED)] == ["killed"]
        clock.advance(LIVES_FOR)
        assert rotation.activate(operator.branches, version=2, **NAMED) == []
        clock.advance(days=2)
        rotation.publish(operator.branches, **NAMED)
        rotation.activate(operator.branches, version=3, **NAMED)
    with key_store.read() as session:
        assert session.exec(select(KeyHolder)).all() == []
        assert session.exec(select(KeyAcknowledgement)).all() == []


def test_a_process_that_slept_through_it_reads_what_is_new_and_writes_under_what_is_new(
    operator: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with key_process(key_store, kek, clock, name="asleep") as asleep:
        asleep.vault.create_subject(tenant="acme", subject_id="sub_old")  # it has version 1 in its memory, and no beat
        rotation.publish(operator.branches, **NAMED)
        rotation.activate(operator.branches, version=2, **NAMED)
        operator.create_subject(tenant="acme", subject_id="sub_new")
        sealed = operator.seal(_address("sub_new"), "王小明")
        assert asleep.vault.open_text(_address("sub_new"), sealed) == "王小明"
        *_, done = rewrap.rewrap(operator.branches, **NAMED)
        assert (done.done, done.total) == (1, 1)
        rotation.retire(operator.branches, version=1, **NAMED)
        asleep.vault.create_subject(tenant="acme", subject_id="sub_late")
    assert _branch_versions(key_store) == {"sub_old": 2, "sub_new": 2, "sub_late": 2}


def test_a_beat_makes_a_new_version_seal_before_the_cache_is_old(
    operator: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    temporal: dict[str, Any] = {**NAMED, "purpose": Purpose.TEMPORAL.value}
    with key_process(key_store, kek, clock, name="worker-1") as worker:
        worker.beat()
        assert worker.vault.workflow_key(tenant="acme", workflow_id="w")[0] == 1
        rotation.publish(operator.branches, **temporal)
        worker.beat()
        assert worker.vault.workflow_key(tenant="acme", workflow_id="w")[0] == 1  # known is not in use
        rotation.activate(operator.branches, version=2, **temporal)
        assert worker.vault.workflow_key(tenant="acme", workflow_id="w")[0] == 1
        clock.advance(timedelta(seconds=10))
        worker.beat()
        assert worker.vault.workflow_key(tenant="acme", workflow_id="w")[0] == 2


def test_two_operators_that_publish_at_once_publish_one_version(
    operator: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with (
        key_process(key_store, kek, clock, name="one") as one,
        key_process(key_store, kek, clock, name="two") as two,
        ThreadPoolExecutor(4) as pool,
    ):
        sources = [one.vault, two.vault, one.vault, two.vault]
        found = list(pool.map(lambda vault: rotation.publish(vault.branches, **NAMED), sources))
    assert found == [2, 2, 2, 2]


def test_the_next_version_may_be_of_another_suite(operator: Vault, key_store: Database) -> None:
    operator.create_subject(tenant="acme", subject_id="sub_a")
    sealed = operator.seal(_address("sub_a"), "王小明")
    rotation.publish(operator.branches, **NAMED, suite=SM4_GCM)
    with pytest.raises(WrongState, match="another suite"):
        rotation.publish(operator.branches, **NAMED, suite=operator.branches.get("acme", "subject-wrap").current.suite)
    rotation.activate(operator.branches, version=2, **NAMED)
    list(rewrap.rewrap(operator.branches, **NAMED))
    operator.forget()
    assert operator.open_text(_address("sub_a"), sealed) == "王小明"
    with key_store.read() as session:
        row = session.exec(select(SubjectKey)).one()
        assert (row.suite, row.wrapped[1], row.branch_version) == (1, SM4_GCM.id, 2)


def test_the_seal_of_documents_moves_with_its_branch_key(operator: Vault, key_store: Database) -> None:
    operator.ensure_seal(tenant="acme", organisation="示例银行")
    before = operator.document_seal("acme")
    seal: dict[str, Any] = {**NAMED, "purpose": Purpose.SEAL_WRAP.value}
    rotation.publish(operator.branches, **seal)
    rotation.activate(operator.branches, version=2, **seal)
    *_, done = rewrap.rewrap(operator.branches, **seal)
    assert done.done == 1
    rotation.retire(operator.branches, version=1, **seal)
    rotation.destroy(operator.branches, version=1, **seal)
    operator.forget()
    after = operator.document_seal("acme")
    assert after.private_key.private_numbers() == before.private_key.private_numbers()
    with key_store.read() as session:
        assert session.exec(select(SealKey)).one().branch_version == 2
        row = session.get(BranchKey, ("acme", "seal-wrap", 1))
        assert row is not None
        assert (row.state, row.wrapped) == ("destroyed", b"")


@dataclass
class Desks:
    """Two processes with cached keys that take persons in, write and read, each also what the other wrote."""

    cells: list[tuple[str, bytes]]
    stop: threading.Event = field(default_factory=threading.Event)
    failed: list[str] = field(default_factory=list)
    calls: int = 0

    def work(self, mine: Vault, name: str) -> None:
        number = 0
        while not self.stop.is_set() or number < 15:
            person = f"{name}_{number}"
            try:
                mine.create_subject(tenant="acme", subject_id=person)
                self.cells.append((person, mine.seal(_address(person), person)))
                for who, cell in self.cells[-4:] + self.cells[number % 40 : number % 40 + 2]:
                    assert mine.open_text(_address(who), cell) == who
                mine.workflow_sealer(tenant="acme", workflow_id=person)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure of this test
                self.failed.append(repr(error))
            number += 1
            self.calls += 1
            self.stop.wait(0.01)


def _a_whole_rotation(operator: Vault, version: int, until_known: Callable[[], None]) -> None:
    for purpose in (Purpose.SUBJECT_WRAP, Purpose.TEMPORAL):
        named: dict[str, Any] = {**NAMED, "purpose": purpose.value}
        rotation.publish(operator.branches, **named)
        while rotation.activate(operator.branches, version=version, **named):
            until_known()
    for _ in rewrap.rewrap(operator.branches, **NAMED, chunk=10):
        pass
    rotation.retire(operator.branches, version=version - 1, **NAMED)
    rotation.destroy(operator.branches, version=version - 1, **NAMED)


def test_reads_and_writes_never_fail_during_a_rotation(
    operator: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    people = [f"sub_{number:03d}" for number in range(40)]
    for person in people:
        operator.create_subject(tenant="acme", subject_id=person)
    desks = Desks([(person, operator.seal(_address(person), person)) for person in people])
    with (
        key_process(key_store, kek, clock, name="api-1") as api,
        key_process(key_store, kek, clock, name="worker-1") as worker,
    ):

        def beat() -> None:
            while not desks.stop.wait(0.05):
                api.beat()
                worker.beat()

        api.beat()
        worker.beat()
        with ThreadPoolExecutor(3) as pool:
            running = [
                pool.submit(desks.work, api.vault, "api"),
                pool.submit(desks.work, worker.vault, "worker"),
                pool.submit(beat),
            ]

            def until_known() -> None:
                assert not running[-1].done(), running[-1].exception()
                desks.stop.wait(0.02)

            try:
                for version in (2, 3):
                    _a_whole_rotation(operator, version, until_known)
            finally:
                desks.stop.set()
            for one in running:
                one.result(timeout=60)
    assert desks.failed == []
    assert desks.calls >= 30
    assert set(_branch_versions(key_store).values()) == {3}
    fresh = open_vault(key_store, kek, clock)
    assert all(fresh.open_text(_address(who), cell) == who for who, cell in desks.cells)
