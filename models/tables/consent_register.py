"""Consent and notice register (同意与告知台账): drafts of texts, published versions, withdrawals with their effect.

Who was given which version stands in `consents` (`models.tables.parties`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Text, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class TextDraft(DataTable, table=True):
    """A text on its way to publication. The words are the institution's own and tell of nobody."""

    __tablename__ = "text_drafts"
    __table_args__ = (Index("ix_text_drafts_listed", "tenant", "kind", "created_at", "id"),)
    id: str = Field(primary_key=True, max_length=40)  # txd_…
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=24)  # models.domain.consent_texts.TextKind
    version: str = Field(max_length=40)
    zh: str = Field(sa_column=Column(Text, nullable=False))
    en: str = Field(sa_column=Column(Text, nullable=False))
    definition: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))
    material: bool
    valid_from: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # None: from publication on
    valid_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # None: until the next version
    state: str = Field(max_length=16)  # models.domain.consent_texts.TextState
    made_by: list[str] = Field(sa_column=document())  # persons who wrote on it; none of them may publish it
    drafted_by: str = Field(max_length=40)
    shown_hash: str | None = Field(default=None, max_length=64)  # once submitted: what the second person is bound to
    decided_by: str | None = Field(default=None, max_length=40)
    return_reason: str | None = Field(default=None, max_length=40)
    revision: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())


class TextVersion(DataTable, table=True):
    """A published text; append-only. It holds from `valid_from` until the next version of its kind or `valid_until`."""

    __tablename__ = "text_versions"
    __table_args__ = (
        UniqueConstraint("tenant", "kind", "version"),
        UniqueConstraint("tenant", "kind", "valid_from"),  # which of two versions holds is never in doubt
    )
    id: str = Field(primary_key=True, max_length=40)  # txv_…
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=24)
    version: str = Field(max_length=40)
    zh: str = Field(sa_column=Column(Text, nullable=False))
    en: str = Field(sa_column=Column(Text, nullable=False))
    definition: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))
    material: bool
    content_hash: str = Field(max_length=64)  # models.domain.consent_texts.TextContent.digest
    valid_from: datetime = Field(sa_column=instant())
    valid_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    drafted_by: str = Field(max_length=40)
    published_by: str = Field(max_length=40)
    published_at: datetime = Field(sa_column=instant())


class ConsentWithdrawal(DataTable, table=True):
    """A consent was taken back (撤回): how, by whom, and what followed by the list of effects of that day."""

    __tablename__ = "consent_withdrawals"
    id: str = Field(primary_key=True, max_length=40)  # cwd_…
    tenant: str = Field(foreign_key="tenants.code")
    consent_id: str = Field(foreign_key="consents.id", unique=True, max_length=40)
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    channel: str = Field(max_length=8)  # staff | link
    actor: str = Field(max_length=40)  # staff id, or link id
    effect: dict[str, Any] = Field(sa_column=document())  # models.domain.consent_effects.Effect.as_record
    withdrawn_at: datetime = Field(sa_column=instant())
