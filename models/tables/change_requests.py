"""Single changes of a customer's record outside a job (客户信息变更申请): collect, review, four-eyes, update, tell."""

from datetime import datetime

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class ChangeRequest(DataTable, table=True):
    """One request and what became of it; with the record before and after as it lay there, as `TransferChange` has.

    Attributes:
        fields: names of the fields that change (`models.domain.customers.record.FIELDS`); their values are sealed.
        shown_hash: SHA-256 over what reviewer and second person decide about; binds the values by their keyed digest.
        record_version: of the record when it was asked for; a record that changed meanwhile is a conflict.
    """

    __tablename__ = "change_requests"
    __table_args__ = (Index("ix_change_requests_state", "tenant", "state", "created_at", "id"),)
    id: str = Field(primary_key=True, max_length=40)  # chr_…
    tenant: str = Field(foreign_key="tenants.code")
    branch: str = Field(max_length=40)
    record_id: str = Field(foreign_key="customer_records.id", index=True)
    subject_id: str = Field(max_length=40)  # the record's: whose key seals the values
    channel: str = Field(max_length=8)  # phone | mail | counter | link
    fields: list[str] = Field(default_factory=list, sa_column=document())
    values_cell: bytes | None = Field(default=None, sa_column=sealed())  # dropped when the request is over
    shown_hash: str = Field(max_length=64)
    state: str = Field(max_length=12)  # models.domain.customers.change_request.RequestState
    reason_code: str | None = Field(default=None, max_length=40)  # why it was refused
    record_version: int
    version_after: int | None = None
    before_image: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    after_image: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    created_by: str = Field(max_length=40)  # staff, or the link
    reviewed_by: str | None = Field(default=None, max_length=40)
    confirmed_by: str | None = Field(default=None, max_length=40)
    task_id: str | None = Field(default=None, max_length=40)  # the follow-up call
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    reviewed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    applied_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
