"""A walk along the leaves of the log: whether each one and its event are as they were sealed, and the tree over them.

Rows are looked at some thousands at a time; where one of them is not as sealed, one by one, to name it.
"""

import hashlib
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection

from compliance.audit.log import LEAF_PREFIX, Edge
from compliance.audit.seal import leaf_mac, leaf_macs

CHUNK: Final = 5000
_LEAVES: Final = (
    "SELECT l.idx, l.event_id, l.leaf_hash, l.mac, e.body, e.tenant, e.at, e.action, e.target, e.actor "
    "FROM audit_leaves l LEFT JOIN audit_events e ON e.id = l.event_id {of} ORDER BY l.idx"
)

Mac = Callable[[int, bytes, str], bytes]
Macs = Callable[[int, Iterable[bytes], Iterable[str]], list[str]]
Rows = Iterable[Sequence[Sequence[Any]]]
"""Rows of the log in its order, some thousands at a time."""


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


@dataclass(slots=True)
class Walk:
    """The tree as far as it was walked.

    Attributes:
        sizes: at which the root is wanted, rising.
        roots: those roots, as far as the walk came.
        fault: the first row that is not as sealed; the walk ends before it.
    """

    sizes: Sequence[int]
    edge: Edge = field(default_factory=Edge)
    roots: list[tuple[int, bytes]] = field(default_factory=list)
    fault: Fault | None = None

    def append(self, leaves: Sequence[bytes]) -> None:
        """Put leaf hashes into the tree."""
        begin, behind = 0, self.edge.size + len(leaves)
        while len(self.roots) < len(self.sizes) and (size := self.sizes[len(self.roots)]) <= behind:
            cut = begin + size - self.edge.size
            self.edge.extend(leaves[begin:cut])
            self.roots.append((size, self.edge.root()))
            begin = cut
        self.edge.extend(leaves[begin:])

    def join(self, part: "Walk") -> None:
        """Append what another walk found about the leaves behind; its sizes count from there."""
        begin = self.edge.size
        self.roots += [(begin + size, self.edge.root(over=root)) for size, root in part.roots]
        self.edge.join(part.edge)


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


def rows_of(connection: Connection, begin: int = 0, end: int | None = None) -> Generator[Sequence[Any], None, None]:
    """Rows of the log for `follow`, from a leaf to before another; from 0, whatever stands before it too."""
    of = f"WHERE l.idx >= {begin:d}" if begin else "WHERE true"
    return stream(connection, _LEAVES.format(of=of if end is None else f"{of} AND l.idx < {end:d}"))


def stream(connection: Connection, statement: str) -> Generator[Sequence[Any], None, None]:
    """What a statement gives, in parts; memory stays flat."""
    options = {"stream_results": True, "max_row_buffer": CHUNK, "yield_per": CHUNK}
    with connection.exec_driver_sql(statement, execution_options=options) as result:
        if connection.dialect.name == "sqlite" and (cursor := result.cursor) is not None:
            while part := cursor.fetchmany(CHUNK):  # bare tuples: a tenth of the walk less
                yield part
        else:
            yield from result.partitions(CHUNK)


def follow(rows: Rows, walk: Walk, *, mac_key: bytes, begin: int = 0) -> None:
    """Walk the rows in order, up to the first that is not as sealed.

    Args:
        rows: from leaf `begin` on.
        walk: what is known of the leaves before; it goes on.
        mac_key: of the leaves.
        begin: the first row's place.
    """
    mac, macs = leaf_mac(mac_key), leaf_macs(mac_key)
    for part in rows:
        leaves = _all_fit(part, begin, macs)
        if leaves is None:
            leaves, walk.fault = _one_by_one(part, begin, mac)
        walk.append(leaves)
        if walk.fault is not None:
            return
        begin += len(leaves)


def _all_fit(part: Sequence[Sequence[Any]], begin: int, macs: Macs) -> list[bytes] | None:
    """The hashes of these leaves, if every one is as sealed; None says nothing of which is not."""
    indexes, ids, stored, stored_macs, bodies, tenants, instants, actions, targets, actors = zip(*part, strict=True)
    if {*map(type, bodies)} != {str} or indexes != tuple(range(begin, begin + len(part))):
        return None
    sha256 = hashlib.sha256
    leaves = [sha256(LEAF_PREFIX + body.encode()).digest() for body in bodies]
    if [leaf.hex() for leaf in leaves] != [*stored] or macs(begin, leaves, ids) != [*stored_macs]:
        return None
    columns = zip(ids, tenants, instants, actions, targets, actors, strict=True)
    return leaves if all(map(_columns_fit, bodies, columns)) else None


def _one_by_one(part: Sequence[Sequence[Any]], begin: int, mac: Mac) -> tuple[list[bytes], Fault | None]:
    """The hashes of these leaves up to the first that is not as sealed, and that one."""
    leaves: list[bytes] = []
    for expected, row in enumerate((_Row(*row) for row in part), begin):
        leaf = hashlib.sha256(LEAF_PREFIX + row.body.encode()).digest() if row.body is not None else b""
        if (
            row.idx != expected
            or leaf.hex() != row.leaf_hash
            or mac(row.idx, leaf, row.event_id).hex() != row.mac
            or not _columns_fit(row.body or "", (row.event_id, *row[5:]))
        ):
            return leaves, _first_look(row, expected, mac)
        leaves.append(leaf)
    return leaves, None


def _columns_fit(body: str, columns: Sequence[Any]) -> bool:
    """Whether the columns that are searched (id, tenant, instant, action, target, actor) say what the body says."""
    event_id, tenant, at, action, target, actor = columns
    at = _instant(at)
    return (
        body.startswith(f'{{"action":"{action}","actor":"{actor}","at":"{at}","facts":')
        and body.endswith(f',"id":"{event_id}","target":"{target}","tenant":"{tenant}"}}')
        and '"' not in f"{action}{actor}{at}{target}{tenant}"  # a quote in a column could stand in for two fields
    ) or _columns_fit_exactly(body, [event_id, tenant, at, action, target, actor])


def _columns_fit_exactly(body: str, columns: list[Any]) -> bool:
    """The slow way, for values that JSON spells with escapes."""
    try:
        said = json.loads(body)
        return [said[name] for name in ("id", "tenant", "at", "action", "target", "actor")] == columns
    except (ValueError, KeyError, TypeError):
        return False


def _instant(at: Any) -> str:
    if isinstance(at, datetime):
        return at.astimezone(UTC).isoformat(timespec="microseconds")
    return str(at).replace(" ", "T") + "+00:00"  # SQLite's spelling, always UTC


def _first_look(row: _Row, expected: int, mac: Mac) -> Fault:
    """What a row that is not as sealed shows by itself. Detail `mac` asks for a look at the other leaves."""
    if row.idx > expected:
        return Fault(kind=FaultKind.DROPPED, index=expected, detail="gap")
    if row.idx < expected:
        return Fault(kind=FaultKind.INSERTED, index=row.idx, event_id=row.event_id, detail="index")
    if mac(row.idx, unhex(row.leaf_hash), row.event_id).hex() != row.mac:
        return Fault(kind=FaultKind.ALTERED, index=row.idx, event_id=row.event_id, detail="mac")
    if row.body is None:
        return Fault(kind=FaultKind.DROPPED, index=row.idx, event_id=row.event_id, detail="leaf-without-event")
    same_body = hashlib.sha256(LEAF_PREFIX + row.body.encode()).hexdigest() == row.leaf_hash
    return Fault(
        kind=FaultKind.ALTERED, index=row.idx, event_id=row.event_id, detail="columns" if same_body else "body"
    )


def unhex(value: str) -> bytes:
    """The bytes; none if that is no hex."""
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""
