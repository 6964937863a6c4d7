"""Rule sets of batches (规则集): versions, tests on a sample, and which run is bound to which."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant

_WAITING: Final = text("state = 'proposed'")


class BatchRuleSet(DataTable, table=True):
    """One named set for one kind."""

    __tablename__ = "batch_rule_sets"
    __table_args__ = (UniqueConstraint("tenant", "name"),)
    id: str = Field(primary_key=True, max_length=40)  # brs_…
    tenant: str = Field(foreign_key="tenants.code")
    name: str = Field(max_length=40)
    kind: str = Field(max_length=20)  # models.domain.batches.kinds.KindName
    created_at: datetime = Field(sa_column=instant())


class BatchRuleVersion(DataTable, table=True):
    """One version: repayment rules, rate policy, retry policy, breakers. Two persons; of a set one waits at a time.

    Attributes:
        body: each rule with source, dates and operator (CONV-1); the run is bound to `body_hash`.
        expected: what the test sample should hit; a version that misses it is not proposed.
    """

    __tablename__ = "batch_rule_versions"
    __table_args__ = (
        Index(
            "uq_batch_rule_versions_waiting",
            "rule_set",
            unique=True,
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
        UniqueConstraint("rule_set", "body_hash"),
    )
    rule_set: str = Field(primary_key=True, foreign_key="batch_rule_sets.id", max_length=40)
    number: int = Field(primary_key=True)
    tenant: str = Field(foreign_key="tenants.code")
    body: dict[str, Any] = Field(sa_column=document())
    body_hash: str = Field(max_length=64)
    valid_from: date
    valid_to: date | None = None
    state: str = Field(max_length=12)  # RuleSetState
    expected: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    made_by: str = Field(max_length=40)
    made_by_person: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    decided_by_person: str | None = Field(default=None, max_length=40)
    reason_code: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchRuleTest(DataTable, table=True):
    """A version tried on a sample or beside another version on one cohort. Counts and minor units only."""

    __tablename__ = "batch_rule_tests"
    __table_args__ = (UniqueConstraint("rule_set", "number", "cohort", "against"),)
    id: str = Field(primary_key=True, max_length=40)  # brt_…
    tenant: str = Field(foreign_key="tenants.code")
    rule_set: str = Field(max_length=40)
    number: int
    cohort: str = Field(foreign_key="batch_cohorts.id")
    against: int = Field(default=0)  # the other version; 0: the expected hits
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    passed: bool
    at: datetime = Field(sa_column=instant())
