"""Notices to customers (通知) and one-time codes. Whom a notice goes to is read when it is sent, and not kept here."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class Notice(DataTable, table=True):
    """One message to one person by one channel, once per business key."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("tenant", "business_key"),
        Index("ix_notices_state_send_after", "state", "send_after"),
    )
    id: str = Field(primary_key=True, max_length=40)  # ntc_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    case_token: str | None = Field(default=None, max_length=64, index=True)
    business_key: str = Field(max_length=160)
    kind: str = Field(max_length=40)  # models.domain.notices.NoticeKind
    channel: str = Field(max_length=8)  # sms | mail
    locale: str = Field(max_length=8)
    template_version: str = Field(max_length=16)  # of the texts it was queued, then sent with
    params: dict[str, Any] = Field(sa_column=document())  # amounts, dates, counts and codes
    secrets_cell: bytes | None = Field(default=None, sa_column=sealed())  # link or code; dropped at the end
    state: str = Field(max_length=8)  # QUEUED | SENT | FAILED | SKIPPED
    reason_code: str | None = Field(default=None, max_length=40)  # why it failed or was skipped
    provider_ref: str | None = Field(default=None, max_length=120)
    attempts: int = Field(default=0)
    send_after: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    retry_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # a try is under way until then
    created_at: datetime = Field(sa_column=instant())
    sent_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class OneTimeCode(DataTable, table=True):
    """A code sent to a person (动态验证码), kept as a MAC only. The one with the highest serial counts."""

    __tablename__ = "one_time_codes"
    __table_args__ = (
        # Two that are made at once collide here, so the count of an hour is not passed by racing.
        UniqueConstraint("subject_id", "serial"),
        CheckConstraint("tries >= 0 AND tries <= 5", name="tries"),
    )
    id: str = Field(primary_key=True, max_length=40)  # otc_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(foreign_key="subjects.id")
    serial: int
    purpose: str = Field(max_length=24)  # models.domain.one_time_codes.CodePurpose
    bound_to: str = Field(max_length=64)  # SHA-256, in hex, of what is confirmed
    code_mac: bytes = Field(sa_column=Column(LargeBinary(32), nullable=False))
    tries: int = Field(default=0)
    created_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    used_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
