"""What two persons settle about the rules (规则台), append-only; and re-evaluations of the open cases."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class RuleDraft(DataTable, table=True):
    """A policy on the rules, or a year's bank calendar, as one person has drafted it. Never changed.

    What the other person is shown, and is bound to by its hash, is this row. Maker and checker stand in `four_eyes`.
    """

    __tablename__ = "rule_drafts"
    __table_args__ = (UniqueConstraint("tenant", "kind", "version"),)
    id: str = Field(primary_key=True, max_length=40)  # rdr_…
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=16)  # models.domain.rule_desk.DraftKind
    version: str = Field(max_length=40)
    valid_from: date  # first day of a policy; first day of a calendar's year
    definition: dict[str, Any] = Field(sa_column=document())
    shown_hash: str = Field(max_length=64, unique=True)
    drafted_by: str = Field(max_length=40)
    drafted_by_person: str = Field(max_length=40)
    drafted_at: datetime = Field(sa_column=instant())


class RuleDraftDecision(DataTable, table=True):
    """The second person's word on a draft: one for each draft, never changed, and never by who drafted it.

    `slot` is what only one approved draft may hold: the first day of a policy, so that a day has one policy for good;
    the place of a calendar in the order of its year (`2027/000001`), so that the last one is known.
    """

    __tablename__ = "rule_draft_decisions"
    __table_args__ = (
        UniqueConstraint("tenant", "kind", "slot"),
        CheckConstraint("decided_by_person <> drafted_by_person", name="two_persons"),
    )
    draft_id: str = Field(primary_key=True, foreign_key="rule_drafts.id", max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    kind: str = Field(max_length=16)
    slot: str | None = Field(default=None, max_length=40)  # None: rejected
    approved: bool
    drafted_by_person: str = Field(max_length=40)
    decided_by: str = Field(max_length=40)
    decided_by_person: str = Field(max_length=40)
    decided_at: datetime = Field(sa_column=instant())


class RuleReevaluation(DataTable, table=True):
    """One pass over the open cases with the rules as they are now; `cursor` is the last case that was asked."""

    __tablename__ = "rule_reevaluations"
    __table_args__ = (Index("ix_rule_reevaluations_tenant_created", "tenant", "created_at", "id"),)
    id: str = Field(primary_key=True, max_length=40)  # rrv_…
    tenant: str = Field(foreign_key="tenants.code")
    state: str = Field(max_length=16)  # models.domain.rule_desk.PassState
    rules_version: str = Field(max_length=80)  # rule set, and policy if there is one
    as_of: date
    policy_draft_id: str | None = Field(default=None, max_length=40)  # None: the policy in force on `as_of`
    with_tasks: bool
    total: int  # open cases when it began
    cursor: str = Field(default="", max_length=64)
    cases: int = Field(default=0)
    verdicts: int = Field(default=0)
    flips: int = Field(default=0)
    now_failing: int = Field(default=0)  # cases
    facts_changed: int = Field(default=0)  # answers that differ because of newer facts, not of the rules
    tasks_made: int = Field(default=0)
    failed_cases: int = Field(default=0)  # whose facts could not be read
    started_by: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class RuleFlip(DataTable, table=True):
    """One answer that differs from the one on record, because of the rules: case, gate, rule, before and after."""

    __tablename__ = "rule_flips"
    __table_args__ = (UniqueConstraint("reevaluation_id", "case_token", "gate", "rule_id"),)
    id: str = Field(primary_key=True, max_length=40)  # rfl_…
    tenant: str = Field(foreign_key="tenants.code")
    reevaluation_id: str = Field(foreign_key="rule_reevaluations.id")
    case_token: str = Field(foreign_key="installment_cases.token", max_length=64)
    gate: str = Field(max_length=40)
    rule_id: str = Field(max_length=24)
    verdict_id: str = Field(max_length=40)  # the one on record
    before: str = Field(max_length=16)
    before_severity: str = Field(max_length=8)
    after: str = Field(max_length=16)
    after_severity: str = Field(max_length=8)
    blocks_now: bool
    reason: str = Field(max_length=64)
    params: dict[str, Any] = Field(sa_column=document())
    task_id: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(sa_column=instant())
