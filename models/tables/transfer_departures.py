"""Which record of the giving company's book became a row that has moved (转出): what it was before, to put it back."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlmodel import Field

from models.tables.base import DataTable, instant


class TransferDeparture(DataTable, table=True):
    """A moved row and the record that it was at the company that gave it.

    Attributes:
        tenant: whose record it is: the company that gives.
        record_id: None where that book knows no such customer number; then nothing is marked.
        state_before, version_before, updated_before: of the record, which gets them back when the row is rolled back.
        back_at: when it was put back; None while the relation is gone.
    """

    __tablename__ = "transfer_departures"
    __table_args__ = (Index("ix_transfer_departures_record", "record_id"),)
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    row_number: int = Field(primary_key=True, sa_type=BigInteger)
    tenant: str = Field(foreign_key="tenants.code")
    record_id: str | None = Field(default=None, max_length=40)
    state_before: str | None = Field(default=None, max_length=16)
    version_before: int | None = None
    updated_before: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    left_at: datetime = Field(sa_column=instant())
    back_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
