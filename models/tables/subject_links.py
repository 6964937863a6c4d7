"""One person known to two companies of this installation is two subjects; a link says that they are one (关联)."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from models.tables.base import DataTable, instant


class SubjectLink(DataTable, table=True):
    """Made when a row that was merged has moved; taken away when it is rolled back, taken apart or erased.

    Attributes:
        tenant, subject_id, record_id: at the company that receives.
        other_tenant, other_subject, other_record: at the company that gives.
        unlinked_at: when it was taken away; None while it stands.
    """

    __tablename__ = "subject_links"
    __table_args__ = (
        Index("ix_subject_links_record", "record_id"),
        Index("ix_subject_links_other", "other_record"),
    )
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    row_number: int = Field(primary_key=True, sa_type=BigInteger)
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(max_length=40)
    record_id: str = Field(max_length=40)
    other_tenant: str = Field(foreign_key="tenants.code")
    other_subject: str = Field(max_length=40)
    other_record: str = Field(max_length=40)
    linked_at: datetime = Field(sa_column=instant())
    unlinked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
