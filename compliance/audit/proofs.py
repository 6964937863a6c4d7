"""Proofs about the log for somebody who does not trust us: this event is in it; it has only grown since then.

A proof is checked against the signed checkpoint before it is handed out. The text forms are C2SP `tlog-proof` and
`tlog-checkpoint`, so that other tools can read them.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection
from sqlmodel import Session, col, select

from compliance.audit.checkpoint import Checkpoint, NoteInvalid, verifier_key, verify
from compliance.audit.log import (
    EMPTY_ROOT,
    Range,
    consistency_holds,
    consistency_ranges,
    inclusion_holds,
    inclusion_ranges,
    leaf_hash,
)
from compliance.audit.nodes import LeavesMissing, StoredTree
from models.tables.audit import AuditCheckpoint, AuditEvent, AuditLeaf

PROOF_HEADER: Final = "c2sp.org/tlog-proof@v1"


class ProofFails(RuntimeError):
    """The stored log does not fit what was signed, so there is nothing to prove: `casework audit verify` says what."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """A signed checkpoint, its signature checked; `note` is its text."""

    checkpoint: Checkpoint
    note: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InclusionProof:
    """That one event has its place in the log that `signed` is about.

    Attributes:
        body: the event as it is hashed.
        hashes: the audit path, from the leaf upwards.
    """

    event_id: str
    index: int
    body: str
    hashes: tuple[bytes, ...]
    signed: Signed
    verifier: str

    @property
    def leaf(self) -> bytes:
        """The leaf's hash."""
        return leaf_hash(self.body.encode())

    def text(self) -> str:
        """As a C2SP `tlog-proof`; the leaf is not in it, the reader hashes the event themselves."""
        path = "".join(f"{base64.b64encode(each).decode()}\n" for each in self.hashes)
        return f"{PROOF_HEADER}\nindex {self.index}\n{path}\n{self.signed.note}"

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "eventId": self.event_id,
            "index": self.index,
            "leafHash": self.leaf.hex(),
            "body": self.body,
            "hashes": [each.hex() for each in self.hashes],
            "size": self.signed.checkpoint.size,
            "root": self.signed.checkpoint.root.hex(),
            "checkpoint": self.signed.note,
            "verifierKey": self.verifier,
            "proof": self.text(),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsistencyProof:
    """That the log of `size` leaves begins with the log of `old_size`.

    Attributes:
        holds: False if the two roots given contradict each other; then there is no such proof.
        notes: the signed checkpoints of the two sizes, None where that size was never signed.
    """

    old_size: int
    old_root: bytes
    size: int
    root: bytes
    hashes: tuple[bytes, ...]
    notes: tuple[str | None, str | None]
    holds: bool
    verifier: str

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "consistent": self.holds,
            "oldSize": self.old_size,
            "oldRoot": self.old_root.hex(),
            "size": self.size,
            "root": self.root.hex(),
            "hashes": [each.hex() for each in self.hashes],
            "oldCheckpoint": self.notes[0],
            "checkpoint": self.notes[1],
            "verifierKey": self.verifier,
        }


def one_snapshot(connection: Connection) -> None:
    """Have all that follows in this transaction see one state of the database; the first thing in it."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def newest_checkpoint(session: Session, *, public_key: Ed25519PublicKey) -> Signed | None:
    """The newest signed checkpoint in the database; None while nothing is sealed.

    Raises:
        ProofFails: its signature does not hold.
    """
    note = session.exec(select(AuditCheckpoint.note).order_by(col(AuditCheckpoint.size).desc()).limit(1)).first()
    return None if note is None else _signed(note, public_key)


def checkpoint_of_size(session: Session, size: int, *, public_key: Ed25519PublicKey) -> Signed | None:
    """The signed checkpoint of one size; None if none was signed.

    Raises:
        ProofFails: its signature does not hold.
    """
    note = session.exec(select(AuditCheckpoint.note).where(AuditCheckpoint.size == size)).first()
    return None if note is None else _signed(note, public_key)


def prove_inclusion(session: Session, event_id: str, *, public_key: Ed25519PublicKey) -> InclusionProof | None:
    """The proof that an event is in the log as of the newest checkpoint; None if it is unknown or not sealed yet.

    Raises:
        ProofFails: the stored log does not fit the checkpoint.
    """
    found = session.exec(
        select(AuditLeaf.idx, AuditEvent.body)
        .join(AuditEvent, col(AuditEvent.id) == col(AuditLeaf.event_id))
        .where(AuditLeaf.event_id == event_id)
    ).first()
    signed = newest_checkpoint(session, public_key=public_key) if found is not None else None
    if found is None or signed is None:
        return None
    index, body = found
    leaf, size, root = leaf_hash(body.encode()), signed.checkpoint.size, signed.checkpoint.root
    if index >= size:
        raise ProofFails(f"leaf {index} lies behind the newest checkpoint of {size}")
    ranges = inclusion_ranges(size, index=index)
    for use_nodes in (True, False):
        hashes = _hashes(session, ranges, use_nodes=use_nodes)
        if hashes is not None and inclusion_holds(leaf, index=index, size=size, proof=hashes, root=root):
            return InclusionProof(
                event_id=event_id,
                index=index,
                body=body,
                hashes=tuple(hashes),
                signed=signed,
                verifier=verifier_key(signed.checkpoint.origin, public_key),
            )
    raise ProofFails(f"event {event_id} does not lead to the root of checkpoint {size}")


def prove_consistency(
    session: Session,
    old: int | Signed,
    new: int | Signed,
    *,
    public_key: Ed25519PublicKey,
) -> ConsistencyProof:
    """The proof that the log has only grown between two sizes, or that it has not.

    A size stands for the checkpoint that was signed at it, or for what the stored log says if none was; a checkpoint
    from elsewhere stands for itself.

    Raises:
        ValueError: the sizes are in the wrong order, or beyond what the log holds.
        ProofFails: leaves are missing.
    """
    old_size, size = _size(old), _size(new)
    newest = newest_checkpoint(session, public_key=public_key)
    held = newest.checkpoint.size if newest is not None else 0
    if not 0 <= old_size <= size:
        raise ValueError(f"{old_size} lies behind {size}: name the older size first")
    if size > held:
        raise ValueError(f"the log holds {held} sealed events, not {size}")
    sides = [_side(session, each, public_key) for each in (old, new)]
    (old_root, old_note), (root, note) = sides
    hashes, holds = _consistency(session, old_size, old_root, size, root)
    return ConsistencyProof(
        old_size=old_size,
        old_root=old_root,
        size=size,
        root=root,
        hashes=tuple(hashes),
        notes=(old_note, note),
        holds=holds,
        verifier=verifier_key(newest.checkpoint.origin, public_key) if newest is not None else "",
    )


def _consistency(session: Session, old_size: int, old_root: bytes, size: int, root: bytes) -> tuple[list[bytes], bool]:
    if old_size in (0, size):  # an empty log is the beginning of every log; a log is consistent with itself
        return [], old_root == (root if old_size == size else EMPTY_ROOT)
    ranges = consistency_ranges(size, old_size=old_size)
    for use_nodes in (True, False):
        hashes = _hashes(session, ranges, use_nodes=use_nodes)
        if hashes is not None and consistency_holds(
            old_size=old_size, old_root=old_root, size=size, root=root, proof=hashes
        ):
            return hashes, True
    return [], False


def _size(side: int | Signed) -> int:
    return side if isinstance(side, int) else side.checkpoint.size


def _side(session: Session, side: int | Signed, public_key: Ed25519PublicKey) -> tuple[bytes, str | None]:
    """Root and note of one side."""
    signed = checkpoint_of_size(session, side, public_key=public_key) if isinstance(side, int) else side
    if signed is not None:
        return signed.checkpoint.root, signed.note
    size = _size(side)
    if size == 0:
        return EMPTY_ROOT, None
    try:
        return StoredTree(session, use_nodes=False).subtree(0, size), None
    except LeavesMissing as missing:
        raise ProofFails(str(missing)) from None


def _hashes(session: Session, ranges: Sequence[Range], *, use_nodes: bool) -> list[bytes] | None:
    tree = StoredTree(session, use_nodes=use_nodes)
    try:
        return [tree.subtree(begin, end) for begin, end in ranges]
    except LeavesMissing:
        return None


def _signed(note: str, public_key: Ed25519PublicKey) -> Signed:
    try:
        return Signed(checkpoint=verify(note, public_key=public_key), note=note)
    except NoteInvalid as invalid:
        raise ProofFails(f"a stored checkpoint: {invalid}") from None
