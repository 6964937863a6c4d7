"""S11: 2,700 random manipulations of the event log by somebody who may write every table: all found, the first named.

Each trial is a transaction that is rolled back, on one small database, so that hundreds take seconds.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text
from sqlmodel import Session

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import Checkpoint, sign
from compliance.audit.log import Edge, leaf_hash
from compliance.audit.seal import leaf_mac
from compliance.audit.verify import Fault, FaultKind, verify_log
from models.database.engine import Database
from models.tables.triggers import APPEND_ONLY
from tests.compliance.audit.logs import KEYS, fill
from tests.compliance.audit.test_verify import (
    append_leaf,
    drop_and_close_the_gap,
    drop_event,
    drop_event_and_leaf,
    insert_event,
    insert_leaf,
    move_back,
    run,
    swap_contents_and_leave_macs,
    swap_places,
    truncate,
)
from tests.support.databases import SqliteFiles, create_data_schema

pytestmark = pytest.mark.long  # thousands of tries; says little more each time

EVENTS = 60
EVERY = 7
TRIALS = 300
# Kind, place in the log (None: it has none), and the event, where there is one to name.
Expected = tuple[FaultKind, int | None, str | None]
STRANGER = Ed25519PrivateKey.from_private_bytes(b"x" * 32)


class Log:
    """A sealed log open to everything; `trial` gives it back as it was."""

    def __init__(self, database: Database, anchor: Path) -> None:
        self.ids = fill(database, anchor, events=EVENTS, sealed_every=EVERY)
        self.anchor = Anchor(anchor).notes()
        self.sizes = [*range(EVERY, EVENTS, EVERY), EVENTS]
        self._connection = database.engine.connect()
        raw = self._connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")
        for table in APPEND_ONLY:
            for name in ("no_update", "no_delete", "no_replace"):
                raw.execute(f"DROP TRIGGER IF EXISTS {table}_{name}")

    @contextlib.contextmanager
    def trial(self) -> Iterator[Connection]:
        transaction = self._connection.begin()
        try:
            yield self._connection
        finally:
            if transaction.is_active:
                transaction.rollback()

    def first_fault(self, connection: Connection, *, anchored: bool = True) -> Fault | None:
        with Session(bind=connection, join_transaction_mode="create_savepoint") as session:
            report = verify_log(
                session,
                mac_key=KEYS.mac_key,
                public_key=KEYS.public_key,
                anchor_notes=self.anchor if anchored else (),
            )
            return report.first

    def boundary_above(self, place: int) -> int:
        return next(size for size in self.sizes if size > place)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def log(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("tampered")
    with sqlite_files.fresh(create_data_schema, into=folder) as database:
        log = Log(database, folder / "anchor")
        yield log
        log.close()


def test_the_log_holds_before_anybody_touches_it(log: Log) -> None:
    for _ in range(2):
        with log.trial() as connection:
            assert log.first_fault(connection) is None


def flipped(text_: str, dice: Random) -> str:
    """The text with one character changed into another of its kind."""
    at = dice.randrange(len(text_))
    other = dice.choice([each for each in "0123456789abcdef" if each != text_[at]])
    return text_[:at] + other + text_[at + 1 :]


def alter_a_column(log: Log, connection: Connection, dice: Random) -> Expected:
    place = dice.randrange(EVENTS)
    event_id = log.ids[place]
    column = dice.choice(
        ["body", "tenant", "at", "action", "target", "actor", "id", "leaf_hash", "mac", "event_id", "idx"]
    )
    if column in ("leaf_hash", "mac", "event_id"):
        held = connection.execute(
            text(f"SELECT {column} FROM audit_leaves WHERE idx = :idx"), {"idx": place}
        ).scalar_one()
        value = flipped(held, dice)
        run(connection, f"UPDATE audit_leaves SET {column} = :value WHERE idx = :idx", value=value, idx=place)
        return FaultKind.ALTERED, place, value if column == "event_id" else event_id
    if column == "idx":
        run(connection, "UPDATE audit_leaves SET idx = :far WHERE idx = :idx", far=EVENTS + 5, idx=place)
        return FaultKind.DROPPED, place, None
    if column == "id":
        run(connection, "UPDATE audit_events SET id = :new WHERE id = :id", new=flipped(event_id, dice), id=event_id)
        return FaultKind.DROPPED, place, event_id
    if column == "at":
        run(connection, "UPDATE audit_events SET at = '2026-01-01 00:00:00.000000' WHERE id = :id", id=event_id)
        return FaultKind.ALTERED, place, event_id
    held = connection.execute(text(f"SELECT {column} FROM audit_events WHERE id = :id"), {"id": event_id}).scalar_one()
    run(connection, f"UPDATE audit_events SET {column} = :value WHERE id = :id", value=flipped(held, dice), id=event_id)
    return FaultKind.ALTERED, place, event_id


def drop(log: Log, connection: Connection, dice: Random) -> Expected:
    act = dice.choice([drop_event, drop_event_and_leaf, drop_and_close_the_gap])
    return act(connection, log.ids, dice.randrange(EVENTS), 0)


def insert(log: Log, connection: Connection, dice: Random) -> Expected:
    act = dice.choice([insert_event, insert_leaf, append_leaf])
    return act(connection, log.ids, dice.randrange(EVENTS), 0)


def reorder(log: Log, connection: Connection, dice: Random) -> Expected:
    act = dice.choice([swap_places, swap_contents_and_leave_macs, move_back])
    return act(connection, log.ids, *dice.sample(range(EVENTS), 2))


def cut_the_end(log: Log, connection: Connection, dice: Random) -> Expected:
    keep = dice.randrange(EVENTS)
    truncate(connection, keep=keep)
    return FaultKind.TRUNCATED, keep, None


def swap_leaves(log: Log, connection: Connection, dice: Random) -> Expected:
    first, second = sorted(dice.sample(range(EVENTS), 2))
    columns = dice.choice([("leaf_hash",), ("mac",), ("leaf_hash", "mac")])
    held = {
        idx: values
        for idx, *values in connection.execute(
            text(f"SELECT idx, {', '.join(columns)} FROM audit_leaves WHERE idx IN (:a, :b)"), {"a": first, "b": second}
        )
    }
    for to, source in ((first, second), (second, first)):
        for column, value in zip(columns, held[source], strict=True):
            run(connection, f"UPDATE audit_leaves SET {column} = :value WHERE idx = :idx", value=value, idx=to)
    return FaultKind.ALTERED, first, log.ids[first]


def swap_checkpoints(log: Log, connection: Connection, dice: Random) -> Expected:
    first, second = sorted(dice.sample(log.sizes, 2))
    columns = dice.choice([("note",), ("root",), ("root", "note")])
    held = {
        size: values
        for size, *values in connection.execute(
            text(f"SELECT size, {', '.join(columns)} FROM audit_checkpoints WHERE size IN (:a, :b)"),
            {"a": first, "b": second},
        )
    }
    for to, source in ((first, second), (second, first)):
        for column, value in zip(columns, held[source], strict=True):
            run(connection, f"UPDATE audit_checkpoints SET {column} = :value WHERE size = :size", value=value, size=to)
    return FaultKind.FORGED_CHECKPOINT, first, None


def replace_a_signature(log: Log, connection: Connection, dice: Random) -> Expected:
    size = dice.choice(log.sizes)
    note = connection.execute(text("SELECT note FROM audit_checkpoints WHERE size = :s"), {"s": size}).scalar_one()
    body, _, line = note.partition("\n\n")
    other = dice.choice(["stranger", "other-note", "bit"])
    if other == "stranger":
        signed = sign(Checkpoint(origin=KEYS.origin, size=size, root=bytes(32)), key=STRANGER).partition("\n\n")[2]
    elif other == "other-note":
        rest = dice.choice([each for each in log.sizes if each != size])
        signed = connection.execute(
            text("SELECT note FROM audit_checkpoints WHERE size = :s"), {"s": rest}
        ).scalar_one().partition("\n\n")[2]  # fmt: skip
    else:
        at = dice.randrange(line.rindex(" ") + 1, len(line) - 4)
        signed = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
    run(connection, "UPDATE audit_checkpoints SET note = :note WHERE size = :s", note=f"{body}\n\n{signed}", s=size)
    return FaultKind.FORGED_CHECKPOINT, size, None


def fork(log: Log, connection: Connection, dice: Random) -> Expected:
    """Another history from some event on, by who holds the MAC key and the signing key: sound in itself."""
    place = dice.randrange(EVENTS)
    run(
        connection,
        "UPDATE audit_events SET body = replace(body, 'approve', 'reject') WHERE id = :id",
        id=log.ids[place],
    )
    mac, edge, roots = leaf_mac(KEYS.mac_key), Edge(), {}
    bodies = connection.execute(
        text("SELECT l.idx, l.event_id, e.body FROM audit_leaves l JOIN audit_events e ON e.id = l.event_id ORDER BY 1")
    ).all()
    for idx, event_id, body in bodies:
        leaf = leaf_hash(body.encode())
        edge.extend([leaf])
        roots[idx + 1] = edge.root()
        if idx == place:
            run(
                connection,
                "UPDATE audit_leaves SET leaf_hash = :leaf, mac = :mac WHERE idx = :idx",
                leaf=leaf.hex(),
                mac=mac(idx, leaf, event_id).hex(),
                idx=idx,
            )
    for size in log.sizes:
        root = roots[size]
        note = sign(Checkpoint(origin=KEYS.origin, size=size, root=root), key=KEYS.signing_key)
        run(
            connection,
            "UPDATE audit_checkpoints SET root = :root, note = :note WHERE size = :s",
            root=root.hex(),
            note=note,
            s=size,
        )
    run(connection, "UPDATE audit_tree SET edge = :edge", edge=edge.dump())
    return FaultKind.REWRITTEN, log.boundary_above(place), None


KINDS: list[Callable[[Log, Connection, Random], Expected]] = [
    alter_a_column,
    drop,
    insert,
    reorder,
    cut_the_end,
    swap_leaves,
    swap_checkpoints,
    replace_a_signature,
    fork,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
def test_three_hundred_of_each_kind_are_found_and_named(log: Log, kind: Callable[..., Expected]) -> None:
    dice, missed = Random(f"S11/{kind.__name__}"), []
    for number in range(TRIALS):
        with log.trial() as connection:
            expected = kind(log, connection, dice)
            fault = log.first_fault(connection)
        said = (fault.kind, fault.index, fault.event_id) if fault is not None else None
        if said != expected:
            missed.append((number, expected, said))
    assert missed == []
    assert len(KINDS) * TRIALS >= 2_700


def test_teeth_without_the_anchor_a_cut_end_and_a_fork_are_missed(log: Log) -> None:
    dice = Random("teeth")
    for kind in (cut_the_end, fork):
        seen = 0
        for _ in range(20):
            with log.trial() as connection:
                kind(log, connection, dice)
                fault = log.first_fault(connection, anchored=False)
                # A cut between two checkpoints leaves events behind the last signature; on one it leaves nothing.
                seen += fault is not None and fault.detail != "missing"
        assert seen == 0


def test_an_interval_is_named_where_the_keys_were_stolen(log: Log) -> None:
    with log.trial() as connection:
        kind, boundary, _ = fork(log, connection, Random(3))
        fault = log.first_fault(connection)
    assert fault is not None
    assert (fault.kind, fault.index) == (kind, boundary)
    assert fault.detail.startswith("root-of-events-")
