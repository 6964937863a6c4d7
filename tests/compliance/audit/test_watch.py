"""A watcher keeps what it has seen, and shouts when the log no longer contains it."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.watch import StateDamaged, Watcher, read_verifier_key, state_key
from models.database.engine import Database
from tests.compliance.audit.logs import KEYS, fill, intruder, record, seal
from tests.compliance.audit.test_verify import alter_body_and_leaf, drop_event_and_leaf, truncate


@pytest.fixture
def watcher(database: Database, tmp_path: Path) -> Watcher:
    return Watcher(database=database, public_key=KEYS.public_key, state=tmp_path / "watch" / "state")


def test_growth_is_followed_and_kept(watcher: Watcher, tmp_path: Path) -> None:
    database = watcher.database
    assert watcher.look().size == 0
    fill(database, tmp_path / "anchor", events=20)
    assert (watcher.look().size, watcher.look().grown) == (20, 0)
    record(database, 20)
    seal(database, tmp_path / "anchor")
    for thorough in (False, True):
        seen = watcher.look(thorough=thorough)
        assert (seen.size, seen.fault) == (21, None)
    kept = Anchor(watcher.state).notes()
    assert [note.split("\n")[1] for note in kept[1:]] == ["20", "21"]
    assert watcher.state.stat().st_mode & 0o777 == 0o600


def test_the_key_of_a_state_file_is_enough_to_go_on(watcher: Watcher, tmp_path: Path) -> None:
    fill(watcher.database, tmp_path / "anchor", events=5)
    watcher.look()
    known = state_key(watcher.state)
    assert known is not None
    again = Watcher(database=watcher.database, public_key=known, state=watcher.state)
    assert again.look().fault is None


def test_a_cut_end_is_noticed_without_any_anchor(watcher: Watcher, tmp_path: Path) -> None:
    fill(watcher.database, tmp_path / "anchor", events=21)
    watcher.look()
    with intruder(watcher.database) as connection:
        truncate(connection, keep=14)
    seen = watcher.look()
    assert seen.fault is not None
    assert "shorter" in seen.fault
    record(watcher.database, 50)
    seal(watcher.database, tmp_path / "other-anchor")
    assert "shorter" in (watcher.look().fault or ""), "and it stays noticed while it grows again"
    for number in range(60, 70):
        record(watcher.database, number)
    seal(watcher.database, tmp_path / "other-anchor")
    assert "no longer" in (watcher.look().fault or "")


def test_an_old_event_rewritten_with_its_leaf_is_noticed(watcher: Watcher, tmp_path: Path) -> None:
    ids = fill(watcher.database, tmp_path / "anchor", events=21)
    watcher.look()
    with intruder(watcher.database) as connection:
        alter_body_and_leaf(connection, ids, 3, 0)
    seen = watcher.look()
    assert seen.fault is not None
    assert "first 21 leaves" in seen.fault
    contradiction = Anchor(watcher.state.with_name("state.contradicts")).notes()
    assert len(contradiction) == 1


def test_a_new_event_that_is_not_what_was_sealed_is_named(watcher: Watcher, tmp_path: Path) -> None:
    ids = fill(watcher.database, tmp_path / "anchor", events=7)
    watcher.look()
    ids += fill(watcher.database, tmp_path / "anchor", events=7)
    with intruder(watcher.database) as connection:
        drop_event_and_leaf(connection, ids, 10, 0)
    seen = watcher.look()
    assert seen.fault is not None
    assert seen.event_id == ids[11]
    assert "not what was sealed" in seen.fault


def test_a_log_signed_by_somebody_else_is_noticed(watcher: Watcher, tmp_path: Path) -> None:
    fill(watcher.database, tmp_path / "anchor", events=7)
    watcher.look()
    with intruder(watcher.database) as connection:
        connection.execute(text("UPDATE audit_checkpoints SET note = replace(note, 'casework/', 'casework-')"))
    assert "checkpoint" in (watcher.look().fault or "")


def test_a_state_file_of_another_log_is_refused(watcher: Watcher, tmp_path: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32).public_key()
    Watcher(database=watcher.database, public_key=other, state=tmp_path / "theirs").look()
    watcher.state.parent.mkdir()
    shutil.copy(tmp_path / "theirs", watcher.state)
    with pytest.raises(StateDamaged):
        watcher.look()


@pytest.mark.parametrize("text_", ["", "casework/x+00+AAAA", "nonsense", "casework/x+00000000+" + "A" * 44])
def test_what_is_no_key_is_refused(text_: str) -> None:
    with pytest.raises(ValueError, match="key"):
        read_verifier_key(text_)


@given(secret=st.binary(min_size=32, max_size=32))
def test_a_key_is_read_as_it_is_spelled(secret: bytes) -> None:
    """Also one whose Base64 has a "+" in it, as half of them have."""
    key = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    assert read_verifier_key(verifier_key(origin_of(key), key) + "\n") == key
