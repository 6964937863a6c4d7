"""Rewrap of persons' keys: resumable, online, nothing lost (reliability S8)."""

import os
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlmodel import col, func, select

from compliance.vault import cells, rewrap, rotation
from compliance.vault.cells import CellAddress, SubjectKeyAddress
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.states import KeyState
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import AES_256_GCM, SealingKey
from compliance.vault.tables import KeyJournal, SubjectKey
from models.database.engine import Database
from models.errors import SubjectShredded, WrongState
from tests.support.clock import FakeClock

ROWS = 10_000
NAMED: dict[str, Any] = {"tenant": "acme", "purpose": Purpose.SUBJECT_WRAP.value, "actor": "operator"}


@pytest.fixture
def vault(key_store: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    initialise_key_store(key_store, kek=kek, clock=clock)
    vault = open_vault(key_store, kek, clock)
    vault.ensure_tenant("acme")
    return vault


def _address(subject: str) -> CellAddress:
    return CellAddress("acme", "subjects", "name_cell", subject, subject)


def _people(vault: Vault, count: int, *, at: datetime) -> dict[str, bytes]:
    """Persons with keys, written in bulk, and a sealed name of each."""
    branch = vault.branches.get("acme", "subject-wrap").current
    rows, sealed = [], {}
    for number in range(count):
        subject = f"sub_{number:05d}"
        secret = os.urandom(32)
        key = SealingKey(AES_256_GCM, secret, version=1)
        address = SubjectKeyAddress(tenant="acme", subject=subject, version=1, suite=1, branch_version=branch.version)
        rows.append(
            {
                "tenant": "acme",
                "subject_id": subject,
                "version": 1,
                "suite": 1,
                "branch_version": branch.version,
                "wrapped": cells.wrap_subject_key(branch, address, secret),
                "commitment": cells.commitment(key, tenant="acme", subject=subject),
                "state": KeyState.ACTIVE.value,
                "created_at": at,
            }
        )
        sealed[subject] = cells.seal_cell(key, _address(subject), subject)
    with vault.branches.database.write() as session:
        session.execute(insert(SubjectKey.__table__), rows)  # type: ignore[attr-defined]
    return sealed


def _opened(branch: SealingKey, row: SubjectKey, cell: bytes) -> str:
    """What the person's key, as it lies in the store now, makes of a cell that was sealed before."""
    address = SubjectKeyAddress(
        tenant="acme", subject=row.subject_id, version=1, suite=1, branch_version=row.branch_version
    )
    key = SealingKey(AES_256_GCM, cells.unwrap_subject_key(branch, address, row.wrapped), version=1)
    return cells.open_cell(key, _address(row.subject_id), cell).decode()


def _next_version(vault: Vault) -> int:
    version = rotation.publish(vault.branches, **NAMED)
    assert rotation.activate(vault.branches, version=version, **NAMED) == []
    return version


def _count(database: Database, version: int) -> int:
    with database.read() as session:
        return session.exec(
            select(func.count()).select_from(SubjectKey).where(SubjectKey.branch_version == version)
        ).one()


def test_ten_thousand_keys_move_and_none_is_lost(vault: Vault, key_store: Database, clock: FakeClock) -> None:
    sealed = _people(vault, ROWS, at=clock())
    _next_version(vault)
    seen = [(progress.done, progress.total) for progress in rewrap.rewrap(vault.branches, **NAMED)]
    assert seen[-1] == (ROWS, ROWS)
    assert len(seen) == ROWS // rewrap.CHUNK + 1  # never more than a chunk between two looks
    rotation.retire(vault.branches, version=1, **NAMED)
    rotation.destroy(vault.branches, version=1, **NAMED)
    vault.forget()
    branch = vault.branches.get("acme", "subject-wrap").keys
    assert set(branch) == {2}
    with key_store.read() as session:
        rows = session.exec(select(SubjectKey)).all()
    assert {row.subject_id: _opened(branch[2], row, sealed[row.subject_id]) for row in rows} == {
        subject: subject for subject in sealed
    }
    some = [f"sub_{number:05d}" for number in range(0, ROWS, ROWS // 20)]
    assert all(vault.open_text(_address(subject), sealed[subject]) == subject for subject in some)


def test_a_rewrap_that_was_killed_goes_on_where_it_was(vault: Vault, key_store: Database, clock: FakeClock) -> None:
    sealed = _people(vault, 100, at=clock())
    _next_version(vault)
    steps = rewrap.rewrap(vault.branches, **NAMED, chunk=10)
    for _ in range(3):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert _count(key_store, 1) == 70
    with pytest.raises(WrongState, match="70 keys lie under"):
        rotation.retire(vault.branches, version=1, **NAMED)
    *_, progress = rewrap.rewrap(vault.branches, **NAMED, chunk=10)
    assert (progress.done, progress.total) == (70, 70)
    *_, nothing = rewrap.rewrap(vault.branches, **NAMED, chunk=10)
    assert (nothing.done, nothing.total) == (0, 0)
    vault.forget()
    assert all(vault.open_text(_address(subject), cell) == subject for subject, cell in sealed.items())
    with key_store.read() as session:
        lines = session.exec(select(KeyJournal.facts).where(KeyJournal.action == "key.rewrapped")).all()
    assert len(lines) == 2  # each run that moved something


def test_a_key_that_does_not_open_is_counted_named_and_left(
    vault: Vault, key_store: Database, clock: FakeClock
) -> None:
    sealed = _people(vault, 30, at=clock())
    with key_store.write() as session:
        mine = session.get(SubjectKey, ("acme", "sub_00007", 1))
        assert mine is not None
        session.execute(
            update(SubjectKey)
            .where(col(SubjectKey.subject_id).in_(["sub_00003", "sub_00011"]))
            .values(wrapped=mine.wrapped)
        )
    _next_version(vault)
    *_, progress = rewrap.rewrap(vault.branches, **NAMED, chunk=4)
    assert (progress.done, progress.failures, progress.failed) == (28, 2, ["sub_00003", "sub_00011"])
    assert _count(key_store, 1) == 2
    with pytest.raises(WrongState, match="2 keys lie under"):
        rotation.retire(vault.branches, version=1, **NAMED)
    vault.forget()
    assert vault.open_text(_address("sub_00007"), sealed["sub_00007"]) == "sub_00007"


def test_who_is_shredded_during_a_rewrap_stays_shredded(vault: Vault, key_store: Database, clock: FakeClock) -> None:
    sealed = _people(vault, 20, at=clock())
    _next_version(vault)
    steps = rewrap.rewrap(vault.branches, **NAMED, chunk=5)
    next(steps)
    for gone in ("sub_00001", "sub_00017"):
        vault.shred_subject(tenant="acme", subject_id=gone)
    *_, progress = steps
    assert progress.done == 19
    with pytest.raises(SubjectShredded):
        vault.open(_address("sub_00017"), sealed["sub_00017"])
    assert _count(key_store, 2) == 18


def test_a_second_rotation_in_the_middle_is_said(vault: Vault, clock: FakeClock) -> None:
    _people(vault, 20, at=clock())
    _next_version(vault)
    steps = rewrap.rewrap(vault.branches, **NAMED, chunk=5)
    next(steps)
    _next_version(vault)
    with pytest.raises(WrongState, match="start the rewrap again"):
        list(steps)
    *_, progress = rewrap.rewrap(vault.branches, **NAMED, chunk=5)
    assert (progress.version, progress.done) == (3, 20)


def test_what_has_nothing_under_it_is_not_rewrapped(vault: Vault) -> None:
    with pytest.raises(WrongState, match="temporal"):
        list(rewrap.rewrap(vault.branches, **{**NAMED, "purpose": "temporal"}))


def test_the_old_wrapped_key_of_somebody_shredded_later_is_not_in_the_files(
    vault: Vault, key_store: Database, clock: FakeClock
) -> None:
    if not key_store.is_sqlite:
        pytest.skip("what PostgreSQL keeps of a row is for its vacuum")
    from pathlib import Path

    _people(vault, 3, at=clock())
    with key_store.read() as session:
        old = session.get(SubjectKey, ("acme", "sub_00001", 1))
    assert old is not None
    _next_version(vault)
    list(rewrap.rewrap(vault.branches, **NAMED))
    vault.shred_subject(tenant="acme", subject_id="sub_00001")
    file = Path(str(key_store.engine.url.database))
    assert not any(old.wrapped in path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
