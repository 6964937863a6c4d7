"""Imported files (导入): the layout, each row sealed with where it ended, corrections, and the figures of quality."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed

_WAITING: Final = text("state = 'proposed'")


class BatchLayout(DataTable, table=True):
    """One version of a record layout (`models.domain.batches.layouts.Layout`) as data."""

    __tablename__ = "batch_layouts"
    tenant: str = Field(primary_key=True, foreign_key="tenants.code", max_length=16)
    name: str = Field(primary_key=True, max_length=40)
    version: str = Field(primary_key=True, max_length=24)
    body: dict[str, Any] = Field(sa_column=document())
    body_hash: str = Field(max_length=64)
    made_by: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())


class BatchImport(DataTable, table=True):
    """One file of one run. The same bytes are taken once in a tenant: a second sending is refused by its digest.

    Attributes:
        digest: keyed, of the whole file.
        read_rows: the left side of conservation: read = accepted + held + rejected + replaced.
        control_count, control_minor: what the sender says of the file (控制总数); None: nothing.
    """

    __tablename__ = "batch_imports"
    __table_args__ = (UniqueConstraint("tenant", "digest"), UniqueConstraint("run"))
    id: str = Field(primary_key=True, max_length=40)  # bim_…
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token")
    layout: str = Field(max_length=40)
    layout_version: str = Field(max_length=24)
    file_name: str = Field(max_length=200)  # of the sealed file: its id, never the sender's name
    digest: str = Field(max_length=64)
    size_bytes: int = Field(sa_type=BigInteger)
    read_rows: int = Field(default=0, sa_type=BigInteger)
    control_count: int | None = None
    control_minor: int | None = Field(default=None, sa_type=BigInteger)
    problem: str | None = Field(default=None, max_length=40)  # why the whole file is refused
    finished_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_at: datetime = Field(sa_column=instant())


class BatchRow(DataTable, table=True):
    """One row that was read.

    Attributes:
        line: in the file; of a corrected row that of the one in whose place it stands.
        attempt: 1 as read; a corrected row is the next.
        faults: [{field, rule, masked}]: blurred, so that nothing of the value is left to read.
        natural_key: keyed hash over the layout's unique fields, of a wage over the ID number: claims go by it.
    """

    __tablename__ = "batch_rows"
    __table_args__ = (
        UniqueConstraint("import_id", "line", "attempt"),
        Index("uq_batch_rows_subject", "subject_id", unique=True),
        Index("ix_batch_rows_state", "import_id", "state", "number"),
        Index("ix_batch_rows_key", "import_id", "natural_key"),
    )
    import_id: str = Field(primary_key=True, foreign_key="batch_imports.id", max_length=40)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    tenant: str = Field(foreign_key="tenants.code")
    line: int = Field(sa_type=BigInteger)
    attempt: int = Field(default=1)
    subject_id: str = Field(max_length=40)
    row_cell: bytes = Field(sa_column=sealed(nullable=False))
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    natural_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    state: str | None = Field(default=None, max_length=12)  # RowState; None: not validated yet
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())
    reason_code: str | None = Field(default=None, max_length=40)
    version: int = Field(default=1)


class BatchCorrection(DataTable, table=True):
    """What one person wants changed in a quarantined row; key fields wait for a second. A row has one that waits."""

    __tablename__ = "batch_corrections"
    __table_args__ = (
        Index(
            "uq_batch_corrections_open",
            "import_id",
            "row_number",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # bcr_…
    tenant: str = Field(foreign_key="tenants.code")
    import_id: str = Field(foreign_key="batch_imports.id")
    row_number: int = Field(sa_type=BigInteger)
    subject_id: str = Field(max_length=40)
    changes_cell: bytes = Field(sa_column=sealed(nullable=False))
    fields: list[str] = Field(default_factory=list, sa_column=document())
    row_version: int
    shown_hash: str = Field(max_length=64)
    state: str = Field(max_length=12)  # proposed | applied | refused | overtaken
    made_by: str = Field(max_length=40)
    made_by_person: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    decided_by_person: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchQuality(DataTable, table=True):
    """The data-quality report (数据质量报告) of an import: as it came, and as it is after corrections. Counts only."""

    __tablename__ = "batch_quality"
    import_id: str = Field(primary_key=True, foreign_key="batch_imports.id", max_length=40)
    moment: str = Field(primary_key=True, max_length=8)  # before | after
    tenant: str = Field(foreign_key="tenants.code")
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    made_at: datetime = Field(sa_column=instant())
