"""The sealer: every committed event gets exactly one place, also beside another sealer and across a crash."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from compliance.audit import seal as seal_module
from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import read, verify
from compliance.audit.log import inclusion_holds, inclusion_proof
from compliance.audit.seal import LogBroken, leaf_mac, pending_since, seal_keys
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.tables.audit import AuditCheckpoint, AuditEvent, AuditLeaf, AuditPending
from models.tables.triggers import create_triggers
from tests.compliance.audit.logs import KEYS, NOW, check, fill, intruder, record, seal


def places(database: Database) -> list[str]:
    with database.read() as session:
        rows = session.exec(select(AuditLeaf.idx, AuditLeaf.event_id).order_by(AuditLeaf.idx)).all()
    assert [index for index, _ in rows] == list(range(len(rows)))
    return [event_id for _, event_id in rows]


def test_each_event_gets_its_place_and_leaves_the_queue(database: Database, tmp_path: Path) -> None:
    ids = [record(database, number) for number in range(5)]
    assert seal(database, tmp_path / "anchor") == 5
    assert places(database) == ids
    with database.read() as session:
        assert session.exec(select(AuditPending)).all() == []
        leaves = [bytes.fromhex(leaf.leaf_hash) for leaf in session.exec(select(AuditLeaf).order_by(AuditLeaf.idx))]
        bodies = [event.body for event in session.exec(select(AuditEvent).order_by(AuditEvent.id))]
        checkpoint = verify(session.exec(select(AuditCheckpoint.note)).one(), public_key=KEYS.public_key)
    assert leaves == [hashlib.sha256(b"\x00" + body.encode()).digest() for body in bodies]
    proof = inclusion_proof(leaves, index=3)
    assert checkpoint.size == 5
    assert inclusion_holds(leaves[3], index=3, size=5, proof=proof, root=checkpoint.root)


def test_a_round_takes_no_more_than_its_limit(database: Database, tmp_path: Path) -> None:
    ids = [record(database, number) for number in range(7)]
    assert [seal(database, tmp_path / "anchor", limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert places(database) == ids
    assert [read(note).size for note in Anchor(tmp_path / "anchor").notes()] == [3, 6, 7]


def test_nothing_waiting_means_nothing_written(database: Database, tmp_path: Path) -> None:
    assert seal(database, tmp_path / "anchor") == 0
    with database.read() as session:
        assert session.exec(select(AuditCheckpoint)).all() == []


def test_an_event_that_commits_later_with_a_lower_id_is_sealed_too(postgres_database: Database, tmp_path: Path) -> None:
    """Two transactions overlap: the one with the lower id is still open while the other's event is sealed."""
    slow_has_written, may_commit = threading.Event(), threading.Event()
    lower: list[str] = []

    def slow() -> None:
        with postgres_database.write() as session:
            lower.append(add_by_hand(session, "00000000-0000-7000-8000-000000000000"))
            slow_has_written.set()
            assert may_commit.wait(30)

    thread = threading.Thread(target=slow)
    thread.start()
    assert slow_has_written.wait(30)
    higher = record(postgres_database, 1)
    assert seal(postgres_database, tmp_path / "anchor") == 1
    may_commit.set()
    thread.join(30)
    assert seal(postgres_database, tmp_path / "anchor") == 1
    assert lower[0] < higher
    assert places(postgres_database) == [higher, lower[0]]


def add_by_hand(session: Session, event_id: str) -> str:
    body = (
        '{"action":"a.b","actor":"operator","at":"2026-11-21T02:00:00.000000+00:00","facts":{},'
        f'"id":"{event_id}","target":"t","tenant":"main"}}'
    )
    session.add(AuditEvent(id=event_id, tenant="main", at=NOW, action="a.b", target="t", actor="operator", body=body))
    session.flush()
    session.add(AuditPending(event_id=event_id))
    session.flush()
    return event_id


def test_racing_sealers_give_each_event_one_place(database: Database, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    sealed: list[int] = []
    failures: list[BaseException] = []
    writers_done = threading.Event()

    def sealer() -> None:
        try:
            while True:
                finished = writers_done.is_set()
                count = seal(database, anchor, limit=5)
                sealed.append(count)
                if finished and not count:
                    return
        except BaseException as error:  # noqa: BLE001  shown by the assertion below
            failures.append(error)

    def writer(start: int) -> None:
        try:
            for number in range(start, start + 30):
                record(database, number)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    sealers = [threading.Thread(target=sealer) for _ in range(3)]
    writers = [threading.Thread(target=writer, args=(start,)) for start in (0, 100, 200)]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join(60)
    writers_done.set()
    for thread in sealers:
        thread.join(60)
    assert failures == []
    assert sum(sealed) == len(places(database)) == 90
    report = check(database, anchor)
    assert report.ok
    assert report.pending == 0
    sizes = [read(note).size for note in Anchor(anchor).notes()]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 90


@contextmanager
def failing_anchor() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:

        def refuse(*_: object, **__: object) -> int:
            raise OSError("disk full")

        patch.setattr(seal_module, "anchor_checkpoints", refuse)
        yield patch


def test_a_checkpoint_that_a_crash_kept_from_the_anchor_gets_there_with_the_next_round(
    database: Database, tmp_path: Path
) -> None:
    record(database, 1)
    with failing_anchor(), pytest.raises(OSError, match="disk full"):
        seal(database, tmp_path / "anchor")
    assert Anchor(tmp_path / "anchor").notes() == ()
    assert seal(database, tmp_path / "anchor") == 0
    assert [read(note).size for note in Anchor(tmp_path / "anchor").notes()] == [1]


def test_the_anchor_is_for_its_owner_alone(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=1)
    assert (tmp_path / "anchor").stat().st_mode & 0o777 == 0o600


def test_nothing_is_sealed_on_a_log_without_its_last_checkpoint(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=3)
    with intruder(database) as connection:
        connection.execute(text("DELETE FROM audit_checkpoints"))
    record(database, 9)
    with pytest.raises(LogBroken):
        seal(database, tmp_path / "anchor")
    assert len(places(database)) == 3


@pytest.mark.parametrize("statement", [
    "UPDATE audit_events SET actor = 'stf_eve'",
    "DELETE FROM audit_events",
    "DELETE FROM audit_leaves",
    "UPDATE audit_leaves SET idx = idx + 10",
    "UPDATE audit_checkpoints SET note = ''",
])  # fmt: skip
def test_the_database_itself_refuses_to_change_the_past(database: Database, tmp_path: Path, statement: str) -> None:
    fill(database, tmp_path / "anchor", events=2)
    with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
        connection.execute(text(statement))
    assert check(database, tmp_path / "anchor").ok


def test_replace_is_no_way_around_the_triggers_of_sqlite(sqlite_database: Database, tmp_path: Path) -> None:
    ids = fill(sqlite_database, tmp_path / "anchor", events=2)
    columns = "tenant, at, action, target, actor, body"
    for names, values, value in (("id", ":value", ids[0]), ("id, rowid", "'new', :value", 1)):
        statement = (
            f"INSERT OR REPLACE INTO audit_events ({names}, {columns}) "
            f"SELECT {values}, {columns} FROM audit_events LIMIT 1"
        )
        with pytest.raises(DBAPIError, match="append-only"), sqlite_database.engine.begin() as connection:
            connection.execute(text(statement), {"value": value})


def test_truncate_is_no_way_around_the_triggers_of_postgresql(postgres_database: Database, tmp_path: Path) -> None:
    fill(postgres_database, tmp_path / "anchor", events=2)
    with pytest.raises(DBAPIError, match="append-only"), postgres_database.engine.begin() as connection:
        connection.execute(text("TRUNCATE audit_events CASCADE"))


def test_the_triggers_can_be_created_again(database: Database) -> None:
    for _ in range(2):
        with database.engine.begin() as connection:
            create_triggers(connection)


def test_the_oldest_waiting_event_tells_the_lag(database: Database, tmp_path: Path) -> None:
    with database.read() as session:
        assert pending_since(session) is None
    for number in (5, 3):
        record(database, number)
    with database.read() as session:
        assert pending_since(session) == NOW + timedelta(seconds=3)
    seal(database, tmp_path / "anchor")
    with database.read() as session:
        assert pending_since(session) is None


@pytest.mark.parametrize("key", [b"k" * 32, b"long" * 40])
def test_the_mac_is_plain_hmac(key: bytes) -> None:
    message = b"casework/audit-leaf/1\x00" + (7).to_bytes(8, "big") + b"h" * 32 + b"event"
    assert leaf_mac(key)(7, b"h" * 32, "event") == hmac.digest(key, message, "sha256")


def test_the_keys_come_from_the_vault_and_stay_the_same(vault: Vault) -> None:
    once, again = seal_keys(vault), seal_keys(vault)
    assert once.mac_key == again.mac_key
    assert once.origin == again.origin
    assert once.origin.startswith("casework/")
