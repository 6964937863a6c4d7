"""The life of branch keys, step by step and against a model: no order of steps loses a person's data."""

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from compliance.vault import rewrap, rotation
from compliance.vault.cells import CellAddress
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.states import OPENING, STEPS, KeyState, deed_of
from compliance.vault.store import initialise_key_store
from compliance.vault.tables import BranchKey, KeyJournal, SubjectKey
from models.database.engine import Database, open_database
from models.errors import WrongState
from tests.support.clock import FakeClock
from tests.support.key_processes import KeyProcess, key_process
from tests.support.vaults import throw_away_kek

WRAP = Purpose.SUBJECT_WRAP.value
NAMED: dict[str, Any] = {"tenant": "acme", "purpose": WRAP, "actor": "operator"}


def _address(subject: str) -> CellAddress:
    return CellAddress("acme", "subjects", "name_cell", subject, subject)


def _states(database: Database) -> dict[int, str]:
    with database.read() as session:
        rows = session.exec(select(BranchKey).where(BranchKey.tenant == "acme", BranchKey.purpose == WRAP)).all()
    return {row.version: row.state for row in rows}


def _deeds(database: Database) -> list[str]:
    with database.read() as session:
        lines = session.exec(select(KeyJournal).order_by(KeyJournal.seq)).all()
    return [f"{line.action} {line.target}" for line in lines if line.target.startswith(f"key/acme/{WRAP}/")]


def test_only_what_the_table_names_is_a_step() -> None:
    for before in (None, *KeyState):
        for after in KeyState:
            if (before, after) in STEPS:
                assert deed_of(before, after).startswith("key.")
            else:
                with pytest.raises(WrongState):
                    deed_of(before, after)
    assert len(set(STEPS.values())) == len(STEPS)
    assert not [step for step in STEPS if step[0] is KeyState.DESTROYED]  # what is destroyed stays so


def test_a_whole_life_is_in_the_journal(bank: Vault, keys_database: Database) -> None:
    keys = bank.branches
    assert rotation.publish(keys, **NAMED) == 2
    assert rotation.activate(keys, version=2, **NAMED) == []
    list(rewrap.rewrap(keys, **NAMED))
    rotation.retire(keys, version=1, **NAMED)
    rotation.reinstate(keys, version=1, **NAMED)
    rotation.retire(keys, version=1, **NAMED)
    rotation.destroy(keys, version=1, **NAMED)
    assert _states(keys_database) == {1: "destroyed", 2: "active"}
    assert _deeds(keys_database) == [
        f"key.created key/acme/{WRAP}/1",
        f"key.published key/acme/{WRAP}/2",
        f"key.superseded key/acme/{WRAP}/1",
        f"key.activated key/acme/{WRAP}/2",
        f"key.rewrapped key/acme/{WRAP}/2",
        f"key.retired key/acme/{WRAP}/1",
        f"key.reinstated key/acme/{WRAP}/1",
        f"key.retired key/acme/{WRAP}/1",
        f"key.destroyed key/acme/{WRAP}/1",
    ]


def test_each_step_can_be_repeated(bank: Vault, keys_database: Database) -> None:
    keys = bank.branches
    for _ in range(2):
        assert rotation.publish(keys, **NAMED) == 2
    for _ in range(2):
        assert rotation.activate(keys, version=2, **NAMED) == []
    list(rewrap.rewrap(keys, **NAMED))
    for _ in range(2):
        rotation.retire(keys, version=1, **NAMED)
    for _ in range(2):
        rotation.destroy(keys, version=1, **NAMED)
    assert len(_deeds(keys_database)) == 7


def test_a_destroyed_key_is_not_in_the_files_any_more(tmp_path: Path, kek: KekProvider, clock: FakeClock) -> None:
    database = open_database(f"sqlite:///{tmp_path}/keys.db")
    initialise_key_store(database, kek=kek, clock=clock)
    vault = open_vault(database, kek, clock)
    vault.ensure_tenant("acme")
    with database.read() as session:
        row = session.get(BranchKey, ("acme", WRAP, 1))
    assert row is not None

    def found() -> bool:
        return any(row.wrapped in path.read_bytes() for path in tmp_path.iterdir())

    rotation.publish(vault.branches, **NAMED)
    rotation.activate(vault.branches, version=2, **NAMED)
    rotation.retire(vault.branches, version=1, **NAMED)
    assert found()
    rotation.destroy(vault.branches, version=1, **NAMED)
    assert not found()
    database.dispose()


def test_a_version_that_is_used_is_neither_retired_nor_destroyed(bank: Vault, keys_database: Database) -> None:
    keys = bank.branches
    with pytest.raises(WrongState, match="is active"):
        rotation.retire(keys, version=1, **NAMED)
    rotation.publish(keys, **NAMED)
    rotation.activate(keys, version=2, **NAMED)
    with pytest.raises(WrongState, match=r"2 keys lie under .*keys rewrap"):
        rotation.retire(keys, version=1, **NAMED)
    with pytest.raises(WrongState, match="not retired"):
        rotation.destroy(keys, version=1, **NAMED)
    assert _states(keys_database) == {1: "decrypt-only", 2: "active"}


def test_what_cannot_be_counted_is_not_retired(bank: Vault) -> None:
    temporal: dict[str, Any] = {**NAMED, "purpose": Purpose.TEMPORAL.value}
    rotation.publish(bank.branches, **temporal)
    rotation.activate(bank.branches, version=2, **temporal)
    with pytest.raises(WrongState, match="histories"):
        rotation.retire(bank.branches, version=1, **temporal)


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - {Purpose.SUBJECT_WRAP, Purpose.SEAL_WRAP, Purpose.TEMPORAL}))
def test_a_key_that_others_hold_on_to_does_not_rotate_and_the_refusal_says_why(bank: Vault, purpose: str) -> None:
    with pytest.raises(WrongState, match=f"the key {purpose} does not rotate so: .{{20,}}"):
        rotation.publish(bank.branches, tenant="acme", purpose=purpose, actor="operator")


def test_the_blind_index_rotates_for_who_makes_the_indexes_anew(bank: Vault) -> None:
    assert rotation.publish(bank.branches, **{**NAMED, "purpose": "blind-index"}, reindexing=True) == 2


def test_two_versions_cannot_both_be_active_whoever_writes_them(bank: Vault, keys_database: Database) -> None:
    with pytest.raises(IntegrityError), keys_database.write() as session:
        row = session.get(BranchKey, ("acme", WRAP, 1))
        assert row is not None
        session.add(BranchKey(**(row.model_dump() | {"version": 2})))


class Lives(RuleBasedStateMachine):
    """Three processes, one of which may sleep, over one key store; a model says what each step should do."""

    subjects = Bundle("subjects")

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        folder = self.open.enter_context(TemporaryDirectory())
        self.database = open_database(f"sqlite:///{folder}/keys.db")
        self.open.callback(self.database.dispose)
        self.clock, self.kek = FakeClock(), throw_away_kek()
        self.model: dict[int, KeyState] = {1: KeyState.ACTIVE}
        self.under: dict[str, int] = {}
        self.sealed: dict[str, list[bytes]] = {}
        self.known: dict[str, set[int]] = {}
        self.beaten: dict[str, Any] = {}

    @initialize()
    def begin(self) -> None:
        initialise_key_store(self.database, kek=self.kek, clock=self.clock)
        self.vault = open_vault(self.database, self.kek, self.clock)
        self.vault.ensure_tenant("acme")
        self.keys = self.vault.branches
        self.processes: list[KeyProcess] = [
            self.open.enter_context(key_process(self.database, self.kek, self.clock, name=name))
            for name in ("one", "two")
        ]

    def teardown(self) -> None:
        self.open.close()

    def _newest(self, state: KeyState) -> int | None:
        return max((version for version, found in self.model.items() if found is state), default=None)

    def _alive(self) -> set[str]:
        return {name for name, at in self.beaten.items() if self.clock() - at < timedelta(seconds=45)}

    @rule(minutes=st.sampled_from([0.2, 1, 6]))
    def time_passes(self, minutes: float) -> None:
        self.clock.advance(minutes=minutes)

    @rule(number=st.integers(0, 1))
    def a_process_beats(self, number: int) -> None:
        process = self.processes[number]
        process.beat()
        self.beaten[process.named.name] = self.clock()
        published = self._newest(KeyState.PUBLISHED)
        if published is not None:
            self.known.setdefault(process.named.name, set()).add(published)

    @rule(target=subjects, number=st.integers(0, 1))
    def a_process_takes_a_person_in(self, number: int) -> str:
        subject = f"sub_{len(self.under):03d}"
        vault = self.processes[number].vault
        vault.create_subject(tenant="acme", subject_id=subject)
        self.sealed[subject] = [vault.seal(_address(subject), "first")]
        active = self._newest(KeyState.ACTIVE)
        assert active is not None
        self.under[subject] = active
        return subject

    @rule(subject=subjects, number=st.integers(0, 1))
    def a_process_writes_and_reads(self, subject: str, number: int) -> None:
        vault = self.processes[number].vault
        self.sealed[subject].append(vault.seal(_address(subject), "again"))
        assert all(vault.open_text(_address(subject), cell) for cell in self.sealed[subject])

    @rule()
    def publish(self) -> None:
        version = rotation.publish(self.keys, **NAMED)
        expected = self._newest(KeyState.PUBLISHED) or max(self.model) + 1
        assert version == expected
        self.model[version] = KeyState.PUBLISHED

    @precondition(lambda self: self._newest(KeyState.PUBLISHED) is not None)
    @rule()
    def activate(self) -> None:
        version = self._newest(KeyState.PUBLISHED)
        assert version is not None
        waiting = {one.process for one in rotation.activate(self.keys, version=version, **NAMED)}
        assert waiting == {name for name in self._alive() if version not in self.known.get(name, set())}
        if not waiting:
            before = self._newest(KeyState.ACTIVE)
            assert before is not None
            self.model |= {before: KeyState.DECRYPT_ONLY, version: KeyState.ACTIVE}

    @rule()
    def rewrap(self) -> None:
        active = self._newest(KeyState.ACTIVE)
        assert active is not None
        *_, progress = rewrap.rewrap(self.keys, **NAMED, chunk=3, sleep=lambda _: None)
        assert progress.failures == 0
        assert progress.done == sum(1 for version in self.under.values() if version != active)
        self.under = dict.fromkeys(self.under, active)

    @rule(data=st.data(), step=st.sampled_from(["retire", "reinstate", "destroy", "withdraw"]))
    def another_step(self, data: st.DataObject, step: str) -> None:
        version = data.draw(st.sampled_from(sorted(self.model)))
        before, after = {
            "retire": (KeyState.DECRYPT_ONLY, KeyState.RETIRED),
            "reinstate": (KeyState.RETIRED, KeyState.DECRYPT_ONLY),
            "destroy": (KeyState.RETIRED, KeyState.DESTROYED),
            "withdraw": (KeyState.PUBLISHED, KeyState.DESTROYED),
        }[step]
        used = step in {"retire", "destroy"} and version in self.under.values()
        allowed = self.model[version] is after or (self.model[version] is before and not used)
        try:
            getattr(rotation, step)(self.keys, version=version, **NAMED)
        except WrongState:
            assert not allowed
        else:
            assert allowed
            self.model[version] = after

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        if not hasattr(self, "keys"):
            return
        assert _states(self.database) == {version: state.value for version, state in self.model.items()}
        assert sum(1 for state in self.model.values() if state is KeyState.ACTIVE) == 1
        with self.database.read() as session:
            rows = session.exec(select(SubjectKey)).all()
            destroyed = session.exec(select(BranchKey).where(BranchKey.state == KeyState.DESTROYED)).all()
        assert {row.subject_id: row.branch_version for row in rows} == self.under
        assert all(self.model[row.branch_version] in OPENING for row in rows)
        assert all(row.wrapped == b"" for row in destroyed)

    @invariant()
    def a_process_that_starts_now_reads_everything(self) -> None:
        if not self.sealed:
            return
        fresh = open_vault(self.database, self.kek, self.clock)
        for subject, cells in self.sealed.items():
            assert {fresh.open_text(_address(subject), cell) for cell in cells} <= {"first", "again"}


class TestLives(Lives.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=5, stateful_step_count=18, deadline=None)


@pytest.mark.long
class TestManyLives(Lives.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
