"""Standing plans of batches (批量排期), and the dates that people have had made up for."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Index, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant

_STANDS: Final = text("state IN ('proposed', 'active')")


class BatchPlan(DataTable, table=True):
    """When runs of a kind begin by themselves; Temporal holds the clock, this row what is begun. Two persons.

    It is never changed: another one takes its place. Each run of it is approved as any other is.

    Attributes:
        criteria, settings, rule_set: as of a run; the version of the set in force on the date is bound.
        rhythm, month_day: `models.domain.batches.plans.Calendar`.
        hour: of the day in Shanghai at which the date is asked for.
        overlap: `Overlap`.
        catch_up_hours: how late a missed start is made up by itself.
        shown_hash: what its confirmation is bound to.
    """

    __tablename__ = "batch_plans"
    __table_args__ = (
        Index(
            "uq_batch_plans_name",
            "tenant",
            "name",
            unique=True,
            sqlite_where=_STANDS,
            postgresql_where=_STANDS,
        ),
    )
    id: str = Field(primary_key=True, max_length=40)  # bpl_…
    tenant: str = Field(foreign_key="tenants.code")
    name: str = Field(max_length=40)
    kind: str = Field(max_length=20)
    branch: str = Field(max_length=40)
    criteria: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    rule_set: str | None = Field(default=None, max_length=40)
    rhythm: str = Field(max_length=12)
    month_day: int | None = None
    hour: int
    overlap: str = Field(max_length=12)
    catch_up_hours: int
    state: str = Field(max_length=12)  # PlanState
    paused: bool = Field(default=False)
    shown_hash: str = Field(max_length=64)
    made_by: str = Field(max_length=40)
    made_by_person: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    decided_by_person: str | None = Field(default=None, max_length=40)
    reason_code: str | None = Field(default=None, max_length=40)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchBackfill(DataTable, table=True):
    """Dates that a person has had made up for (补跑), from first to last; a duty tells Temporal."""

    __tablename__ = "batch_backfills"
    id: str = Field(primary_key=True, max_length=40)  # bbf_…
    tenant: str = Field(foreign_key="tenants.code")
    plan: str = Field(foreign_key="batch_plans.id", index=True)
    first_date: date
    last_date: date
    asked_by: str = Field(max_length=40)
    asked_at: datetime = Field(sa_column=instant())
    sent_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
