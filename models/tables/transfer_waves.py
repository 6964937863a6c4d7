"""What comes up while rows of a transfer job are moved (分批更新): conflicts for a person, and what was handed on."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class TransferConflict(DataTable, table=True):
    """A row that could not be moved, or a change that could not be undone, without a person's word (冲突).

    Attributes:
        kind: models.domain.transfers.conflicts.ConflictKind.
        fields: which fields differ; never their values.
        record_version: of the target's record when the conflict was found; a decision is about this one.
        proposal: what the first person wants, while a second one is waited for.
    """

    __tablename__ = "transfer_conflicts"
    __table_args__ = (
        UniqueConstraint("job", "row_number", "attempt", "kind"),
        Index("ix_transfer_conflicts_open", "job", "state", "row_number"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tcf_…, named by job, row, attempt and kind
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    wave: int
    attempt: int
    row_number: int = Field(sa_type=BigInteger)
    record_id: str | None = Field(default=None, max_length=40)
    record_version: int | None = None
    kind: str = Field(max_length=20)
    fields: list[str] = Field(default_factory=list, sa_column=document())
    state: str = Field(max_length=12)  # open | proposed | decided
    proposal: str | None = Field(default=None, max_length=8)  # keep | take | hold
    choice: str | None = Field(default=None, max_length=8)
    reason_code: str | None = Field(default=None, max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    second_by: str | None = Field(default=None, max_length=40)
    task_id: str | None = Field(default=None, max_length=40)
    version: int = Field(default=1)
    opened_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TransferHandover(DataTable, table=True):
    """A part of a wave's changes as it goes to one consumer downstream, fixed before its first byte is written.

    Attributes:
        first, last: the row numbers of the part.
        digest: SHA-256 over what was handed over.
        rows: the numbers of the rows that were really in it, fixed with its hand-over.
        reversal: it takes back what an earlier part has said of these rows.
    """

    __tablename__ = "transfer_handovers"
    __table_args__ = (UniqueConstraint("job", "wave", "attempt", "consumer", "number"),)
    id: str = Field(primary_key=True, max_length=40)  # tho_…, named by the key above: the key under which it is handed
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    wave: int
    attempt: int
    consumer: str = Field(max_length=40)
    number: int
    kind: str = Field(max_length=12)  # csv | parquet | hook
    first: int = Field(sa_type=BigInteger)
    last: int = Field(sa_type=BigInteger)
    records: int
    state: str = Field(max_length=12)  # fixed | handed
    digest: str | None = Field(default=None, max_length=64)
    place: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # file name or answer of the hook
    fixed_at: datetime = Field(sa_column=instant())
    handed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    rows: list[int] | None = Field(default=None, sa_column=document(nullable=True))
    reversal: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
