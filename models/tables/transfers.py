"""Transfer jobs (公司转让后的客户信息变更): plan, backups, rows, pairs, waves, the change journal.

Amounts of anything are counts; nothing here tells who somebody is but the sealed cells. Notices stand in
`models.tables.transfer_notices`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class TransferJob(DataTable, table=True):
    """One job. It belongs to the tenant that receives; `(epoch, seq)` fences the writes of its workflow.

    Attributes:
        plan: the plan as it was approved: scope, timetable, owners, risks, cost, emergency plan. Names of staff are
            staff ids; nothing of a customer stands in it.
        plan_hash: SHA-256 over its canonical JSON; both companies approve this.
        error_budget: per mille of a wave's rows that may fail before it stops by itself.
    """

    __tablename__ = "transfer_jobs"
    __table_args__ = (Index("ix_transfer_jobs_tenant_created", "tenant", "created_at", "token"),)
    token: str = Field(primary_key=True, max_length=64)  # <target tenant>.<26>
    tenant: str = Field(foreign_key="tenants.code")  # who receives
    source_tenant: str | None = Field(default=None, foreign_key="tenants.code")  # None: files only
    branch: str = Field(max_length=40)
    classes: list[str] = Field(default_factory=list, sa_column=document())  # models.domain.transfers.states.LegalClass
    facts: dict[str, Any] = Field(
        default_factory=dict, sa_column=document()
    )  # of the rules (compliance.rules.transfers)
    plan: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    plan_hash: str = Field(max_length=64)
    error_budget: int = Field(default=5)  # per mille
    stage: str = Field(max_length=24)
    outcome: str | None = Field(default=None, max_length=16)
    reason_code: str | None = Field(default=None, max_length=40)
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # figures of what is done, by stage
    paused_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_by: str = Field(max_length=40)
    created_by_person: str = Field(max_length=40)
    epoch: int = Field(default=0)
    seq: int = Field(default=0)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    cancel_asked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    keys_gone_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # its retention is over


class TransferBackup(DataTable, table=True):
    """A snapshot of one side's records in a sealed container, with its signed manifest."""

    __tablename__ = "transfer_backups"
    __table_args__ = (UniqueConstraint("job", "side", "number"),)
    id: str = Field(primary_key=True, max_length=40)  # tbk_…, named by job, side and number
    tenant: str = Field(foreign_key="tenants.code")  # whose records
    job: str = Field(foreign_key="transfer_jobs.token")
    side: str = Field(max_length=8)
    number: int = Field(default=1)
    state: str = Field(max_length=8)  # models.domain.transfers.states.BackupState
    manifest: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))  # signed; no plaintext
    manifest_hash: str | None = Field(default=None, max_length=64)
    records: int | None = Field(default=None, sa_type=BigInteger)
    root: str | None = Field(default=None, max_length=64)
    fault: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))  # what a proof found, by name
    made_at: datetime = Field(sa_column=instant())
    proven_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    deleted_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    certificate: str | None = Field(default=None, sa_column=Column(Text, nullable=True))  # of the deletion


class TransferSource(DataTable, table=True):
    """Where rows come from: a file, a database, staff entry or a link. `read_rows` is the left side of conservation.

    `left_out`: how many values of each field the source had that the plan does not let move.
    """

    __tablename__ = "transfer_sources"
    __table_args__ = (UniqueConstraint("job", "number"),)
    id: str = Field(primary_key=True, max_length=40)  # tsr_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    number: int
    kind: str = Field(max_length=8)  # csv | xlsx | sql | staff | link | book
    place: str = Field(max_length=200)  # name inside the exchange folder, or of the connection; no personal data
    mapping: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    mapping_hash: str = Field(max_length=64)
    digest: str | None = Field(default=None, max_length=64)  # keyed, of the file as it was read
    read_rows: int = Field(default=0, sa_type=BigInteger)
    finished_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    left_out: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))


class TransferRow(DataTable, table=True):
    """One row that was read, sealed under a key of its own in the receiving tenant, with where it ended.

    Attributes:
        number: counts the rows of a job from 1, over all sources, in reading order.
        line: in its source; for what people are told about a quarantined row.
        row_cell: the canonical fields, packed; as read, where they could not be made canonical.
        faults: [{field, rule}], never a value.
        target_record: whom it became, or was merged into.
        same_row: the earlier row of the job that is the same person.
        digest: keyed hash of the canonical record (`models.domain.customers.record`), under the job's own key.
    """

    __tablename__ = "transfer_rows"
    __table_args__ = (
        UniqueConstraint("source", "line"),
        Index("ix_transfer_rows_outcome", "job", "outcome", "number"),
        Index("ix_transfer_rows_wave", "job", "wave", "number"),
        Index("ix_transfer_rows_subject", "tenant", "subject_id"),
        Index("uq_transfer_rows_subject", "subject_id", unique=True),
    )
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    tenant: str = Field(foreign_key="tenants.code")
    source: str = Field(foreign_key="transfer_sources.id")
    line: int = Field(sa_type=BigInteger)
    subject_id: str = Field(max_length=40)
    row_cell: bytes = Field(sa_column=sealed(nullable=False))
    outcome: str | None = Field(default=None, max_length=12)  # RowOutcome; None: not verified yet
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())
    reason_code: str | None = Field(default=None, max_length=40)
    target_record: str | None = Field(default=None, max_length=40)
    same_row: int | None = Field(default=None, sa_type=BigInteger)
    digest: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))
    wave: int | None = None
    move: str = Field(default="waiting", max_length=12)  # MoveState
    version: int = Field(default=1)


class TransferToken(DataTable, table=True):
    """The blocking tokens of one record under the job's linkage key. All of a job's go when it closes.

    Attributes:
        record: row:<number>, or cus_…
        tokens: 16 bytes for each kind of value in the order of `models.domain.matching.blocking.Block`, zeros where
            the record has none.
    """

    __tablename__ = "transfer_record_tokens"
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    record: str = Field(primary_key=True, max_length=40)
    tokens: bytes = Field(sa_column=Column(LargeBinary(128), nullable=False))


class TransferPair(DataTable, table=True):
    """Two records that may be one person: the score by field, and who decided. No value stands here."""

    __tablename__ = "transfer_pairs"
    __table_args__ = (
        UniqueConstraint("job", "row_number", "other"),
        Index("ix_transfer_pairs_verdict", "job", "verdict"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tpr_…
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    row_number: int = Field(sa_type=BigInteger)
    other: str = Field(max_length=40)  # row:<number>, or cus_…
    score_milli: int  # thousandths of a bit
    weights: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # field → [agreement, milli-bits]
    vetoes: list[str] = Field(default_factory=list, sa_column=document())
    verdict: str = Field(max_length=12)  # MatchVerdict
    decided_by: str | None = Field(default=None, max_length=40)
    second_by: str | None = Field(default=None, max_length=40)  # of a high-risk pair
    reason_code: str | None = Field(default=None, max_length=40)
    task_id: str | None = Field(default=None, max_length=40)
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TransferWave(DataTable, table=True):
    """Rows that move as one, and can be rolled back as one.

    Attributes:
        attempt: grows when an undone wave is run again.
        root_before: of the target's book before the first row of this attempt; after an undo the book has it again.
    """

    __tablename__ = "transfer_waves"
    job: str = Field(primary_key=True, foreign_key="transfer_jobs.token", max_length=64)
    number: int = Field(primary_key=True)
    tenant: str = Field(foreign_key="tenants.code")
    attempt: int = Field(default=1)
    state: str = Field(max_length=12)  # WaveState
    rows: int
    moved: int = Field(default=0)
    failed: int = Field(default=0)
    conflicts: int = Field(default=0)
    root_before: str | None = Field(default=None, max_length=64)
    root_after: str | None = Field(default=None, max_length=64)
    root_undone: str | None = Field(default=None, max_length=64)
    begun_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    version: int = Field(default=1)
    # What `end_wave` has found: rows and keyed checksums by column, on the side of the rows and on that of the book.
    checked: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))
    stop_code: str | None = Field(default=None, max_length=40)  # why it stands still, where a person decides
    # Of the records that were there before: record → the beginning of its leaf, so that an undo can name what differs.
    leaves_before: dict[str, str] | None = Field(default=None, sa_column=document(nullable=True))


class TransferChange(DataTable, table=True):
    """The change journal (变更日志): what one row did to one record, with the record before and after as it lay there.

    Images hold the stored, sealed columns bit by bit, so an undo is exact and opens nothing.
    """

    __tablename__ = "transfer_changes"
    __table_args__ = (
        UniqueConstraint("job", "row_number", "attempt"),
        Index("ix_transfer_changes_record", "record_id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tch_…, named by job, row and attempt
    tenant: str = Field(foreign_key="tenants.code")
    job: str = Field(foreign_key="transfer_jobs.token")
    wave: int
    attempt: int
    row_number: int = Field(sa_type=BigInteger)
    record_id: str = Field(max_length=40)
    kind: str = Field(max_length=8)  # insert | update
    before_image: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))
    after_image: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    version_before: int | None = None
    version_after: int
    at: datetime = Field(sa_column=instant())
    undone_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    conflict: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
