"""A watcher of the log: keeps the checkpoints it has seen, and notices when the log no longer contains what it was.

It needs no secret, only the log's public key, and signs nothing. Two checkpoints of one log that contradict each other
prove by themselves that history was rewritten; both are kept.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import Session, col, select

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import Checkpoint, NoteInvalid, origin_of, verifier_key, verify
from compliance.audit.log import Edge, leaf_hash, perfect_parts
from compliance.audit.nodes import LeavesMissing, StoredTree
from compliance.audit.proofs import Signed, one_snapshot
from models.database.engine import Database
from models.tables.audit import AuditCheckpoint, AuditEvent, AuditLeaf

_ED25519: Final = 1
_KEY_BYTES: Final = 33
_CHUNK: Final = 1000  # leaves looked at in one query


class StateDamaged(ValueError):
    """What the watcher kept is no longer what it wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What one look showed.

    Attributes:
        size: sealed events at the newest checkpoint.
        grown: how many of them are new since the last look.
        fault: what contradicts what was seen before, as a sentence; None if nothing does.
        event_id: the first event that does not fit its leaf, where it is one event.
    """

    size: int
    grown: int
    fault: str | None = None
    event_id: str | None = None


def read_verifier_key(text: str) -> Ed25519PublicKey:
    """The public key in the spelling of `signed-note`, as `verifier_key` writes it.

    Raises:
        ValueError: it is none, or its name or id does not belong to the key.
    """
    try:
        # Base64 has a "+" of its own: only the first two divide.
        raw = base64.b64decode(text.strip().split("+", 2)[2], validate=True)
    except (ValueError, IndexError):
        raw = b""
    if len(raw) != _KEY_BYTES or raw[0] != _ED25519:
        raise ValueError("not a verifier key: <name>+<id>+<key>")
    key = Ed25519PublicKey.from_public_bytes(raw[1:])
    if verifier_key(origin_of(key), key) != text.strip():
        raise ValueError("name or id does not belong to this key")
    return key


@dataclass(slots=True)
class Watcher:
    """Follows one log. `state` is a file of its own; it begins with the log's key and goes on with checkpoints."""

    database: Database
    public_key: Ed25519PublicKey
    state: Path

    def look(self, *, thorough: bool = True) -> Seen:
        """Look once, and keep the newest checkpoint if it fits all that was kept.

        Args:
            thorough: read the leaves again that were seen before. Else their kept subtree hashes are taken, and only
                what was signed since is held against what was seen before.

        Raises:
            StateDamaged: the state file is not what this watcher wrote.
            DatabaseBusy: the database did not answer.
        """
        last = self._last()
        with self.database.read() as session:
            one_snapshot(session.connection())
            notes = self._new_notes(session, last)
            seen, newest = self._compare(session, last, notes, thorough=thorough)
        if seen.fault is not None:
            self._keep(notes[-1:], at=self.state.with_name(f"{self.state.name}.contradicts"))
        elif newest is not None and (last is None or newest.checkpoint.size > last.checkpoint.size):
            self._keep([newest.note], at=self.state)
        return seen

    def _new_notes(self, session: Session, last: Signed | None) -> list[str]:
        """The notes from the last size on, that size too: it may have been signed anew."""
        size = last.checkpoint.size if last is not None else 0
        return list(
            session.exec(
                select(AuditCheckpoint.note)
                .where(col(AuditCheckpoint.size) >= size)
                .order_by(col(AuditCheckpoint.size))
            ).all()
        )

    def _compare(
        self, session: Session, last: Signed | None, notes: Sequence[str], *, thorough: bool
    ) -> tuple[Seen, Signed | None]:
        size = last.checkpoint.size if last is not None else 0
        if last is not None and not notes:
            return Seen(size=0, grown=0, fault=f"the log is shorter than the {size} events seen before"), None
        try:
            walk = _Walk(session, _edge(session, size, use_nodes=not thorough))
        except LeavesMissing:
            return Seen(size=size, grown=0, fault=f"leaves below {size} are missing"), None
        newest = last
        if last is not None and walk.edge.root() != last.checkpoint.root:
            return Seen(size=size, grown=0, fault=f"the first {size} leaves are no longer those seen before"), None
        for note in notes:
            try:
                newest = Signed(checkpoint=verify(note, public_key=self.public_key), note=note)
            except NoteInvalid as invalid:
                return Seen(size=walk.edge.size, grown=walk.edge.size - size, fault=f"a checkpoint is {invalid}"), None
            fault = walk.on_to(newest.checkpoint)
            if fault is not None:
                return Seen(size=walk.edge.size, grown=0, fault=fault, event_id=walk.event_id), None
        return Seen(size=walk.edge.size, grown=walk.edge.size - size), newest

    def _last(self) -> Signed | None:
        if not self.state.exists():
            self._keep([verifier_key(origin_of(self.public_key), self.public_key)], at=self.state)
        kept = Anchor(self.state).notes()
        if not kept or kept[0] != verifier_key(origin_of(self.public_key), self.public_key):
            raise StateDamaged(f"{self.state} belongs to another log, or was altered")
        if len(kept) == 1:
            return None
        try:
            return Signed(checkpoint=verify(kept[-1], public_key=self.public_key), note=kept[-1])
        except NoteInvalid as invalid:
            raise StateDamaged(f"{self.state}: its last checkpoint is {invalid}") from None

    @staticmethod
    def _keep(notes: Sequence[str], *, at: Path) -> None:
        at.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(at, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as file:
            file.write(b"".join(json.dumps(note).encode() + b"\n" for note in notes))
            file.flush()
            os.fsync(file.fileno())


def state_key(state: Path) -> Ed25519PublicKey | None:
    """The key that a watcher's state file began with; None if there is no such file yet.

    Raises:
        StateDamaged: the file does not begin with a key.
    """
    kept = Anchor(state).notes()
    if not kept:
        return None
    try:
        return read_verifier_key(kept[0])
    except ValueError as wrong:
        raise StateDamaged(f"{state}: {wrong}") from None


def _edge(session: Session, size: int, *, use_nodes: bool) -> Edge:
    """The right edge of the first `size` leaves as they are stored now.

    Raises:
        LeavesMissing: they are not all there.
    """
    tree = StoredTree(session, use_nodes=use_nodes)
    parts = [tree.subtree(first, first + (1 << height)) for first, height in perfect_parts(0, size)]
    return Edge.load(size, " ".join(part.hex() for part in parts))


@dataclass(slots=True)
class _Walk:
    """Leaves and events in the order of the log, from where the watcher stopped."""

    session: Session
    edge: Edge
    event_id: str | None = None  # the event at fault

    def on_to(self, checkpoint: Checkpoint) -> str | None:
        """Go on to the size of a checkpoint; what does not fit, or None."""
        while self.edge.size < checkpoint.size:
            fault = self._next(min(checkpoint.size, self.edge.size + _CHUNK))
            if fault is not None:
                return fault
        if self.edge.root() != checkpoint.root:
            return f"the leaves do not lead to the root of checkpoint {checkpoint.size}"
        return None

    def _next(self, end: int) -> str | None:
        begin = self.edge.size
        rows = self.session.exec(
            select(AuditLeaf.idx, AuditLeaf.event_id, AuditLeaf.leaf_hash, AuditEvent.body)
            .join(AuditEvent, col(AuditEvent.id) == col(AuditLeaf.event_id), isouter=True)
            .where(col(AuditLeaf.idx) >= begin, col(AuditLeaf.idx) < end)
            .order_by(col(AuditLeaf.idx))
        )
        hashes: list[bytes] = []
        for index, event_id, stored, body in rows:
            leaf = leaf_hash(body.encode()) if body is not None else b""
            if index != begin + len(hashes) or leaf.hex() != stored:
                self.event_id = event_id
                return f"event {event_id} at {index} is not what was sealed"
            hashes.append(leaf)
        if len(hashes) < end - begin:
            return f"leaf {begin + len(hashes)} is missing"
        self.edge.extend(hashes)
        return None


def fingerprint(public_key: Ed25519PublicKey) -> str:
    """SHA-256 of the public key in hex: short enough to be compared over the telephone."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()
