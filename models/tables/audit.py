"""The append-only event table, the queue of events without a place in the log, and the log's leaves and checkpoints."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Integer
from sqlmodel import Field

from models.tables.base import DataTable, instant

_Serial = BigInteger().with_variant(Integer, "sqlite")


class AuditEvent(DataTable, table=True):
    """One deed in canonical JSON; what is hashed is exactly `body`. The other columns repeat parts of it for search."""

    __tablename__ = "audit_events"
    __table_args__ = (
        # Grows at its right edge, so writing stays cheap; who looks for an actor or an action reads along it alone.
        Index("ix_audit_events_tenant_at", "tenant", "at", "id", "action", "actor"),
        Index("ix_audit_events_target", "target", "id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # UUIDv7
    tenant: str = Field(max_length=16)
    at: datetime = Field(sa_column=instant())
    action: str = Field(max_length=60)
    target: str = Field(max_length=120)  # a case token, subject, staff, task or document id
    actor: str = Field(max_length=60)  # staff id, link id, or "workflow" / "duty:<name>" / "operator"
    body: str


class AuditPending(DataTable, table=True):
    """An event that the sealer has not yet given its place."""

    __tablename__ = "audit_pending"
    event_id: str = Field(primary_key=True, max_length=40, foreign_key="audit_events.id")


class AuditLeaf(DataTable, table=True):
    """The place of an event in the log: RFC 9162 leaf hash, and a keyed MAC that ties it to its index."""

    __tablename__ = "audit_leaves"
    idx: int = Field(sa_column=Column(_Serial, primary_key=True, autoincrement=False))
    event_id: str = Field(unique=True, max_length=40)
    leaf_hash: str = Field(max_length=64)
    mac: str = Field(max_length=64)


class AuditCheckpoint(DataTable, table=True):
    """A signed note over size and root (C2SP tlog-checkpoint)."""

    __tablename__ = "audit_checkpoints"
    size: int = Field(sa_column=Column(_Serial, primary_key=True, autoincrement=False))
    root: str = Field(max_length=64)
    note: str
    created_at: datetime = Field(sa_column=instant())


class AuditTree(DataTable, table=True):
    """The right edge of the tree (one row): enough to append without reading the log again."""

    __tablename__ = "audit_tree"
    name: str = Field(primary_key=True, max_length=20)
    size: int = Field(sa_column=Column(_Serial, nullable=False))
    edge: str  # hex hashes of the perfect subtrees, largest first, space separated


class AuditNode(DataTable, table=True):
    """Roots of perfect subtrees of 2^8, 2^16 and 2^24 leaves, so that a proof reads hundreds of hashes, not millions.

    A cache of what the leaves say: no proof is handed out before it was checked against a signed checkpoint.
    """

    __tablename__ = "audit_nodes"
    height: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    idx: int = Field(sa_column=Column(_Serial, primary_key=True, autoincrement=False))
    hash: str = Field(max_length=64)
