"""The sealer: gives each committed event its place in the log, signs the new size, and anchors it outside the database.

It empties the queue `audit_pending` and never asks for "ids above the last": on PostgreSQL a lower id can commit later.
What it proves is history: an event that was forged before it was sealed, or removed within that second, is not seen.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Table, delete, func, text
from sqlmodel import Session, col, select

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import Checkpoint, NoteInvalid, origin_of, sign, verify
from compliance.audit.log import Edge, leaf_hash
from compliance.audit.nodes import extend_nodes
from compliance.audit.unit import bookkeeping
from compliance.vault.purposes import Purpose
from models.database.bulk import insert_many
from models.database.engine import Database
from models.tables.audit import AuditCheckpoint, AuditEvent, AuditLeaf, AuditPending, AuditTree

TREE_NAME: Final = "log"
SIGNING_KEY_NAME: Final = "audit-checkpoint"
INSTALLATION: Final = "_"  # the tenant whose keys belong to the installation itself
_MAC_CONTEXT: Final = b"casework/audit-leaf/1\x00"
_BLOCK: Final = 64  # bytes of a SHA-256 block, for HMAC
_LEAVES: Final[Table] = AuditLeaf.__table__  # type: ignore[attr-defined]


class LogBroken(RuntimeError):
    """The tree's row and its last signed checkpoint disagree: nothing is sealed on top of that; run `verify_log`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SealKeys:
    """What the sealer holds: the MAC key of the leaves and the key that signs checkpoints."""

    mac_key: bytes
    signing_key: Ed25519PrivateKey

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What a verifier needs for checkpoints."""
        return self.signing_key.public_key()

    @property
    def origin(self) -> str:
        """The log's name."""
        return origin_of(self.public_key)


class KeySource(Protocol):
    """The two methods of `compliance.vault.keyring.Vault` that the sealer uses."""

    def purpose_key(self, tenant: str, purpose: Purpose) -> bytes:
        """A key of one purpose."""

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """A signing key of the installation."""


def seal_keys(vault: KeySource) -> SealKeys:
    """The sealer's keys out of the vault."""
    return SealKeys(
        mac_key=vault.purpose_key(INSTALLATION, Purpose.AUDIT_MAC), signing_key=vault.signing_key(SIGNING_KEY_NAME)
    )


def leaf_mac(key: bytes) -> Callable[[int, bytes, str], bytes]:
    """HMAC-SHA-256 over (index, leaf hash, event id), with the key's two blocks worked in once for all leaves."""
    macs = leaf_macs(key)

    def mac(index: int, leaf: bytes, event_id: str) -> bytes:
        return bytes.fromhex(macs(index, [leaf], [event_id])[0])

    return mac


def leaf_macs(key: bytes) -> Callable[[int, Iterable[bytes], Iterable[str]], list[str]]:
    """As `leaf_mac`, in hex, of leaves that stand one behind the other from an index on."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    padded = key.ljust(_BLOCK, b"\x00")
    start_inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + _MAC_CONTEXT).copy
    start_outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded)).copy

    def macs(first: int, leaves: Iterable[bytes], event_ids: Iterable[str]) -> list[str]:
        made = []
        for index, (leaf, event_id) in enumerate(zip(leaves, event_ids, strict=True), first):
            inner, outer = start_inner(), start_outer()
            inner.update(index.to_bytes(8, "big", signed=True) + leaf + event_id.encode())
            outer.update(inner.digest())
            made.append(outer.hexdigest())
        return made

    return macs


def seal_pending(database: Database, keys: SealKeys, *, now: datetime, anchor: Path, limit: int = 1000) -> int:
    """Seal up to `limit` queued events in one transaction; returns how many. Call again while it returns `limit`.

    Safe beside another sealer. The anchor file gets every checkpoint that it lacks, also one that a crash between
    commit and append left out.

    Raises:
        DatabaseBusy: nothing was sealed.
        LogBroken: the tree's row does not fit the last signed checkpoint; nothing was sealed.
        OSError: the anchor file cannot be written; what was sealed stays sealed, and the next call anchors it.
    """
    with database.read() as session:
        waiting = session.exec(select(AuditPending.event_id).limit(1)).first() is not None
    sealed = 0
    if waiting:
        with bookkeeping(database) as session:
            sealed = _seal(session, keys, now, limit)
    anchor_checkpoints(database, anchor=anchor)
    return sealed


def anchor_checkpoints(database: Database, *, anchor: Path) -> int:
    """Append to the anchor file the checkpoints above the last one in it; returns how many.

    Raises:
        OSError: the file cannot be written.
    """
    with Anchor(anchor).locked() as held:
        with database.read() as session:
            notes = session.exec(
                select(AuditCheckpoint.note)
                .where(col(AuditCheckpoint.size) > held.last_size())
                .order_by(col(AuditCheckpoint.size))
            ).all()
        if notes:
            held.append(notes)
    return len(notes)


def pending_since(session: Session) -> datetime | None:
    """When the oldest event that still waits for the sealer was recorded; None when none waits."""
    oldest = select(func.min(AuditPending.event_id)).scalar_subquery()  # ids sort by time of making
    return session.exec(select(AuditEvent.at).where(col(AuditEvent.id) == oldest)).first()


def _seal(session: Session, keys: SealKeys, now: datetime, limit: int) -> int:
    edge = _locked_edge(session)
    # The queue first, then the events by key: as one join, the planner may walk the whole past to find the newest.
    ids = session.exec(select(AuditPending.event_id).order_by(col(AuditPending.event_id)).limit(limit)).all()
    if not ids:
        return 0
    events = session.exec(
        select(AuditEvent.id, AuditEvent.body).where(col(AuditEvent.id).in_(ids)).order_by(col(AuditEvent.id))
    ).all()
    _refuse_broken(session, edge, keys)
    _write_leaves(session, keys, edge, events)
    root = edge.root()
    note = sign(Checkpoint(origin=keys.origin, size=edge.size, root=root), key=keys.signing_key)
    session.add(AuditCheckpoint(size=edge.size, root=root.hex(), note=note, created_at=now))
    return len(events)


def _locked_edge(session: Session) -> Edge:
    """The tree's row, held to the end of the transaction: the next sealer waits here, or on SQLite at BEGIN."""
    held = select(AuditTree.size, AuditTree.edge).where(AuditTree.name == TREE_NAME).with_for_update()
    row = session.exec(held).first()
    if row is None:
        session.execute(
            text("INSERT INTO audit_tree (name, size, edge) VALUES (:name, 0, '') ON CONFLICT DO NOTHING"),
            {"name": TREE_NAME},
        )
        row = session.exec(held).one()
    size, edge = row
    try:
        return Edge.load(size, edge)
    except ValueError:
        raise LogBroken("the edge does not fit the size of the tree") from None


def _refuse_broken(session: Session, edge: Edge, keys: SealKeys) -> None:
    last = session.exec(select(AuditCheckpoint).order_by(col(AuditCheckpoint.size).desc()).limit(1)).first()
    if last is None and edge.size == 0:
        return
    try:
        signed = verify(last.note if last is not None else "", public_key=keys.public_key)
    except NoteInvalid:
        raise LogBroken("the last checkpoint is missing or was not signed by this installation") from None
    if (signed.size, signed.root) != (edge.size, edge.root()):
        raise LogBroken("the tree does not fit its last checkpoint")


def _write_leaves(session: Session, keys: SealKeys, edge: Edge, events: Sequence[tuple[str, str]]) -> None:
    first = edge.size
    ids, hashes = [event_id for event_id, _ in events], [leaf_hash(body.encode()) for _, body in events]
    macs = leaf_macs(keys.mac_key)(first, hashes, ids)
    leaves = [
        {"idx": index, "event_id": event_id, "leaf_hash": leaf.hex(), "mac": mac}
        for index, (event_id, leaf, mac) in enumerate(zip(ids, hashes, macs, strict=True), first)
    ]
    edge.extend(hashes)
    insert_many(session, _LEAVES, leaves)
    session.execute(
        text("UPDATE audit_tree SET size = :size, edge = :edge WHERE name = :name"),
        {"size": edge.size, "edge": edge.dump(), "name": TREE_NAME},
    )
    session.execute(delete(AuditPending).where(col(AuditPending.event_id).in_(ids)))
    extend_nodes(session, old_size=first, size=edge.size)
