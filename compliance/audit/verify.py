"""Checks the whole log against its events, its MACs, its signed checkpoints and the anchor, and names the first fault.

Streams: raw rows in the order of the log, one hash, one MAC and one tree node for each; memory stays flat.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlmodel import Session

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import Checkpoint, NoteInvalid, verify
from compliance.audit.log import LEAF_PREFIX, Edge
from compliance.audit.seal import leaf_mac
from models.database.engine import Database

_CHUNK: Final = 5000
_LEAVES: Final = (
    "SELECT l.idx, l.event_id, l.leaf_hash, l.mac, e.body, e.tenant, e.at, e.action, e.target, e.actor "
    "FROM audit_leaves l LEFT JOIN audit_events e ON e.id = l.event_id ORDER BY l.idx"
)
_ORPHAN: Final = (
    "SELECT e.id FROM audit_events e LEFT JOIN audit_leaves l ON l.event_id = e.id "
    "LEFT JOIN audit_pending p ON p.event_id = e.id "
    "WHERE l.event_id IS NULL AND p.event_id IS NULL ORDER BY e.id LIMIT 1"
)
_PENDING_WITHOUT_EVENT: Final = (
    "SELECT p.event_id FROM audit_pending p LEFT JOIN audit_events e ON e.id = p.event_id "
    "WHERE e.id IS NULL ORDER BY p.event_id LIMIT 1"
)

_Mac = Callable[[int, bytes, str], bytes]


class FaultKind(StrEnum):
    """What was done to the log."""

    ALTERED = "altered"  # an event, or its leaf, is not what was sealed
    DROPPED = "dropped"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"  # the log is shorter than a checkpoint that was signed
    REWRITTEN = "rewritten"  # every MAC fits, yet a signed checkpoint says otherwise: done by who holds the MAC key
    FORGED_CHECKPOINT = "forged-checkpoint"  # not signed by this installation, changed, or removed
    WRONG_EDGE = "wrong-edge"  # the sealer's own row does not fit the leaves


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        index: place in the log, or for checkpoints the size; None where the event has no place.
        event_id: the event at that place, where it can be known.
        detail: which comparison failed, as a code.
    """

    kind: FaultKind
    index: int | None = None
    event_id: str | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogReport:
    """What was checked and what was found; the fault that comes first in the log stands first."""

    leaves: int
    events: int
    pending: int
    checkpoints: int
    anchors: int
    root: str
    faults: tuple[Fault, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    @property
    def first(self) -> Fault | None:
        """The first fault."""
        return self.faults[0] if self.faults else None


class _Row(NamedTuple):
    idx: int
    event_id: str
    leaf_hash: str
    mac: str
    body: str | None
    tenant: str
    at: Any
    action: str
    target: str
    actor: str


@dataclass(slots=True)
class _Signed:
    """The roots that were signed, by size, and what was wrong with notes."""

    roots: dict[int, set[bytes]]
    fault: Fault | None = None
    newest: int = 0  # of the checkpoints in the database

    @property
    def size(self) -> int:
        return max(self.roots, default=0)


@dataclass(slots=True)
class _Walk:
    """The tree as far as it was walked."""

    edge: Edge
    fault: Fault | None = None
    root_fault: Fault | None = None


def verify_database(
    database: Database, *, mac_key: bytes, public_key: Ed25519PublicKey, anchor: Path | None
) -> LogReport:
    """Verify the log of a database, beside running sealers too: the anchor is read before the database's snapshot."""
    notes = Anchor(anchor).notes() if anchor is not None else ()
    with database.read() as session:
        return verify_log(session, mac_key=mac_key, public_key=public_key, anchor_notes=notes)


def verify_log(
    session: Session, *, mac_key: bytes, public_key: Ed25519PublicKey, anchor_notes: Sequence[str]
) -> LogReport:
    """Verify the log. The session must be fresh, and the anchor's notes read before it was opened.

    Raises:
        DatabaseBusy: the database did not answer.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")  # one snapshot for all
    checkpoints = connection.exec_driver_sql("SELECT size, root, note FROM audit_checkpoints ORDER BY size").all()
    signed = _read_notes([tuple(row) for row in checkpoints], anchor_notes, public_key)
    mac = leaf_mac(mac_key)
    with closing(_rows(connection, _LEAVES)) as rows:
        walk = _walk(rows, mac, signed)
    if walk.fault is not None and walk.fault.detail == "mac":
        walk.fault = _explain(connection, mac, walk.fault, signed.size)
    counts = {table: _count(connection, table) for table in ("audit_leaves", "audit_events", "audit_pending")}
    return LogReport(
        leaves=counts["audit_leaves"],
        events=counts["audit_events"],
        pending=counts["audit_pending"],
        checkpoints=len(checkpoints),
        anchors=len(anchor_notes),
        root=walk.edge.root().hex(),
        faults=tuple(_faults(connection, walk, signed, counts)),
    )


def _faults(connection: Connection, walk: _Walk, signed: _Signed, counts: dict[str, int]) -> Iterator[Fault]:
    """In the order of the log: places first, then events without a place, then what is signed about the whole."""
    leaves = counts["audit_leaves"]
    if walk.fault is not None:
        yield walk.fault
    lost = connection.exec_driver_sql(_PENDING_WITHOUT_EVENT).first()
    if lost is not None:
        yield Fault(kind=FaultKind.DROPPED, event_id=lost[0], detail="pending-without-event")
    if walk.fault is not None or counts["audit_events"] != leaves + counts["audit_pending"]:
        orphan = connection.exec_driver_sql(_ORPHAN).first()
        if orphan is not None:
            yield Fault(kind=FaultKind.INSERTED, event_id=orphan[0], detail="neither-leaf-nor-pending")
    if walk.fault is None:
        if walk.root_fault is not None:
            yield walk.root_fault
        if leaves < signed.size:
            yield Fault(kind=FaultKind.TRUNCATED, index=leaves, detail=f"signed-size-{signed.size}")
    if signed.fault is not None:
        yield signed.fault
    if walk.fault is None:
        if leaves > signed.newest:
            yield Fault(kind=FaultKind.FORGED_CHECKPOINT, index=leaves, detail="missing")
        tree = connection.exec_driver_sql("SELECT size, edge FROM audit_tree").first()
        if (tuple(tree) if tree is not None else (0, "")) != (leaves, walk.edge.dump()):
            yield Fault(kind=FaultKind.WRONG_EDGE, index=leaves, detail="tree-row")


def _read_notes(rows: Iterable[tuple[Any, ...]], anchors: Iterable[str], public_key: Ed25519PublicKey) -> _Signed:
    signed = _Signed({})
    known: dict[str, Checkpoint] = {}
    for size, root, note in rows:
        try:
            checkpoint = verify(note, public_key=public_key)
        except NoteInvalid:
            signed.fault = signed.fault or _forged(size, "signature")
            continue
        if (checkpoint.size, checkpoint.root.hex()) != (size, root):
            signed.fault = signed.fault or _forged(size, "columns")
        known[note] = checkpoint
        signed.newest = max(signed.newest, checkpoint.size)
        signed.roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
    for number, note in enumerate(anchors):
        try:
            checkpoint = known.get(note) or verify(note, public_key=public_key)
        except NoteInvalid:
            signed.fault = signed.fault or _forged(number, "anchor-line")
            continue
        signed.roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
    return signed


def _forged(index: int, detail: str) -> Fault:
    return Fault(kind=FaultKind.FORGED_CHECKPOINT, index=index, detail=detail)


def _rows(connection: Connection, statement: str) -> Generator[Sequence[Any], None, None]:
    options = {"stream_results": True, "max_row_buffer": _CHUNK, "yield_per": _CHUNK}
    with connection.exec_driver_sql(statement, execution_options=options) as result:
        for part in result.partitions(_CHUNK):
            yield from part


def _walk(rows: Iterator[Sequence[Any]], mac: _Mac, signed: _Signed) -> _Walk:
    """Walk the leaves in order up to the first that is not as sealed; compare the root at every signed size."""
    walk = _Walk(Edge())
    sha256 = hashlib.sha256
    sizes = iter(sorted(signed.roots))
    boundary, sound = next(sizes, -1), 0
    hashes: list[bytes] = []
    while boundary == 0:
        boundary = next(sizes, -1)
    for expected, row in enumerate(rows):
        index, event_id, stored, stored_mac, body = row[0], row[1], row[2], row[3], row[4]
        leaf = sha256(LEAF_PREFIX + body.encode()).digest() if body is not None else b""
        if (
            index != expected
            or leaf.hex() != stored
            or mac(index, leaf, event_id).hex() != stored_mac
            or not _columns_fit(row)
        ):
            walk.fault = _first_look(_Row(*row), expected, mac)
            break
        hashes.append(leaf)
        at_boundary = expected + 1 == boundary
        if at_boundary or len(hashes) == _CHUNK:
            walk.edge.extend(hashes)
            hashes = []
        if at_boundary:
            if walk.root_fault is None and signed.roots[boundary] != {walk.edge.root()}:
                detail = f"root-of-events-{sound}-to-{boundary - 1}"
                walk.root_fault = Fault(kind=FaultKind.REWRITTEN, index=boundary, detail=detail)
            boundary, sound = next(sizes, -1), boundary
    walk.edge.extend(hashes)
    return walk


def _columns_fit(row: Sequence[Any]) -> bool:
    """Whether the columns that are searched say what the sealed body says."""
    _, event_id, _, _, body, tenant, at, action, target, actor = row
    at = _instant(at)
    return (
        body.startswith(f'{{"action":"{action}","actor":"{actor}","at":"{at}","facts":')
        and body.endswith(f',"id":"{event_id}","target":"{target}","tenant":"{tenant}"}}')
        and '"' not in f"{action}{actor}{at}{target}{tenant}"  # a quote in a column could stand in for two fields
    ) or _columns_fit_exactly(row)


def _columns_fit_exactly(row: Sequence[Any]) -> bool:
    """The slow way, for values that JSON spells with escapes."""
    _, event_id, _, _, body, tenant, at, action, target, actor = row
    try:
        said = json.loads(body)
        names = ("id", "tenant", "at", "action", "target", "actor")
        return [said[name] for name in names] == [event_id, tenant, _instant(at), action, target, actor]
    except (ValueError, KeyError, TypeError):
        return False


def _instant(at: Any) -> str:
    if isinstance(at, datetime):
        return at.astimezone(UTC).isoformat(timespec="microseconds")
    return str(at).replace(" ", "T") + "+00:00"  # SQLite's spelling, always UTC


def _first_look(row: _Row, expected: int, mac: _Mac) -> Fault:
    """What a row that is not as sealed shows by itself. Detail `mac` asks for a look at the other leaves."""
    if row.idx > expected:
        return Fault(kind=FaultKind.DROPPED, index=expected, detail="gap")
    if row.idx < expected:
        return Fault(kind=FaultKind.INSERTED, index=row.idx, event_id=row.event_id, detail="index")
    if mac(row.idx, _unhex(row.leaf_hash), row.event_id).hex() != row.mac:
        return Fault(kind=FaultKind.ALTERED, index=row.idx, event_id=row.event_id, detail="mac")
    if row.body is None:
        return Fault(kind=FaultKind.DROPPED, index=row.idx, event_id=row.event_id, detail="leaf-without-event")
    same_body = hashlib.sha256(LEAF_PREFIX + row.body.encode()).hexdigest() == row.leaf_hash
    return Fault(
        kind=FaultKind.ALTERED, index=row.idx, event_id=row.event_id, detail="columns" if same_body else "body"
    )


def _explain(connection: Connection, mac: _Mac, fault: Fault, signed_size: int) -> Fault:
    """Why a leaf's MAC does not fit its place: was it moved, put in, changed, or did it slide into a gap?

    Asks of every other leaf: is this where the leaf belongs, and does that one belong here?
    """
    place = fault.index or 0
    row = connection.exec_driver_sql(
        f"SELECT event_id, leaf_hash, mac FROM audit_leaves WHERE idx = {place:d}"  # noqa: S608  an integer
    ).one()
    event_id, leaf, own_mac = str(row[0]), _unhex(row[1]), str(row[2])
    bound = max(signed_size, _count(connection, "audit_leaves")) + 1
    belongs_elsewhere = any(mac(index, leaf, event_id).hex() == own_mac for index in range(bound))
    rightful_elsewhere = False
    others = f"SELECT idx, event_id, leaf_hash, mac FROM audit_leaves WHERE idx > {place:d} ORDER BY idx"  # noqa: S608
    for index, other_id, other_leaf, other_mac in _rows(connection, others):
        if mac(index, leaf, event_id).hex() == other_mac:
            belongs_elsewhere = True
        if mac(place, _unhex(other_leaf), other_id).hex() in {other_mac, own_mac}:
            rightful_elsewhere = True
    if belongs_elsewhere and rightful_elsewhere:
        return Fault(kind=FaultKind.REORDERED, index=place, event_id=event_id, detail="mac-of-another-place")
    if belongs_elsewhere:
        return Fault(kind=FaultKind.DROPPED, index=place, detail="renumbered")
    if rightful_elsewhere or place >= signed_size:
        return Fault(kind=FaultKind.INSERTED, index=place, event_id=event_id, detail="mac-of-no-place")
    return fault


def _unhex(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608  a constant
