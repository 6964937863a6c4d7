"""Who was told of a transfer (告知), by which channel, with what proof; consents, objections and what follows."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class TransferNotice(DataTable, table=True):
    """One customer of a job and how they were told: exactly one row, one state."""

    __tablename__ = "transfer_notices"
    __table_args__ = (
        UniqueConstraint("job", "row_number"),
        Index("ix_transfer_notices_due", "job", "state", "due_at"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tnt_…, named by job and row
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    row_number: int = Field(sa_type=BigInteger)
    record_id: str | None = Field(default=None, max_length=40)
    subject_id: str = Field(max_length=40)
    language: str = Field(max_length=8)
    text_version: str = Field(max_length=60)  # of the catalogue, with its hash in `evidence`
    state: str = Field(max_length=20)  # NoticeState
    channel: str | None = Field(default=None, max_length=8)  # sms | email | post | public
    attempts: int = Field(default=0)
    due_at: datetime = Field(sa_column=instant())  # next attempt
    evidence: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # receipt id, hashes, times
    consent: str | None = Field(default=None, max_length=12)  # asked | given | refused | not-needed
    told_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    version: int = Field(default=1)


class TransferNoticeAttempt(DataTable, table=True):
    """One attempt by one channel; a bounce or receipt that comes later is written to it."""

    __tablename__ = "transfer_notice_attempts"
    __table_args__ = (UniqueConstraint("notice", "number"),)
    id: str = Field(primary_key=True, max_length=40)  # named by notice and number: the key under which it is sent
    tenant: str = Field(foreign_key="tenants.code")
    notice: str = Field(foreign_key="transfer_notices.id")
    number: int
    channel: str = Field(max_length=8)
    state: str = Field(max_length=12)  # sending | handed-over | delivered | bounced | failed
    reason_code: str | None = Field(default=None, max_length=40)
    at: datetime = Field(sa_column=instant())
    settled_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TransferFollowUp(DataTable, table=True):
    """A bounce, an objection, a correction or an erasure that a customer asked for, with its clock."""

    __tablename__ = "transfer_follow_ups"
    __table_args__ = (Index("ix_transfer_follow_ups_open", "job", "state", "due_at"),)
    id: str = Field(primary_key=True, max_length=40)  # tfu_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    row_number: int = Field(sa_type=BigInteger)
    subject_id: str = Field(max_length=40)
    kind: str = Field(max_length=16)  # bounce | objection | correction | erasure | accuracy | feedback
    state: str = Field(max_length=8)  # open | done
    note_cell: bytes | None = Field(default=None, sa_column=sealed())
    answer: str | None = Field(default=None, max_length=40)  # a code
    task_id: str | None = Field(default=None, max_length=40)
    erasure: str | None = Field(default=None, max_length=40, index=True)  # the request that it ends with
    due_at: datetime = Field(sa_column=instant())
    opened_at: datetime = Field(sa_column=instant())
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    done_by: str | None = Field(default=None, max_length=40)
