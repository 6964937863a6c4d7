"""Checks the whole log against its events, its MACs, its signed checkpoints and the anchor, and names the first fault.

Streams: raw rows in the order of the log, one hash, one MAC and one tree node for each; memory stays flat. A long log
can be walked by all processors at once (`compliance.audit.spans`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlmodel import Session

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import Checkpoint, NoteInvalid, verify
from compliance.audit.seal import leaf_mac
from compliance.audit.spans import Helpers, walk_together
from compliance.audit.walk import Fault, FaultKind, Mac, Walk, follow, rows_of, stream, unhex
from models.database.engine import Database

__all__ = ["Fault", "FaultKind", "LogReport", "verify_database", "verify_log"]

_ORPHAN: Final = (
    "SELECT e.id FROM audit_events e LEFT JOIN audit_leaves l ON l.event_id = e.id "
    "LEFT JOIN audit_pending p ON p.event_id = e.id "
    "WHERE l.event_id IS NULL AND p.event_id IS NULL ORDER BY e.id LIMIT 1"
)
_PENDING_WITHOUT_EVENT: Final = (
    "SELECT p.event_id FROM audit_pending p LEFT JOIN audit_events e ON e.id = p.event_id "
    "WHERE e.id IS NULL ORDER BY p.event_id LIMIT 1"
)


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


@dataclass(slots=True)
class _Signed:
    """The roots that were signed, by size, and what was wrong with notes."""

    roots: dict[int, set[bytes]]
    fault: Fault | None = None
    newest: int = 0  # of the checkpoints in the database

    @property
    def size(self) -> int:
        return max(self.roots, default=0)


def verify_database(
    database: Database,
    *,
    mac_key: bytes,
    public_key: Ed25519PublicKey,
    anchor: Path | None,
    helpers: Helpers | None = None,
) -> LogReport:
    """Verify the log of a database, beside running sealers too: the anchor is read before the database's snapshot.

    With `helpers` other processes share the work. They import the main module of this one, as `multiprocessing` does,
    so it must do nothing when it is imported.

    Raises:
        DatabaseBusy: the database did not answer.
    """
    notes = Anchor(anchor).notes() if anchor is not None else ()
    together = None
    if helpers is not None:
        together = partial(walk_together, database=database, helpers=helpers, mac_key=mac_key)
    with database.read() as session:
        return _verify(session, mac_key, public_key, notes, together)


def verify_log(
    session: Session, *, mac_key: bytes, public_key: Ed25519PublicKey, anchor_notes: Sequence[str]
) -> LogReport:
    """Verify the log as one session sees it. It must be fresh, and the anchor's notes read before it was opened.

    Raises:
        DatabaseBusy: the database did not answer.
    """
    return _verify(session, mac_key, public_key, anchor_notes, None)


def _verify(
    session: Session,
    mac_key: bytes,
    public_key: Ed25519PublicKey,
    anchor_notes: Sequence[str],
    together: Callable[[Connection, Walk], None] | None,
) -> LogReport:
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")  # one snapshot for all
    checkpoints = connection.exec_driver_sql("SELECT size, root, note FROM audit_checkpoints ORDER BY size").all()
    signed = _read_notes([tuple(row) for row in checkpoints], anchor_notes, public_key)
    walk = Walk(sorted(size for size in signed.roots if size > 0))
    if together is not None:
        together(connection, walk)
    with closing(rows_of(connection, walk.edge.size)) as rows:  # what nobody has found sound
        follow(rows, walk, mac_key=mac_key, begin=walk.edge.size)
    if walk.fault is not None and walk.fault.detail == "mac":
        walk.fault = _explain(connection, leaf_mac(mac_key), walk.fault, signed.size)
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


def _faults(connection: Connection, walk: Walk, signed: _Signed, counts: dict[str, int]) -> Iterator[Fault]:
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
        yield from _root_fault(walk.roots, signed)
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


def _root_fault(roots: Sequence[tuple[int, bytes]], signed: _Signed) -> Iterator[Fault]:
    """The first signed size at which the tree has another root."""
    sound = 0
    for size, root in roots:
        if signed.roots[size] != {root}:
            detail = f"root-of-events-{sound}-to-{size - 1}"
            yield Fault(kind=FaultKind.REWRITTEN, index=size, detail=detail)
            return
        sound = size


def _explain(connection: Connection, mac: Mac, fault: Fault, signed_size: int) -> Fault:
    """Why a leaf's MAC does not fit its place: was it moved, put in, changed, or did it slide into a gap?

    Asks of every other leaf: is this where the leaf belongs, and does that one belong here?
    """
    place = fault.index or 0
    row = connection.exec_driver_sql(
        f"SELECT event_id, leaf_hash, mac FROM audit_leaves WHERE idx = {place:d}"  # noqa: S608  an integer
    ).one()
    event_id, leaf, own_mac = str(row[0]), unhex(row[1]), str(row[2])
    bound = max(signed_size, _count(connection, "audit_leaves")) + 1
    belongs_elsewhere = any(mac(index, leaf, event_id).hex() == own_mac for index in range(bound))
    rightful_elsewhere = False
    others = f"SELECT idx, event_id, leaf_hash, mac FROM audit_leaves WHERE idx > {place:d} ORDER BY idx"  # noqa: S608
    for index, other_id, other_leaf, other_mac in chain.from_iterable(stream(connection, others)):
        if mac(index, leaf, event_id).hex() == other_mac:
            belongs_elsewhere = True
        if mac(place, unhex(other_leaf), other_id).hex() in {other_mac, own_mac}:
            rightful_elsewhere = True
    if belongs_elsewhere and rightful_elsewhere:
        return Fault(kind=FaultKind.REORDERED, index=place, event_id=event_id, detail="mac-of-another-place")
    if belongs_elsewhere:
        return Fault(kind=FaultKind.DROPPED, index=place, detail="renumbered")
    if rightful_elsewhere or place >= signed_size:
        return Fault(kind=FaultKind.INSERTED, index=place, event_id=event_id, detail="mac-of-no-place")
    return fault


def _count(connection: Connection, table: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())  # noqa: S608  a constant
