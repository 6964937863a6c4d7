"""Change of the key-encryption key: all or nothing, in one short transaction, beside processes that go on working."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import event, update
from sqlmodel import select

from compliance.vault import kek_rotation
from compliance.vault.branches import KEY_TTL
from compliance.vault.cells import CellAddress
from compliance.vault.kek import FileKek, KekProvider, create_kek_file
from compliance.vault.kek_rotation import rotate_kek
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.store import initialise_key_store, kek_in_force
from compliance.vault.tables import BranchKey, KeyJournal
from models.database.engine import Database, open_database
from models.errors import CannotOpen, KeysUnavailable, UnsafeSetting
from tests.support.clock import FakeClock
from tests.support.key_processes import key_process
from tests.support.vaults import throw_away_kek

NAME = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")
REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def vault(key_store: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    initialise_key_store(key_store, kek=kek, clock=clock)
    vault = open_vault(key_store, kek, clock)
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_a")
    vault.token_keys()
    return vault


def _opens(database: Database, kek: KekProvider, clock: FakeClock) -> bool:
    try:
        vault = open_vault(database, kek, clock)
    except UnsafeSetting:
        return False
    for tenant in ("_", "acme"):
        for purpose in Purpose:
            vault.branches.get(tenant, purpose)
    return bool(vault.token_keys())


def _wrapped(database: Database) -> dict[tuple[str, str, int], bytes]:
    with database.read() as session:
        rows = session.exec(select(BranchKey)).all()
    return {(row.tenant, row.purpose, row.version): row.wrapped for row in rows}


def test_every_branch_key_changes_hands_and_persons_keys_stay(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    sealed, new, before = vault.seal(NAME, "王小明"), throw_away_kek(), _wrapped(key_store)
    assert rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock()) == len(before)
    after = _wrapped(key_store)
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())
    assert _opens(key_store, new, clock)
    assert not _opens(key_store, kek, clock)
    assert open_vault(key_store, new, clock).open_text(NAME, sealed) == "王小明"
    assert kek_in_force(key_store) == new.id
    assert rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock()) == 0  # done already
    with key_store.read() as session:
        lines = session.exec(select(KeyJournal.facts).where(KeyJournal.action == "key.kek-rotated")).all()
    assert len(lines) == 1
    assert kek.id in lines[0]
    assert new.id in lines[0]


def test_a_change_that_breaks_anywhere_leaves_all_under_the_old_key(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    new, before = throw_away_kek(), _wrapped(key_store)
    written = [0]
    for breaks_at in range(1, len(before) + 2):
        written[0] = 0

        @event.listens_for(key_store.engine, "before_cursor_execute")
        def fault(*arguments: object, at: int = breaks_at) -> None:
            if str(arguments[2]).startswith(("UPDATE", "INSERT")):
                written[0] += 1
                if written[0] == at:
                    raise RuntimeError("the power went")

        with pytest.raises(RuntimeError):
            rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock())
        event.remove(key_store.engine, "before_cursor_execute", fault)
        assert _wrapped(key_store) == before
    assert _opens(key_store, kek, clock)


def test_a_wrong_old_key_or_an_altered_row_changes_nothing(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    new, before = throw_away_kek(), _wrapped(key_store)
    with pytest.raises(UnsafeSetting, match="put the right key back"):
        rotate_kek(key_store, old=throw_away_kek(), new=new, actor="operator", at=clock())
    assert _wrapped(key_store) == before
    with key_store.write() as session:
        session.execute(update(BranchKey).where(BranchKey.purpose == "links").values(wrapped=b"x" * 60))
    with pytest.raises(CannotOpen, match="branch key _/links/1"):
        rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock())
    assert kek_in_force(key_store) == kek.id


def test_a_tenant_that_is_made_meanwhile_is_not_left_behind(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, real, made = throw_away_kek(), kek_rotation._rows, []

    def rows_and_then_a_tenant(database: Database) -> object:
        found = real(database)
        if not made:
            made.append(True)
            vault.ensure_tenant("late")
        return found

    monkeypatch.setattr(kek_rotation, "_rows", rows_and_then_a_tenant)
    rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock())
    assert open_vault(key_store, new, clock).purpose_key("late", Purpose.LINKS)


def test_a_running_process_takes_the_new_key_up_and_drops_the_old_one(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    new, asked = throw_away_kek(), []

    def reopen(kek_id: str) -> KekProvider:
        asked.append(kek_id)
        assert kek_id == new.id
        return new

    sealed = vault.seal(NAME, "王小明")
    with key_process(key_store, kek, clock, name="api-1", reopen=reopen) as api:
        assert api.vault.open_text(NAME, sealed) == "王小明"
        rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock())
        assert api.vault.open_text(NAME, sealed) == "王小明"  # what is in memory needs no KEK
        clock.advance(KEY_TTL)
        assert api.vault.open_text(NAME, sealed) == "王小明"
        assert api.vault.token_keys()
        api.vault.ensure_tenant("later")
        assert api.vault.branches.kek is new
        assert asked == [new.id]
    assert _opens(key_store, new, clock)


def test_a_process_that_makes_a_key_at_that_moment_makes_it_under_the_new_one(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    new = throw_away_kek()
    with key_process(key_store, kek, clock, name="api-1", reopen=lambda _: new) as api:
        rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock())
        api.vault.ensure_tenant("later")  # it still has the old one in its hands
        assert open_vault(key_store, new, clock).purpose_key("later", Purpose.LINKS)


def test_a_process_without_the_new_key_says_so(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    new = throw_away_kek()
    rotate_kek(key_store, old=kek, new=new, actor="operator", at=clock())
    clock.advance(KEY_TTL)
    with pytest.raises(KeysUnavailable, match=new.id):
        vault.purpose_key("acme", Purpose.LINKS)


_CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from compliance.vault import kek_rotation
from compliance.vault.kek import FileKek
from compliance.vault.store import kek_in_force
from models.database.engine import open_database
folder = Path(sys.argv[1])
old, new = FileKek(folder / "old.kek"), FileKek(folder / "new.kek")
database = open_database(f"sqlite:///{folder}/keys.db")
print("ready", flush=True)
while True:
    one, other = (old, new) if kek_in_force(database) == old.id else (new, old)
    kek_rotation.rotate_kek(database, old=one, new=other, actor="operator", at=datetime(2026, 11, 23, tzinfo=UTC))
"""


@pytest.mark.chaos_smoke
def test_a_killed_change_leaves_all_or_none(tmp_path: Path, clock: FakeClock) -> None:
    for name in ("old", "new"):
        create_kek_file(tmp_path / f"{name}.kek")
    keks = {kek.id: kek for kek in (FileKek(tmp_path / f"{name}.kek") for name in ("old", "new"))}
    first = next(iter(keks.values()))
    database = open_database(f"sqlite:///{tmp_path}/keys.db")
    initialise_key_store(database, kek=first, clock=clock)
    open_vault(database, first, clock).ensure_tenant("acme")
    open_vault(database, first, clock).token_keys()
    found = set()
    for turn in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(tmp_path)],
            cwd=REPOSITORY, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )  # fmt: skip
        assert child.stdout is not None
        with child.stdout:
            assert child.stdout.readline() == b"ready\n"
            time.sleep(0.02 + 0.03 * turn)
            child.send_signal(signal.SIGKILL)
            child.wait(timeout=30)
        in_force = kek_in_force(database)
        assert in_force is not None
        found.add(in_force)
        assert _opens(database, keks[in_force], clock)
        assert not any(_opens(database, kek, clock) for kek_id, kek in keks.items() if kek_id != in_force)
    assert found <= set(keks)
    database.dispose()
