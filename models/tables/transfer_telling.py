"""What goes with a transfer's notices: the words as they were, consents, ratings, and messages to customers."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Date, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class TransferNoticeText(DataTable, table=True):
    """The words of one channel and language of a job, kept as customers read them. Nothing of a customer.

    Attributes:
        words: of `text_hash`; `{link}` stands where each customer's own link stood.
        published_at: of the public notice (公告).
    """

    __tablename__ = "transfer_notice_texts"
    __table_args__ = (UniqueConstraint("job", "language", "channel"),)
    id: str = Field(primary_key=True, max_length=40)  # ttx_…, named by job, language and channel
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    language: str = Field(max_length=8)
    channel: str = Field(max_length=8)
    version: str = Field(max_length=60)
    text_hash: str = Field(max_length=64)
    subject: str = Field(max_length=200)
    words: str = Field(max_length=8000)
    made_at: datetime = Field(sa_column=instant())
    published_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TransferConsent(DataTable, table=True):
    """What a customer of a job answered (单独同意台账): given, refused, withdrawn; a later answer is a later row."""

    __tablename__ = "transfer_consents"
    __table_args__ = (UniqueConstraint("notice", "serial"), Index("ix_transfer_consents_job", "job", "answer"))
    id: str = Field(primary_key=True, max_length=40)  # tcn_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    notice: str = Field(foreign_key="transfer_notices.id")
    row_number: int = Field(sa_type=BigInteger)
    subject_id: str = Field(max_length=40, index=True)
    serial: int
    answer: str = Field(max_length=12)  # given | refused | withdrawn
    text_version: str = Field(max_length=60)
    text_hash: str = Field(max_length=64)  # of the words that the customer read
    evidence_ref: str = Field(max_length=120)  # the link by which they came
    at: datetime = Field(sa_column=instant())


class TransferRating(DataTable, table=True):
    """How satisfied somebody was (满意度), 1 to 5. Whose it is is nowhere: a day, no time, no notice."""

    __tablename__ = "transfer_ratings"
    __table_args__ = (
        CheckConstraint("score >= 1 AND score <= 5", name="score"),
        Index("ix_transfer_ratings_job", "job", "score"),
    )
    id: str = Field(primary_key=True, max_length=40)  # trt_…, random
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    score: int
    on: date = Field(sa_column=Column("rated_on", Date, nullable=False))


class CustomerMessage(DataTable, table=True):
    """A message to a customer who may have no case: an answer, or that their record was changed. Once per key.

    Attributes:
        record_id: whose contact point is read as it is sent, where `to_cell` holds none.
        to_cell: a contact point that the record may not have any more; dropped once it is sent.
    """

    __tablename__ = "customer_messages"
    __table_args__ = (
        UniqueConstraint("tenant", "business_key"),
        Index("ix_customer_messages_due", "state", "due_at"),
    )
    id: str = Field(primary_key=True, max_length=40)  # cms_ and 32 hex digits, named by the business key
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(max_length=40)
    record_id: str | None = Field(default=None, max_length=40)
    business_key: str = Field(max_length=160)
    kind: str = Field(max_length=40)
    channel: str = Field(max_length=8)  # sms | email
    language: str = Field(max_length=8)
    params: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # codes and dates
    to_cell: bytes | None = Field(default=None, sa_column=sealed())
    state: str = Field(max_length=8)  # QUEUED | SENT | FAILED
    reason_code: str | None = Field(default=None, max_length=40)
    attempts: int = Field(default=0)
    due_at: datetime = Field(sa_column=instant())
    expires_at: datetime = Field(sa_column=instant())
    created_at: datetime = Field(sa_column=instant())
    sent_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
