"""Who is in a batch (客群): criteria, members with their class, exclusions with rule and reason, frozen by hash."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class BatchCohort(DataTable, table=True):
    """One choice for one run, or for a test of rules; a returned run chooses anew, as its next revision.

    Attributes:
        criteria: typed filters (`models.domain.filter_language`), or empty: the rows of the run's import.
        cohort_hash: over the members in their order, once frozen; then nothing of it changes (trigger).
    """

    __tablename__ = "batch_cohorts"
    __table_args__ = (UniqueConstraint("run", "revision"),)
    id: str = Field(primary_key=True, max_length=40)  # bco_…, named by run and revision
    tenant: str = Field(foreign_key="tenants.code")
    run: str | None = Field(default=None, max_length=64)  # None: of a test of rules
    revision: int = Field(default=1)
    kind: str = Field(max_length=20)
    criteria: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    members: int = Field(default=0)
    excluded: int = Field(default=0)
    amount_minor: int = Field(default=0, sa_type=BigInteger)
    cohort_hash: str | None = Field(default=None, max_length=64)
    frozen_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_at: datetime = Field(sa_column=instant())


class BatchMember(DataTable, table=True):
    """One row of a cohort.

    Attributes:
        number: counts the rows of a cohort from 1, in the order of their claim keys.
        claim_key: what is collected or paid, by the business: `row/<agreement>/<no>`, `card/<account token>/<cycle>`,
            `wage/<client>/<period>/<person>`, `fee/<code>/<account token>/<period>`, `file/<import>/<line>` for intake.
            No two open orders of a tenant have the same.
        import_line: of a file: what the bank needs of the row lies in `batch_rows`; of the book, with its mandate.
    """

    __tablename__ = "batch_members"
    __table_args__ = (
        UniqueConstraint("cohort", "claim_key"),
        Index("ix_batch_members_state", "cohort", "state", "number"),
        Index("ix_batch_members_subject", "tenant", "subject_id"),
        Index("ix_batch_members_mandate", "cohort", "mandate_id"),
    )
    cohort: str = Field(primary_key=True, foreign_key="batch_cohorts.id", max_length=40)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    tenant: str = Field(foreign_key="tenants.code")
    claim_key: str = Field(max_length=120)
    subject_id: str = Field(max_length=40)
    mandate_id: str | None = Field(default=None, max_length=40)
    agreement_id: str | None = Field(default=None, max_length=40)
    row_no: int | None = None
    import_line: int | None = Field(default=None, sa_type=BigInteger)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(default="CNY", max_length=3)
    type_class: str = Field(default="", max_length=24)  # classification by type, amount and cycle
    amount_class: str = Field(default="", max_length=24)
    cycle_class: str = Field(default="", max_length=24)
    state: str = Field(max_length=12)  # MemberState
    exclusion: str | None = Field(default=None, max_length=40)
    rule_id: str | None = Field(default=None, max_length=24)
