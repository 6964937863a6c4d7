"""The inbox: tasks, their comments, decisions, and the two persons behind each subject (四眼)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed

_OPEN = text("state IN ('READY', 'CLAIMED', 'DECIDING')")
_SEEN_BY = ("candidate_role", "branch", "type", "state", "assignee")


def _open_index(name: str, *columns: Any) -> Index:
    """An index over open tasks of a tenant."""
    return Index(name, "tenant", *columns, sqlite_where=_OPEN, postgresql_where=_OPEN)


class Task(DataTable, table=True):
    """One question to a person. The whole list row stands here; `(epoch, seq)` fences the workflow's writes."""

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("workflow_id", "task_no"),
        # The inbox in its orders. Partial, so that a million done tasks cost nothing; behind the order stand the
        # columns of visibility and of the common filters, so that rows of others are passed over without being read.
        _open_index("ix_tasks_open_order", text("priority DESC"), "due_at", "id", *_SEEN_BY),
        _open_index("ix_tasks_open_due", "due_at", "id", *_SEEN_BY, "amount_minor", "created_at"),
        _open_index("ix_tasks_open_created", "created_at", "id", *_SEEN_BY),
        _open_index("ix_tasks_open_amount", text("coalesce(amount_minor, -1)"), "id", *_SEEN_BY),
        # Facets: one pass in the order of their groups, answered from the index alone whatever is filtered.
        _open_index("ix_tasks_open_facets", *_SEEN_BY, "due_at", "amount_minor", "created_at"),
        Index("ix_tasks_case", "case_token"),
        Index("ix_tasks_tenant_created", "tenant", "created_at", "id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tsk_…
    tenant: str = Field(foreign_key="tenants.code")
    workflow_id: str = Field(max_length=120)
    task_no: int
    case_token: str | None = Field(default=None, max_length=64)
    type: str = Field(max_length=40)
    state: str = Field(max_length=16)
    candidate_role: str = Field(max_length=40)
    branch: str = Field(max_length=40)
    priority: int = Field(default=50)  # 0 … 100, higher first
    due_at: datetime = Field(sa_column=instant())
    assignee: str | None = Field(default=None, max_length=40)
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = Field(default=None, max_length=3)
    title_params: dict[str, str | int] = Field(default_factory=dict, sa_column=document())
    shown: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # facts a decision is about
    shown_hash: str = Field(max_length=64)  # SHA-256 over the canonical JSON of `shown`
    blocked: list[dict[str, Any]] = Field(default_factory=list, sa_column=document())  # [{outcome, rule, verdict}]
    excluded_persons: list[str] = Field(default_factory=list, sa_column=document())  # makers, for a checker's task
    return_reason: str | None = Field(default=None, max_length=40)  # why the last decision came back
    pending_decision_id: str | None = Field(default=None, max_length=40)
    resume_state: str | None = Field(default=None, max_length=16)  # where a refused decision returns to
    epoch: int = Field(default=0)
    seq: int = Field(default=0)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    closed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class TaskComment(DataTable, table=True):
    """A remark on a task, append-only; the words are sealed under the case's subject."""

    __tablename__ = "task_comments"
    id: str = Field(primary_key=True, max_length=40)  # cmt_…
    tenant: str = Field(foreign_key="tenants.code")
    task_id: str = Field(foreign_key="tasks.id", index=True)
    author: str = Field(max_length=40)
    text_cell: bytes = Field(sa_column=sealed(nullable=False))
    created_at: datetime = Field(sa_column=instant())


class Decision(DataTable, table=True):
    """What a person decided, before and after the workflow's word. `id` is a UUIDv7 and the Update's id."""

    __tablename__ = "decisions"
    id: str = Field(primary_key=True, max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    workflow_id: str = Field(max_length=120, index=True)
    case_token: str | None = Field(default=None, max_length=64, index=True)
    task_id: str | None = Field(default=None, foreign_key="tasks.id", index=True)  # None: on the case itself
    outcome: str = Field(max_length=24)
    reason_code: str | None = Field(default=None, max_length=40)
    note_cell: bytes | None = Field(default=None, sa_column=sealed())
    form: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # amounts, terms and codes only
    shown_hash: str | None = Field(default=None, max_length=64)
    staff_id: str | None = Field(default=None, max_length=40)  # None: the customer through a link
    person_id: str | None = Field(default=None, max_length=40)
    state: str = Field(max_length=16)
    refusal: str | None = Field(default=None, max_length=40)
    created_at: datetime = Field(sa_column=instant())
    settled_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class FourEyes(DataTable, table=True):
    """Maker and checker rows of one subject: the hash of what was shown. The fourth layer of four-eyes."""

    __tablename__ = "four_eyes"
    __table_args__ = (UniqueConstraint("subject", "person_id"),)
    id: str = Field(primary_key=True, max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    subject: str = Field(max_length=64)
    person_id: str = Field(max_length=40)
    side: str = Field(max_length=8)  # maker | checker
    decision_id: str | None = Field(default=None, max_length=40, index=True)
    created_at: datetime = Field(sa_column=instant())


class RunRegistration(DataTable, table=True):
    """The serial of each run of a workflow: its epoch. A write of an older run is a no-op."""

    __tablename__ = "run_registrations"
    __table_args__ = (UniqueConstraint("workflow_id", "epoch"),)
    workflow_id: str = Field(primary_key=True, max_length=120)
    run_id: str = Field(primary_key=True, max_length=64)
    epoch: int
    created_at: datetime = Field(sa_column=instant())
