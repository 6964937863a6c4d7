"""Outbox, idempotency keys and leases: what makes effects happen once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class OutboxEntry(DataTable, table=True):
    """A start or a decision that must reach Temporal; closed by the workflow's own first write about it."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("kind", "business_key"),
        Index(
            "ix_outbox_open",
            "next_try_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # UUIDv7
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=16)  # models.domain.states.OutboxKind
    business_key: str = Field(max_length=120)  # case token, or decision id
    workflow_id: str = Field(max_length=120)
    traceparent: str | None = Field(default=None, max_length=60)
    attempts: int = Field(default=0)
    next_try_at: datetime = Field(sa_column=instant())
    created_at: datetime = Field(sa_column=instant())
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class IdempotencyKey(DataTable, table=True):
    """The first answer under a key, per tenant, principal and route; written with the effect it guards."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("tenant", "principal", "route", "key"),)
    id: str = Field(primary_key=True, max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    principal: str = Field(max_length=40)
    route: str = Field(max_length=120)  # the route's name and the ids in its path
    key: str = Field(max_length=255)
    fingerprint: str = Field(max_length=64)  # keyed digest of the body
    resource_id: str | None = Field(default=None, max_length=64, index=True)  # what the effect made
    status: int | None = Field(default=None)  # None: the first request is still under way
    body: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))
    headers: dict[str, str] | None = Field(default=None, sa_column=document(nullable=True))
    created_at: datetime = Field(sa_column=instant())


class Lease(DataTable, table=True):
    """Who runs a duty now; taken over when it lapses. `token` fences a holder that was asleep."""

    __tablename__ = "leases"
    name: str = Field(primary_key=True, max_length=60)
    holder: str = Field(max_length=80)
    token: int = Field(default=1)
    expires_at: datetime = Field(sa_column=instant())
