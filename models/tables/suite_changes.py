"""Changes of suite (密码算法切换): asked for by one person, confirmed by another, then done by a workflow."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant

_OPEN = text("state IN ('RUNNING', 'PAUSED', 'CANCELLING', 'STOPPED')")


class SuiteChange(DataTable, table=True):
    """What is sealed anew, for which suite, and how far it is. A tenant has at most one under way."""

    __tablename__ = "suite_changes"
    __table_args__ = (
        Index("uq_suite_changes_open", "tenant", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_suite_changes_tenant", "tenant", "id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # sch_…
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=16)  # models.domain.suite_changes.ChangeKind
    suite: str = Field(max_length=24)  # models.domain.suite_changes.SuiteName: under which everything is to lie
    subject_id: str | None = Field(default=None, foreign_key="subjects.id")  # whose key is renewed; None: everybody's
    old_version: int | None = None  # of that person's key, which is to go
    reason_code: str = Field(max_length=40)  # models.domain.suite_changes.ChangeReason
    shown_hash: str = Field(max_length=64)  # what the confirmer is bound to
    state: str = Field(max_length=16)  # models.domain.suite_changes.ChangeState
    phase: str | None = Field(default=None, max_length=16)  # models.domain.suite_changes.ChangePhase
    passes: int = Field(default=0)  # over all subjects
    reached: str = Field(default="", max_length=40)  # the last subject of this pass
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # cells, files, indexes, keys
    unopened: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())  # [{table, column, row}]
    scan: dict[str, Any] | None = Field(default=None, sa_column=document(nullable=True))  # the last one: counts, root
    proposed_by: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    proposed_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
