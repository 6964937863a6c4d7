"""Corrections of quarantined rows (更正), and the figures of data quality before and after them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class TransferCorrection(DataTable, table=True):
    """What one person wants changed in one row. Key fields wait for a second person; a row has one that waits.

    Attributes:
        changes_cell: field → new value as one packed cell, sealed under the row's subject; `""` takes a value away.
        fields: which ones; what stands in them is in the cell alone.
        row_version: the row as it was corrected; another version is another row.
        state: proposed | applied | refused | overtaken.
    """

    __tablename__ = "transfer_corrections"
    __table_args__ = (
        Index(
            "uq_transfer_corrections_open",
            "job",
            "row_number",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
        Index("ix_transfer_corrections_row", "job", "row_number", "created_at"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tco_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    row_number: int = Field(sa_type=BigInteger)
    subject_id: str = Field(max_length=40)
    changes_cell: bytes = Field(sa_column=sealed(nullable=False))
    fields: list[str] = Field(default_factory=list, sa_column=document())
    row_version: int
    shown_hash: str = Field(max_length=64)
    state: str = Field(max_length=12)
    made_by: str = Field(max_length=40)
    made_by_person: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    decided_by_person: str | None = Field(default=None, max_length=40)
    reason_code: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TransferQuality(DataTable, table=True):
    """The data-quality report (数据质量报告) of a job: as it came, and as it is after corrections. Counts only."""

    __tablename__ = "transfer_quality"
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    moment: str = Field(primary_key=True, max_length=8)  # before | after
    tenant: str = Field(foreign_key="tenants.code")
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    made_at: datetime = Field(sa_column=instant())
