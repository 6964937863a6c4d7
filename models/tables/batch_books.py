"""The books of batches: entries, money in suspense, disputes; reports, feedback, suggestions; schedules."""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed

_OPEN: Final = text("state = 'open'")


class BatchEntry(DataTable, table=True):
    """One leg of a booking; the legs of one `posting` add up to zero. Append-only. Minor units, debit positive.

    Orders of installment agreements are booked in `ledger_entries` by the daily run, and never here.
    """

    __tablename__ = "batch_entries"
    __table_args__ = (UniqueConstraint("posting", "leg"), Index("ix_batch_entries_order", "order_id"))
    id: str = Field(primary_key=True, max_length=40)  # ben_…, named by posting and leg
    tenant: str = Field(foreign_key="tenants.code")
    run: str | None = Field(default=None, foreign_key="batch_runs.token", index=True)
    order_id: str | None = Field(default=None, foreign_key="batch_orders.id")
    posting: str = Field(max_length=200)  # business key: `settled/<order>`, `returned/<order>`, `suspense/<reply>` …
    leg: int
    account: str = Field(max_length=24)  # clearing | funding | receivable | payable | suspense | refund
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(default="CNY", max_length=3)
    value_date: date
    at: datetime = Field(sa_column=instant())


class BatchSuspense(DataTable, table=True):
    """A line of the bank's that no order of a batch explains (暂收): a record task, two persons."""

    __tablename__ = "batch_suspense"
    id: str = Field(primary_key=True, max_length=40)  # bsu_…
    tenant: str = Field(foreign_key="tenants.code")
    run: str | None = Field(default=None, foreign_key="batch_runs.token", index=True)
    reply_id: str = Field(foreign_key="bank_replies.id", unique=True)
    amount_minor: int = Field(sa_type=BigInteger)
    code: str = Field(max_length=40)  # why nothing matched
    state: str = Field(max_length=12)  # SuspenseState
    order_id: str | None = Field(default=None, foreign_key="batch_orders.id", index=True)  # whose it turned out to be
    task_id: str | None = Field(default=None, max_length=40)
    proposed_by: str | None = Field(default=None, max_length=40)
    proposed_by_person: str | None = Field(default=None, max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    opened_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchDispute(DataTable, table=True):
    """A customer contests an order (争议); the mandate is stopped in the same transaction. One is open of an order."""

    __tablename__ = "batch_disputes"
    __table_args__ = (
        Index("uq_batch_disputes_open", "order_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_batch_disputes_due", "tenant", "state", "due_at"),
    )
    id: str = Field(primary_key=True, max_length=40)  # bdi_…
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token", index=True)
    order_id: str = Field(foreign_key="batch_orders.id")
    subject_id: str = Field(max_length=40)
    mandate_id: str | None = Field(default=None, max_length=40)
    reason_code: str = Field(max_length=40)
    text_cell: bytes | None = Field(default=None, sa_column=sealed())
    state: str = Field(max_length=12)  # DisputeState
    refund_minor: int = Field(default=0, sa_type=BigInteger)
    interest_minor: int = Field(default=0, sa_type=BigInteger)  # CBL-73, where the bank was at fault
    task_id: str | None = Field(default=None, max_length=40)
    due_at: datetime = Field(sa_column=instant())
    opened_by: str = Field(max_length=40)
    opened_at: datetime = Field(sa_column=instant())
    decided_by: str | None = Field(default=None, max_length=40)
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchReport(DataTable, table=True):
    """The report of a run. Equal facts need no second one.

    Attributes:
        id: also the subject under whose key its papers are sealed: a report is about no customer.
        body: figures and tables in their one spelling; no personal data.
    """

    __tablename__ = "batch_reports"
    __table_args__ = (UniqueConstraint("run", "fingerprint"),)
    id: str = Field(primary_key=True, max_length=40)  # brp_…, named by run and fingerprint
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token")
    fingerprint: str = Field(max_length=64)
    body: dict[str, Any] = Field(sa_column=document())
    made_at: datetime = Field(sa_column=instant())


class BatchPaper(DataTable, table=True):
    """One paper of a report in one language and form."""

    __tablename__ = "batch_papers"
    __table_args__ = (UniqueConstraint("report", "locale", "form"),)
    id: str = Field(primary_key=True, max_length=40)  # bpp_…, named by report, locale and form
    tenant: str = Field(foreign_key="tenants.code")
    report: str = Field(foreign_key="batch_reports.id")
    locale: str = Field(max_length=8)
    form: str = Field(max_length=8)  # html | pdf | json
    content_cell: bytes = Field(sa_column=sealed(nullable=False))
    digest: str = Field(max_length=64)


class BatchFeedback(DataTable, table=True):
    """What a customer or a colleague says of a run, linked to the version of the rules that it ran under."""

    __tablename__ = "batch_feedback"
    id: str = Field(primary_key=True, max_length=40)  # bfb_…
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token", index=True)
    rule_version: str | None = Field(default=None, max_length=48)
    order_id: str | None = Field(default=None, max_length=40)
    origin: str = Field(max_length=8)  # customer | staff
    subject_id: str = Field(max_length=40)  # the customer, or of staff the row's own id: whose key seals the words
    topic: str = Field(max_length=40)
    score: int | None = None  # 1 to 5
    text_cell: bytes | None = Field(default=None, sa_column=sealed())
    given_by: str = Field(max_length=40)
    at: datetime = Field(sa_column=instant())


class BatchSuggestion(DataTable, table=True):
    """A change of rules that results or feedback suggest; a person decides, and nothing changes by itself."""

    __tablename__ = "batch_suggestions"
    __table_args__ = (UniqueConstraint("run", "code"),)
    id: str = Field(primary_key=True, max_length=40)  # bsg_…
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token")
    rule_version: str | None = Field(default=None, max_length=48)
    code: str = Field(max_length=40)
    basis: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # the figures that it rests on
    change: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    state: str = Field(max_length=12)  # SuggestionState
    task_id: str | None = Field(default=None, max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    draft_version: str | None = Field(default=None, max_length=48)  # what became of it
    made_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
