"""Somebody edits the log with SQL: what was done, where and to which event is named, whatever the place."""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import Checkpoint, sign
from compliance.audit.log import Edge, leaf_hash
from compliance.audit.seal import LogBroken, leaf_mac
from compliance.audit.verify import Fault, FaultKind
from models.database.engine import Database, open_database
from tests.compliance.audit.logs import KEYS, NOW, check, fill, intruder, record, seal
from tests.support.databases import SqliteFiles, create_data_schema

EVENTS = 40
Found = tuple[FaultKind, int | None, str | None]
# What an intruder does at a place (and a second place), and what the verifier must say.
Manipulation = Callable[[Connection, list[str], int, int], Found]


def run(connection: Connection, statement: str, **values: object) -> None:
    connection.execute(text(statement), values)


def renumber(connection: Connection, *, above: int, by: int) -> None:
    """Shift the places above `above`, past the unique index."""
    run(connection, "UPDATE audit_leaves SET idx = idx + 100000 WHERE idx > :above", above=above)
    run(connection, "UPDATE audit_leaves SET idx = idx - 100000 + :by WHERE idx >= 100000", by=by)


def add_event(connection: Connection, event_id: str) -> str:
    body = f'{{"action":"case.created","actor":"stf_eve","at":"{NOW.isoformat()}","facts":{{}},"id":"{event_id}"}}'
    run(
        connection,
        "INSERT INTO audit_events (id, tenant, at, action, target, actor, body) "
        "VALUES (:id, 'main', '2026-11-21 02:00:00.000000', 'case.created', 'x', 'stf_eve', :body)",
        id=event_id,
        body=body,
    )
    return body


def alter_body(connection: Connection, ids: list[str], place: int, _: int) -> Found:
    run(connection, "UPDATE audit_events SET body = replace(body, 'approve', 'reject') WHERE id = :id", id=ids[place])
    return FaultKind.ALTERED, place, ids[place]


def alter_searched_column(connection: Connection, ids: list[str], place: int, _: int) -> Found:
    run(connection, "UPDATE audit_events SET actor = 'stf_mallory' WHERE id = :id", id=ids[place])
    return FaultKind.ALTERED, place, ids[place]


def alter_body_and_leaf(connection: Connection, ids: list[str], place: int, _: int) -> Found:
    alter_body(connection, ids, place, 0)
    body = connection.execute(text("SELECT body FROM audit_events WHERE id = :id"), {"id": ids[place]}).scalar_one()
    leaf = leaf_hash(body.encode()).hex()
    run(connection, "UPDATE audit_leaves SET leaf_hash = :leaf WHERE idx = :idx", leaf=leaf, idx=place)
    return FaultKind.ALTERED, place, ids[place]


def drop_event(connection: Connection, ids: list[str], place: int, _: int) -> Found:
    run(connection, "DELETE FROM audit_events WHERE id = :id", id=ids[place])
    return FaultKind.DROPPED, place, ids[place]


def drop_event_and_leaf(connection: Connection, ids: list[str], place: int, _: int) -> Found:
    drop_event(connection, ids, place, 0)
    run(connection, "DELETE FROM audit_leaves WHERE idx = :idx", idx=place)
    return FaultKind.DROPPED if place < len(ids) - 1 else FaultKind.TRUNCATED, place, None


def drop_and_close_the_gap(connection: Connection, ids: list[str], place: int, _: int) -> Found:
    found = drop_event_and_leaf(connection, ids, place, 0)
    renumber(connection, above=place, by=-1)
    return found


def insert_event(connection: Connection, _: list[str], place: int, __: int) -> Found:
    event_id = f"forged-{place}"
    add_event(connection, event_id)
    return FaultKind.INSERTED, None, event_id


def insert_leaf(connection: Connection, _: list[str], place: int, __: int) -> Found:
    event_id = f"forged-{place}"
    leaf = leaf_hash(add_event(connection, event_id).encode()).hex()
    renumber(connection, above=place - 1, by=1)
    run(
        connection,
        "INSERT INTO audit_leaves (idx, event_id, leaf_hash, mac) VALUES (:idx, :id, :leaf, :mac)",
        idx=place,
        id=event_id,
        leaf=leaf,
        mac="00" * 32,
    )
    return FaultKind.INSERTED, place, event_id


def append_leaf(connection: Connection, ids: list[str], _: int, __: int) -> Found:
    return insert_leaf(connection, ids, len(ids), 0)


def swap_places(connection: Connection, ids: list[str], place: int, other: int) -> Found:
    for old, new in ((place, 100000), (other, place), (100000, other)):
        run(connection, "UPDATE audit_leaves SET idx = :new WHERE idx = :old", old=old, new=new)
    first, second = sorted((place, other))
    return FaultKind.REORDERED, first, ids[second]


def swap_contents_and_leave_macs(connection: Connection, ids: list[str], place: int, other: int) -> Found:
    rows = {idx: (event_id, leaf) for idx, event_id, leaf in connection.execute(
        text("SELECT idx, event_id, leaf_hash FROM audit_leaves WHERE idx IN (:a, :b)"), {"a": place, "b": other}
    )}  # fmt: skip
    change = "UPDATE audit_leaves SET event_id = :id, leaf_hash = :leaf WHERE idx = :idx"
    run(connection, change, idx=other, id="for a moment", leaf="")
    run(connection, change, idx=place, id=rows[other][0], leaf=rows[other][1])
    run(connection, change, idx=other, id=rows[place][0], leaf=rows[place][1])
    first, second = sorted((place, other))
    return FaultKind.REORDERED, first, ids[second]


def move_back(connection: Connection, ids: list[str], place: int, other: int) -> Found:
    """An old event is made a young one; everything between slides down."""
    old, young = sorted((place, other))
    run(connection, "UPDATE audit_leaves SET idx = 200000 WHERE idx = :old", old=old)
    run(
        connection,
        "UPDATE audit_leaves SET idx = idx + 100000 WHERE idx > :old AND idx <= :young",
        old=old,
        young=young,
    )
    run(connection, "UPDATE audit_leaves SET idx = idx - 100001 WHERE idx >= 100000 AND idx < 200000")
    run(connection, "UPDATE audit_leaves SET idx = :young WHERE idx = 200000", young=young)
    return FaultKind.REORDERED, old, ids[old + 1]


MANIPULATIONS: list[Manipulation] = [
    alter_body,
    alter_searched_column,
    alter_body_and_leaf,
    drop_event,
    drop_event_and_leaf,
    drop_and_close_the_gap,
    insert_event,
    insert_leaf,
    append_leaf,
    swap_places,
    swap_contents_and_leave_macs,
    move_back,
]


def said(fault: Fault | None) -> Found | None:
    return (fault.kind, fault.index, fault.event_id) if fault is not None else None


def truncate(connection: Connection, *, keep: int) -> None:
    """Cut the tail as somebody would who knows every table, and leave a log that is sound in itself."""
    hashes = [bytes.fromhex(row[0]) for row in connection.execute(
        text("SELECT leaf_hash FROM audit_leaves WHERE idx < :keep ORDER BY idx"), {"keep": keep}
    )]  # fmt: skip
    edge = Edge()
    edge.extend(hashes)
    run(
        connection,
        "DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_leaves WHERE idx >= :keep)",
        keep=keep,
    )
    run(connection, "DELETE FROM audit_leaves WHERE idx >= :keep", keep=keep)
    run(connection, "DELETE FROM audit_checkpoints WHERE size > :keep", keep=keep)
    run(connection, "UPDATE audit_tree SET size = :size, edge = :edge", size=edge.size, edge=edge.dump())


class SealedLog:
    """A sealed log in a file, copied for every trial."""

    def __init__(self, files: SqliteFiles, folder: Path) -> None:
        with files.fresh(create_data_schema, into=folder) as database:
            self.anchor = folder / "anchor"
            self.ids = fill(database, self.anchor, events=EVENTS)
            assert check(database, self.anchor).ok
            database.dispose()
            self._path = Path(str(database.engine.url.database))

    @contextlib.contextmanager
    def copy(self) -> Iterator[Database]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "copy.db"
            shutil.copyfile(self._path, path)
            database = open_database(f"sqlite:///{path}")
            try:
                yield database
            finally:
                database.dispose()


@pytest.fixture(scope="module")
def sealed(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> SealedLog:
    return SealedLog(sqlite_files, tmp_path_factory.mktemp("sealed"))


PLACES = st.lists(st.integers(0, EVENTS - 1), min_size=2, max_size=2, unique=True)


@pytest.mark.parametrize("manipulation", MANIPULATIONS, ids=lambda each: each.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=PLACES)
def test_a_manipulation_is_named_wherever_it_is(
    sealed: SealedLog, manipulation: Manipulation, places: list[int]
) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            expected = manipulation(connection, sealed.ids, *places)
        assert said(check(database, sealed.anchor).first) == expected


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sampled_from([alter_body, drop_event, drop_event_and_leaf]),
    second=st.sampled_from([alter_body, drop_event]),
    places=PLACES,
)
def test_of_two_manipulations_the_first_in_the_log_is_named(
    sealed: SealedLog, first: Manipulation, second: Manipulation, places: list[int]
) -> None:
    early, late = sorted(places)
    with sealed.copy() as database:
        with intruder(database) as connection:
            second(connection, sealed.ids, late, 0)
            expected = first(connection, sealed.ids, early, 0)
        assert said(check(database, sealed.anchor).first) == expected


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keep=st.integers(0, 5).map(lambda checkpoints: checkpoints * 7))
def test_a_cut_tail_is_seen_by_the_anchor_and_by_nothing_else(sealed: SealedLog, keep: int) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            truncate(connection, keep=keep)
        assert said(check(database, sealed.anchor).first) == (FaultKind.TRUNCATED, keep, None)
        without = check(database, None)
        assert (without.ok, without.leaves) == (True, keep)  # the log by itself cannot know


def test_a_cut_tail_stays_seen_after_the_log_has_grown_over_it(sealed: SealedLog, tmp_path: Path) -> None:
    anchor = Path(shutil.copy(sealed.anchor, tmp_path / "anchor"))
    with sealed.copy() as database:
        with intruder(database) as connection:
            truncate(connection, keep=35)
        for number in range(100, 110):
            record(database, number)
        seal(database, anchor)
        report = check(database, anchor)
        assert report.leaves == 45
        assert said(report.first) == (FaultKind.REWRITTEN, 40, None)


@pytest.mark.parametrize("manipulation", MANIPULATIONS, ids=lambda each: each.__name__)
def test_a_manipulation_is_named_on_both_databases(
    database: Database, tmp_path: Path, manipulation: Manipulation
) -> None:
    ids = fill(database, tmp_path / "anchor", events=10, sealed_every=4)
    assert check(database, tmp_path / "anchor").ok
    with intruder(database) as connection:
        expected = manipulation(connection, ids, 3, 6)
    assert said(check(database, tmp_path / "anchor").first) == expected


def test_a_sound_log_says_what_it_holds(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=10, sealed_every=4)
    record(database, 10)
    report = check(database, tmp_path / "anchor")
    assert report.ok
    assert report.first is None
    assert (report.leaves, report.events, report.pending) == (10, 11, 1)
    assert (report.checkpoints, report.anchors) == (3, 3)


def test_a_log_without_events_is_sound(database: Database, tmp_path: Path) -> None:
    assert check(database, tmp_path / "anchor").ok


def test_an_event_lost_before_it_was_sealed_is_seen_while_its_place_in_the_queue_is_there(
    database: Database, tmp_path: Path
) -> None:
    event_id = record(database, 1)
    with intruder(database) as connection:
        run(connection, "DELETE FROM audit_events")
    assert said(check(database, tmp_path / "anchor").first) == (FaultKind.DROPPED, None, event_id)


def rewrite(connection: Connection, ids: list[str], place: int) -> None:
    """Change an event and everything that follows from it, with the MAC key but without the signing key."""
    alter_body_and_leaf(connection, ids, place, 0)
    leaf = connection.execute(text("SELECT leaf_hash FROM audit_leaves WHERE idx = :i"), {"i": place}).scalar_one()
    mac = leaf_mac(KEYS.mac_key)(place, bytes.fromhex(leaf), ids[place]).hex()
    run(connection, "UPDATE audit_leaves SET mac = :mac WHERE idx = :idx", mac=mac, idx=place)


def test_who_holds_the_mac_key_is_betrayed_by_the_signed_roots(sealed: SealedLog) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            rewrite(connection, sealed.ids, 10)
        assert said(check(database, None).first) == (FaultKind.REWRITTEN, 14, None)


def test_who_holds_both_keys_is_betrayed_by_the_anchor(sealed: SealedLog) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            rewrite(connection, sealed.ids, 38)
            hashes = [bytes.fromhex(row[0]) for row in connection.execute(
                text("SELECT leaf_hash FROM audit_leaves ORDER BY idx")
            )]  # fmt: skip
            edge = Edge()
            edge.extend(hashes)
            note = sign(Checkpoint(origin=KEYS.origin, size=EVENTS, root=edge.root()), key=KEYS.signing_key)
            run(connection, "UPDATE audit_tree SET edge = :edge", edge=edge.dump())
            run(
                connection,
                "UPDATE audit_checkpoints SET root = :root, note = :note WHERE size = :size",
                root=edge.root().hex(),
                note=note,
                size=EVENTS,
            )
        assert check(database, None).ok
        assert said(check(database, sealed.anchor).first) == (FaultKind.REWRITTEN, EVENTS, None)


@pytest.mark.parametrize(
    ("statement", "size", "detail"),
    [
        ("UPDATE audit_checkpoints SET root = '00' WHERE size = 14", 14, "columns"),
        (
            "UPDATE audit_checkpoints SET note = replace(note, 'casework/', 'casework\\') WHERE size = 14",
            14,
            "signature",
        ),
        ("UPDATE audit_checkpoints SET note = 'x' WHERE size = 21", 21, "signature"),
        ("DELETE FROM audit_checkpoints WHERE size = 40", 40, "missing"),
    ],
)
def test_a_forged_checkpoint_is_named_by_its_size(sealed: SealedLog, statement: str, size: int, detail: str) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            connection.exec_driver_sql(statement)
        assert check(database, None).first == Fault(kind=FaultKind.FORGED_CHECKPOINT, index=size, detail=detail)


def test_a_line_put_into_the_anchor_is_named_and_a_torn_one_is_not(sealed: SealedLog, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor"
    whole = sealed.anchor.read_bytes()
    with sealed.copy() as database:
        anchor.write_bytes(whole + b'"casework/x\\n99')
        assert check(database, anchor).ok
        record(database, 99)
        seal(database, anchor)  # goes on where the last whole line ends
        assert Anchor(anchor).notes()[:-1] == Anchor(sealed.anchor).notes()
        assert check(database, anchor).ok
        anchor.write_bytes(whole + b'"casework/x\\n99"\n')
        expected = Fault(kind=FaultKind.FORGED_CHECKPOINT, index=6, detail="anchor-line")
        assert check(database, anchor).first == expected


def test_a_changed_edge_is_named_and_nothing_is_sealed_on_top_of_it(sealed: SealedLog, tmp_path: Path) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            run(connection, "UPDATE audit_tree SET edge = :edge", edge=" ".join(["ab" * 32] * 2))
        assert said(check(database, None).first) == (FaultKind.WRONG_EDGE, EVENTS, None)
        record(database, 99)
        with pytest.raises(LogBroken):
            seal(database, tmp_path / "anchor")
        assert check(database, None).leaves == EVENTS
