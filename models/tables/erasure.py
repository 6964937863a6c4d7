"""Erasure of a person's data (删除权), legal holds against it (法律保全), and data that may only be stored (仅存储)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Text, text
from sqlmodel import Column, Field

from models.tables.base import DataTable, document, instant, sealed

_UNDER_WAY = text("state IN ('PROPOSED', 'REQUESTED', 'APPROVED')")


class ErasureRequest(DataTable, table=True):
    """A request to erase one person's data, reduced to a commitment once it is carried out.

    Then `subject_id`, the words and the nonce are gone; `commitment` binds them, and the certificate holds the nonce.
    """

    __tablename__ = "erasure_requests"
    __table_args__ = (
        # One at a time for each person; what is done names nobody.
        Index(
            "uq_erasure_requests_under_way",
            "subject_id",
            unique=True,
            sqlite_where=_UNDER_WAY,
            postgresql_where=_UNDER_WAY,
        ),
        Index("ix_erasure_requests_requested", "tenant", "requested_at", "id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # era_…
    tenant: str = Field(foreign_key="tenants.code")
    # Of `subjects`, of a customer's record, or of a row of a transfer: whoever has a key of their own.
    subject_id: str | None = None
    ground: str = Field(max_length=32)  # models.domain.privacy.erasing.Ground
    note_cell: bytes | None = Field(default=None, sa_column=sealed())
    state: str = Field(max_length=16)  # models.domain.privacy.erasing.ErasureState
    obstacles: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())  # why it was refused
    until: date | None = None  # the last day of those, where it is known
    reason_code: str | None = Field(default=None, max_length=40)  # why the second person rejected it
    shown_hash: str = Field(max_length=64)  # what the second person is bound to
    nonce: str | None = Field(default=None, max_length=64)
    commitment: str | None = Field(default=None, max_length=64)
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # how much was erased
    requested_by: str = Field(max_length=40)  # staff id, or the duty that proposes
    endorsed_by: str | None = Field(default=None, max_length=40)  # who made a duty's proposal their own
    decided_by: str | None = Field(default=None, max_length=40)
    certificate: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    requested_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    erased_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    certified_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class LegalHold(DataTable, table=True):
    """An order to keep a person's data whatever else says so. It stands from the moment it is placed."""

    __tablename__ = "legal_holds"
    __table_args__ = (Index("ix_legal_holds_placed", "tenant", "placed_at", "id"),)
    id: str = Field(primary_key=True, max_length=40)  # lhd_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(index=True)  # as of a request
    reason_code: str = Field(max_length=32)  # models.domain.privacy.erasing.HoldReason
    reference: str | None = Field(default=None, max_length=40)  # of the matter, e.g. LEGAL-2031
    state: str = Field(max_length=16)  # models.domain.privacy.erasing.HoldState
    shown_hash: str = Field(max_length=64)
    placed_by: str = Field(max_length=40)
    confirmed_by: str | None = Field(default=None, max_length=40)  # or who rejected it
    release_reason: str | None = Field(default=None, max_length=32)
    release_hash: str | None = Field(default=None, max_length=64)
    release_asked_by: str | None = Field(default=None, max_length=40)
    released_by: str | None = Field(default=None, max_length=40)
    placed_at: datetime = Field(sa_column=instant())
    confirmed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    release_asked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class SubjectLock(DataTable, table=True):
    """Data of a person that a law keeps after their purpose is over: stored and protected, and not used (仅存储).

    A case that is open, or ended after `locked_at`, is a new purpose: the lock does not stand until it is set anew.
    """

    __tablename__ = "subject_locks"
    subject_id: str = Field(primary_key=True, foreign_key="subjects.id", max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    rule: str = Field(max_length=32)  # the rule that keeps them longest
    until: date
    locked_at: datetime = Field(sa_column=instant())
