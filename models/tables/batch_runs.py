"""Runs of batches (批量业务): the run, its chunks, its orders with one end each, and what was expected of them.

An order of the daily run is an order here and a `debit_orders` row there: that row takes the money, this one accounts
for it. Orders of every other run take it themselves. Nothing here tells who somebody is.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field

from models.tables.base import DataTable, document, instant

_OPEN: Final = text("final_state IS NULL")
_DAILY: Final = text("origin = 'daily'")


class BatchRun(DataTable, table=True):
    """One run. `(epoch, seq)` fences the writes of its workflow.

    Attributes:
        origin: who began it (`models.domain.batches.kinds.Origin`).
        request_key: by which the same wish is one run: of a schedule `<schedule>/<time>`, of the daily run
            `daily/<date>`, of a client's file its digest, of staff the idempotency key.
        settings: `models.domain.batches.settings.RunSettings`; part of what is approved.
        rule_version: `<set>/<number>` that it is bound to, once bound.
        shown_hash: over cohort, rules, rehearsal and settings: what the approval is bound to.
        tripped: which breaker has stopped it, until a person has it go on.
        counts: figures of what is done, by stage.
    """

    __tablename__ = "batch_runs"
    __table_args__ = (
        UniqueConstraint("tenant", "request_key"),
        Index("ix_batch_runs_tenant_created", "tenant", "created_at", "token"),
        Index(
            "uq_batch_runs_daily",
            "tenant",
            "business_date",
            unique=True,
            sqlite_where=_DAILY,
            postgresql_where=_DAILY,
        ),
    )
    token: str = Field(primary_key=True, max_length=64)  # <tenant>.<26>
    tenant: str = Field(foreign_key="tenants.code")
    branch: str = Field(max_length=40)
    kind: str = Field(max_length=20)
    origin: str = Field(max_length=12)
    source: str = Field(max_length=8)  # MemberSource
    request_key: str = Field(max_length=160)
    business_date: date
    client: str | None = Field(default=None, foreign_key="batch_clients.id")
    funding_account: str | None = Field(default=None, foreign_key="funding_accounts.id")
    revision: int = Field(default=1)  # grows when the approval sends it back
    criteria: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    rule_set: str | None = Field(default=None, max_length=40)
    rule_version: str | None = Field(default=None, max_length=48)
    rehearsal_hash: str | None = Field(default=None, max_length=64)
    shown_hash: str | None = Field(default=None, max_length=64)
    stage: str = Field(max_length=16)  # RunStage
    outcome: str | None = Field(default=None, max_length=12)
    reason_code: str | None = Field(default=None, max_length=40)
    tripped: str | None = Field(default=None, max_length=24)
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    paused_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    cancel_asked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_by: str = Field(max_length=40)
    created_by_person: str = Field(max_length=40)
    epoch: int = Field(default=0)
    seq: int = Field(default=0)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchChunk(DataTable, table=True):
    """Rows of a run that are executed as one, under a lease: who holds it works, whoever finds it lapsed takes it."""

    __tablename__ = "batch_chunks"
    run: str = Field(primary_key=True, foreign_key="batch_runs.token", max_length=64)
    number: int = Field(primary_key=True)  # from 1
    tenant: str = Field(foreign_key="tenants.code")
    first_member: int = Field(sa_type=BigInteger)
    last_member: int = Field(sa_type=BigInteger)
    state: str = Field(max_length=8)  # ChunkState
    holder: str | None = Field(default=None, max_length=64)
    lease_until: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    fence: int = Field(default=0)  # grows with each lease; a write under an older one is refused
    orders: int = Field(default=0)
    barred: int = Field(default=0)
    amount_minor: int = Field(default=0, sa_type=BigInteger)
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class BatchOrder(DataTable, table=True):
    """One order (指令), or the reason why there is none. It has one end, written once (trigger).

    Attributes:
        attempt: presentment of the row, from 1; each is an order of its own, with an end of its own.
        policy: of retries, frozen when the order is made.
        debit_order: the row of the daily run that takes the money; None: this order does.
        file_id: which bank file carries it.
        final_state: `FinalState`; None: open. Of a claim one order is open at a time.
    """

    __tablename__ = "batch_orders"
    __table_args__ = (
        UniqueConstraint("run", "member", "attempt"),
        Index(
            "uq_batch_orders_claim",
            "tenant",
            "claim_key",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index("ix_batch_orders_state", "run", "state", "member"),
        Index("ix_batch_orders_file", "file_id"),
        Index("ix_batch_orders_due", "tenant", "next_try_on"),
        # Asked for each chunk: what was done about these claims, and what is taken under these mandates on a day.
        Index("ix_batch_orders_claim", "tenant", "claim_key"),
        Index("ix_batch_orders_mandate", "mandate_id", "requested_on"),
    )
    id: str = Field(primary_key=True, max_length=40)  # bor_…, named by run, member and attempt
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token")
    member: int = Field(sa_type=BigInteger)
    attempt: int = Field(default=1)
    claim_key: str = Field(max_length=120)
    subject_id: str = Field(max_length=40)
    end_to_end_id: str | None = Field(default=None, unique=True, max_length=35)
    amount_minor: int = Field(sa_type=BigInteger)
    currency: str = Field(default="CNY", max_length=3)
    mandate_id: str | None = Field(default=None, max_length=40)
    debit_order: str | None = Field(default=None, foreign_key="debit_orders.id", unique=True)
    file_id: str | None = Field(default=None, foreign_key="bank_files.id")
    state: str = Field(max_length=12)  # OrderState
    reason_code: str | None = Field(default=None, max_length=40)  # ISO 20022, or OrderReason
    rule_id: str | None = Field(default=None, max_length=24)
    policy_version: str = Field(max_length=40)
    policy: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    requested_on: date
    settled_on: date | None = None
    next_try_on: date | None = None
    case_token: str | None = Field(default=None, max_length=64)  # of intake: the case that the row became
    final_state: str | None = Field(default=None, max_length=12)
    final_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())


class BatchOutcome(DataTable, table=True):
    """Each change of an order's state, by its cause; append-only. A repeated cause changes nothing.

    Attributes:
        cause: `order/<id>`, `file/<file>`, `reply/<business key of the line>`, `decision/<id>`, `return-term/<date>`.
    """

    __tablename__ = "batch_outcomes"
    __table_args__ = (UniqueConstraint("order_id", "cause"),)
    id: str = Field(primary_key=True, max_length=40)  # bou_…, named by order and cause
    tenant: str = Field(foreign_key="tenants.code")
    run: str = Field(foreign_key="batch_runs.token", index=True)
    order_id: str = Field(foreign_key="batch_orders.id")
    cause: str = Field(max_length=200)
    state: str = Field(max_length=12)
    reason_code: str | None = Field(default=None, max_length=40)
    at: datetime = Field(sa_column=instant())


class BatchRehearsal(DataTable, table=True):
    """What one row was expected to come to (试运行), and after the live run why it came to something else."""

    __tablename__ = "batch_rehearsals"
    run: str = Field(primary_key=True, foreign_key="batch_runs.token", max_length=64)
    revision: int = Field(primary_key=True)
    member: int = Field(primary_key=True, sa_type=BigInteger)
    tenant: str = Field(foreign_key="tenants.code")
    state: str = Field(max_length=12)  # OrderState that was expected: queued or barred
    amount_minor: int = Field(sa_type=BigInteger)
    reason_code: str | None = Field(default=None, max_length=40)
    rule_id: str | None = Field(default=None, max_length=24)
    difference: str | None = Field(default=None, max_length=40)  # a code; None: none, or not compared yet
    compared_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
