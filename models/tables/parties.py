"""Subjects (自然人) with contact points, consents and signed links. Everything identifying is a sealed cell."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class Subject(DataTable, table=True):
    """A natural person known to one tenant, with keys of their own in the key store."""

    __tablename__ = "subjects"
    # Two subjects of one tenant never hold the same identity document.
    __table_args__ = (UniqueConstraint("tenant", "id_index"),)
    id: str = Field(primary_key=True, max_length=40)  # sub_…
    tenant: str = Field(foreign_key="tenants.code")
    name_cell: bytes = Field(sa_column=sealed(nullable=False))
    id_type: str = Field(max_length=24)  # models.domain.identifiers.IdType
    id_cell: bytes = Field(sa_column=sealed(nullable=False))
    id_index: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))  # blind index
    employer_cell: bytes | None = Field(default=None, sa_column=sealed())
    address_cell: bytes | None = Field(default=None, sa_column=sealed())
    card_cell: bytes | None = Field(default=None, sa_column=sealed())
    schema_version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    erased_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # keys and tokens are gone


class ContactPoint(DataTable, table=True):
    """A way to reach a subject."""

    __tablename__ = "contact_points"
    __table_args__ = (Index("ix_contact_points_tenant_value", "tenant", "value_index"),)
    id: str = Field(primary_key=True, max_length=40)  # cpt_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    kind: str = Field(max_length=16)  # mobile | email
    value_cell: bytes = Field(sa_column=sealed(nullable=False))
    value_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))  # mobile only
    created_at: datetime = Field(sa_column=instant())


class Consent(DataTable, table=True):
    """What a subject agreed to, in which form, to which text, on what evidence."""

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_register", "tenant", "purpose", "given_at", "id"),)
    id: str = Field(primary_key=True, max_length=40)  # cns_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    purpose: str = Field(max_length=40)  # e.g. credit-report-query
    form: str = Field(max_length=16)  # WRITTEN | ELECTRONIC | ORAL
    text_version: str = Field(max_length=40)
    text_hash: str | None = Field(default=None, max_length=64)  # of the published version; None: not in the register
    channel: str | None = Field(default=None, max_length=8)  # staff | link; None: from before it was recorded
    evidence_document_id: str | None = Field(default=None, max_length=40)
    evidence_kind: str | None = Field(default=None, max_length=12)  # models.domain.application.EvidenceKind
    evidence_ref: str | None = Field(default=None, max_length=120)  # recording, link or code; never a person's number
    given_at: datetime = Field(sa_column=instant())
    withdrawn_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class CustomerLink(DataTable, table=True):
    """A signed, expiring link of one purpose for one customer; the token itself is not stored."""

    __tablename__ = "customer_links"
    id: str = Field(primary_key=True, max_length=40)  # lnk_…
    tenant: str = Field(foreign_key="tenants.code")
    purpose: str = Field(max_length=24)  # models.domain.application.LinkPurpose
    case_token: str | None = Field(default=None, max_length=64, index=True)
    branch: str = Field(max_length=40)
    terms: dict[str, int | str] = Field(default_factory=dict, sa_column=document())  # amounts the bank pre-fills
    created_by: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    used_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
