"""The business date and its daily run (日终), debit orders, files to and from the bank, and what did not go through."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class BusinessDate(DataTable, table=True):
    """The tenant's business date (会计日期): the only today that money knows."""

    __tablename__ = "business_dates"
    tenant: str = Field(primary_key=True, foreign_key="tenants.code")
    today: date
    version: int = Field(default=1)
    updated_at: datetime = Field(sa_column=instant())


class DailyRun(DataTable, table=True):
    """One run over one business date. `figures` has a member per step that has begun; `finished`, those that ended."""

    __tablename__ = "daily_runs"
    tenant: str = Field(primary_key=True, foreign_key="tenants.code")
    business_date: date = Field(primary_key=True)
    state: str = Field(max_length=16)  # RUNNING | DONE
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    started_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class DebitOrder(DataTable, table=True):
    """One try to take what is due (扣款指令). The business key lets each row be tried once at a time."""

    __tablename__ = "debit_orders"
    __table_args__ = (
        UniqueConstraint("agreement_id", "row_no", "attempt"),
        Index("ix_debit_orders_state", "tenant", "state", "requested_on"),
        Index("ix_debit_orders_account", "tenant", "account_index"),
        Index("ix_debit_orders_mandate", "mandate_id", "requested_on"),  # asked for each chunk of a batch
    )
    id: str = Field(primary_key=True, max_length=40)  # dbo_…
    tenant: str = Field(foreign_key="tenants.code")
    agreement_id: str = Field(foreign_key="agreements.id")
    mandate_id: str = Field(foreign_key="mandates.id")
    row_no: int
    attempt: int  # from 1
    end_to_end_id: str = Field(unique=True, max_length=35)
    amount_minor: int = Field(sa_type=BigInteger)
    requested_on: date
    state: str = Field(max_length=16)  # QUEUED | SENT | ACCEPTED | SETTLED | REJECTED | RETURNED | WITHDRAWN
    reason_code: str | None = Field(default=None, max_length=16)
    file_id: str | None = Field(default=None, foreign_key="bank_files.id", index=True)
    policy_version: str = Field(max_length=40)  # of retries, frozen when the order is made
    next_try_on: date | None = None
    event_id: str | None = Field(default=None, max_length=40)  # the payment that it became
    account_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))  # blind index
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())


class BankFile(DataTable, table=True):
    """A file of the exchange with the bank. Out: id, name and time are fixed here before the first byte is written."""

    __tablename__ = "bank_files"
    __table_args__ = (UniqueConstraint("tenant", "direction", "name"),)
    id: str = Field(primary_key=True, max_length=40)  # bkf_…
    tenant: str = Field(foreign_key="tenants.code")
    direction: str = Field(max_length=4)  # out | in
    kind: str = Field(max_length=24)  # pain.008, pain.002, camt.054, journal
    name: str = Field(max_length=120)
    message_id: str | None = Field(default=None, max_length=35, index=True)
    business_date: date
    state: str = Field(max_length=16)  # RESERVED | WRITTEN | SENT ; RECEIVED | TAKEN | QUARANTINED
    digest: str | None = Field(default=None, max_length=64)
    items: int = Field(default=0)
    total_minor: int = Field(default=0, sa_type=BigInteger)
    problem: str | None = Field(default=None, max_length=64)
    created_at: datetime = Field(sa_column=instant())


class BankReply(DataTable, table=True):
    """One line of the bank's answer, kept before anything follows from it. What matches no order goes to suspense."""

    __tablename__ = "bank_replies"
    __table_args__ = (
        Index("ix_bank_replies_state", "tenant", "state"),
        Index("ix_bank_replies_account", "tenant", "account_index"),
    )
    id: str = Field(primary_key=True, max_length=40)  # bkr_…
    tenant: str = Field(foreign_key="tenants.code")
    file_id: str = Field(foreign_key="bank_files.id", index=True)
    business_key: str = Field(unique=True, max_length=160)  # the bank's reference of the entry, and its status
    end_to_end_id: str | None = Field(default=None, max_length=35)
    original_message_id: str | None = Field(default=None, max_length=35)
    status: str = Field(max_length=16)
    reason_code: str | None = Field(default=None, max_length=16)
    amount_minor: int = Field(default=0, sa_type=BigInteger)
    value_date: date | None = None
    credit: bool | None = None  # of a booked entry: whether our account was credited
    account_index: bytes | None = Field(default=None, sa_column=Column(LargeBinary(32), nullable=True))  # the debtor's
    order_id: str | None = Field(default=None, max_length=40, index=True)
    state: str = Field(max_length=16)  # NEW | BOOKED | NOTED | SUSPENSE | ASSIGNED
    created_at: datetime = Field(sa_column=instant())


class DailyException(DataTable, table=True):
    """One thing that a step of the daily run could not do; the others went on (例外队列). Open, it stands here once."""

    __tablename__ = "daily_exceptions"
    __table_args__ = (
        UniqueConstraint("tenant", "business_date", "step", "target"),
        Index("ix_daily_exceptions_state", "tenant", "state", "business_date"),
        Index("ix_daily_exceptions_target", "tenant", "target"),
    )
    id: str = Field(primary_key=True, max_length=40)  # dex_…
    tenant: str = Field(foreign_key="tenants.code")
    business_date: date  # on which it came up first
    step: str = Field(max_length=40)
    target: str = Field(max_length=64)
    code: str = Field(max_length=40)
    state: str = Field(max_length=16)  # OPEN | RETRY | DONE | CLOSED
    tries: int = Field(default=1)
    rule_id: str | None = Field(default=None, max_length=24)  # which rule stands against it
    gate_key: str | None = Field(default=None, max_length=120)  # under which its verdicts are kept
    handled_by: str | None = Field(default=None, max_length=40)  # who asked for another try, or closed it
    close_code: str | None = Field(default=None, max_length=40)  # why it was closed
    created_at: datetime = Field(sa_column=instant())
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class Ticket(DataTable, table=True):
    """Something a customer asked for (工单), with a clock. `(epoch, seq)` fences its workflow's writes."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_open", "tenant", "state", "due_at"),
        Index("ix_tickets_created", "tenant", "created_at", "id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # tkt_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    kind: str = Field(max_length=32)  # models.domain.aftercare.clocks.TicketKind
    state: str = Field(max_length=16)  # OPEN | DONE
    stage: str = Field(default="handling", max_length=16)  # models.domain.states.TicketStage
    contact_id: str | None = Field(default=None, max_length=40)
    channel: str = Field(default="staff", max_length=8)  # staff | link
    text_cell: bytes | None = Field(default=None, sa_column=sealed())  # what the customer said
    due_at: datetime = Field(sa_column=instant())
    clock_version: str = Field(default="", max_length=16)
    extensions: int = Field(default=0)  # how often the clock was extended
    escalated_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # the clock had run out
    outcome: str | None = Field(default=None, max_length=16)  # models.domain.states.TicketOutcome
    reason_code: str | None = Field(default=None, max_length=40)
    answer_decision_id: str | None = Field(default=None, max_length=40)  # whose sealed words answer the customer
    opened_by: str = Field(max_length=40)
    opened_by_person: str | None = Field(default=None, max_length=40)  # None: the customer
    epoch: int = Field(default=0)
    seq: int = Field(default=0)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    done_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
