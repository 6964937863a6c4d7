"""Training grants (培训准入): who may open data of a transfer job, and until when."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field

from models.tables.base import DataTable, instant


class TransferGrant(DataTable, table=True):
    """One person's passed course for one job. A job works on its sponsor's grant; without one it opens nothing.

    Attributes:
        granted_by: who recorded it; nobody records their own.
        is_sponsor: the job's own steps open data on this person's behalf.
    """

    __tablename__ = "transfer_grants"
    __table_args__ = (Index("ix_transfer_grants_staff", "job", "staff_id", "valid_until"),)
    id: str = Field(primary_key=True, max_length=40)  # tgr_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    staff_id: str = Field(foreign_key="staff.id")
    course: str = Field(max_length=40)
    passed_at: datetime = Field(sa_column=instant())
    valid_until: datetime = Field(sa_column=instant())
    is_sponsor: bool = Field(default=False)
    granted_by: str = Field(max_length=40)
    granted_at: datetime = Field(sa_column=instant())
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
