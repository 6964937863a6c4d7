"""Agreements in service (分期协议): plan offers, agreement, rows, append-only events, ledger, quotes, mandates.

The events are the truth; what is paid of each row and the figures of the agreement are folded from them
(`models.domain.servicing`) and kept beside them, so that what is owed today is one read however old the agreement is.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class PlanOffer(DataTable, table=True):
    """One plan put on the table (方案), frozen from the moment it is written; a counter-offer is a new version."""

    __tablename__ = "plan_offers"
    __table_args__ = (UniqueConstraint("case_token", "version", "family"),)
    id: str = Field(primary_key=True, max_length=40)  # plo_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token")
    version: int  # of the round of offers, from 1
    family: str = Field(max_length=32)  # models.domain.plans
    kind: str = Field(max_length=16)  # offer | counter-offer
    convention: str | None = Field(default=None, max_length=64)  # None: this family could not be offered
    reason_code: str | None = Field(default=None, max_length=40)  # why not
    terms: dict[str, Any] = Field(sa_column=document())  # what the plan was worked out from
    rows: list[list[Any]] = Field(sa_column=document())  # [no, due, principal, interest, fee], minor units
    figures: dict[str, Any] = Field(sa_column=document())
    plan_hash: str | None = Field(default=None, max_length=64)
    made_by_person: str | None = Field(default=None, max_length=40)  # None: worked out by itself
    created_at: datetime = Field(sa_column=instant())


class Mandate(DataTable, table=True):
    """A debit mandate (代扣授权): who may take what from which account until when. The account is sealed."""

    __tablename__ = "mandates"
    id: str = Field(primary_key=True, max_length=40)  # mdt_…
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    account_cell: bytes = Field(sa_column=sealed(nullable=False))
    holder_cell: bytes = Field(sa_column=sealed(nullable=False))
    bank_code: str | None = Field(default=None, max_length=35)  # CNAPS or BIC of the account's bank
    profile: str = Field(max_length=24)  # which bank profile its orders follow
    purpose: str = Field(max_length=40)
    account_kind: str = Field(default="settlement", max_length=16)  # models.domain.rule_words.AccountKind
    limit_minor: int = Field(sa_type=BigInteger)  # of one debit
    signed_on: date
    valid_to: date
    revoked_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    created_at: datetime = Field(sa_column=instant())


class Agreement(DataTable, table=True):
    """A signed agreement. The lower half is folded from its events and rewritten whenever one is booked."""

    __tablename__ = "agreements"
    __table_args__ = (
        # The daily run asks for what falls due and for what is overdue; both without reading the settled ones.
        Index("ix_agreements_next_due", "tenant", "next_due"),
        Index("ix_agreements_oldest_due", "tenant", "oldest_unpaid_due"),
        # After-care asks for what came into force, and what was closed, on one day.
        Index("ix_agreements_activated", "tenant", "activated_on"),
        Index("ix_agreements_closed", "tenant", "closed_on"),
    )
    id: str = Field(primary_key=True, max_length=40)  # agr_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", unique=True)
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    offer_id: str = Field(foreign_key="plan_offers.id")
    mandate_id: str | None = Field(default=None, foreign_key="mandates.id")
    plan_hash: str = Field(max_length=64)  # what was signed
    currency: str = Field(max_length=3)
    principal_minor: int = Field(sa_type=BigInteger)
    start: date
    terms: dict[str, Any] = Field(sa_column=document())  # models.domain.servicing.terms, spelt as JSON
    signed_at: datetime = Field(sa_column=instant())
    activated_on: date | None = None  # business date
    status: str = Field(max_length=16)
    next_due: date | None = None  # the earliest row that is not yet due
    oldest_unpaid_due: date | None = None  # from which days past due are counted
    days_past_due: int = Field(default=0)
    owed_minor: int = Field(default=0, sa_type=BigInteger)  # due and unpaid, late interest included
    late_minor: int = Field(default=0, sa_type=BigInteger)  # late interest owed
    principal_left_minor: int = Field(default=0, sa_type=BigInteger)
    credit_minor: int = Field(default=0, sa_type=BigInteger)  # paid too much
    snapshot: str | None = None  # models.domain.servicing.snapshot: the state from which the tail goes on
    checkpoint: str | None = None  # a state of days or weeks before it, for money that is valued before the snapshot
    folded_to: date | None = None  # the business date as of which this half holds
    told_days: int = Field(default=0)  # days past due as the case last heard of them; -1: it heard of its end
    last_seq: int = Field(default=0)  # of its events
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    closed_on: date | None = None
    kept_until: date | None = None  # the retention clock (保存期限), from the close


class AgreementRow(DataTable, table=True):
    """One row in service. What is due equals what was signed, or what a revision put in its place."""

    __tablename__ = "agreement_rows"
    __table_args__ = (Index("ix_agreement_rows_due", "tenant", "due"),)
    agreement_id: str = Field(primary_key=True, foreign_key="agreements.id", max_length=40)
    no: int = Field(primary_key=True)
    tenant: str = Field(foreign_key="tenants.code")
    due: date
    principal_minor: int = Field(sa_type=BigInteger)
    interest_minor: int = Field(sa_type=BigInteger)
    fee_minor: int = Field(sa_type=BigInteger)
    paid_principal_minor: int = Field(default=0, sa_type=BigInteger)
    paid_interest_minor: int = Field(default=0, sa_type=BigInteger)
    paid_fee_minor: int = Field(default=0, sa_type=BigInteger)
    waived_principal_minor: int = Field(default=0, sa_type=BigInteger)
    waived_interest_minor: int = Field(default=0, sa_type=BigInteger)
    waived_fee_minor: int = Field(default=0, sa_type=BigInteger)


class AgreementEvent(DataTable, table=True):
    """What happened to an agreement, append-only. `value_date` decides its effect, `booked_on` where it is posted."""

    __tablename__ = "agreement_events"
    __table_args__ = (UniqueConstraint("agreement_id", "seq"),)
    id: str = Field(primary_key=True, max_length=40)  # UUIDv7
    tenant: str = Field(foreign_key="tenants.code")
    agreement_id: str = Field(foreign_key="agreements.id")
    seq: int  # in order of arrival
    kind: str = Field(max_length=24)
    business_key: str = Field(unique=True, max_length=120)  # the same money never counts twice
    value_date: date
    booked_on: date  # business date
    amount_minor: int = Field(default=0, sa_type=BigInteger)
    target: str | None = Field(default=None, max_length=40)  # the event that a reversal takes back
    params: dict[str, Any] = Field(default_factory=dict, sa_column=document())
    created_at: datetime = Field(sa_column=instant())


class LedgerEntry(DataTable, table=True):
    """One side of a posting (分录), append-only: debits are positive, credits negative; a journal adds up to zero."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        CheckConstraint("amount_minor <> 0", name="not_zero"),
        Index("ix_ledger_entries_balance", "tenant", "booked_on", "account"),
        Index("ix_ledger_entries_agreement", "agreement_id"),
    )
    id: str = Field(primary_key=True, max_length=40)  # UUIDv7
    tenant: str = Field(foreign_key="tenants.code")
    agreement_id: str | None = Field(default=None, max_length=40)  # None: money of nobody yet, in suspense
    journal: str = Field(max_length=120)
    account: str = Field(max_length=32)
    amount_minor: int = Field(sa_type=BigInteger)
    booked_on: date
    created_at: datetime = Field(sa_column=instant())


class SettlementQuote(DataTable, table=True):
    """What settles an agreement on a day (结清试算); redeemed once, by its id."""

    __tablename__ = "settlement_quotes"
    id: str = Field(primary_key=True, max_length=40)  # quo_…
    tenant: str = Field(foreign_key="tenants.code")
    agreement_id: str = Field(foreign_key="agreements.id", index=True)
    as_of: date
    valid_until: date
    total_minor: int = Field(sa_type=BigInteger)
    items: list[dict[str, Any]] = Field(sa_column=document())
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=document())  # usedFrom, usedDays, sparedMinor
    quote_hash: str = Field(max_length=64)
    agreement_version: int  # a later booking makes the quote stale
    made_by: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())
    redeemed_by_event: str | None = Field(default=None, max_length=40)


class AgreementText(DataTable, table=True):
    """What was printed for signing: sealed documents, and the facts about their content that rules ask for.

    Agreement and cost statement stand in it twice: as they are read and signed through the link, and for paper.
    """

    __tablename__ = "agreement_texts"
    id: str = Field(primary_key=True, max_length=40)  # txt_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    business_key: str = Field(unique=True, max_length=120)  # case and round of signing
    plan_hash: str = Field(max_length=64)
    agreement_document_id: str = Field(foreign_key="case_documents.id")
    cost_document_id: str = Field(foreign_key="case_documents.id")
    paper_agreement_document_id: str | None = Field(default=None, foreign_key="case_documents.id")
    paper_cost_document_id: str | None = Field(default=None, foreign_key="case_documents.id")
    wording_version: str = Field(max_length=40)
    facts: dict[str, Any] = Field(sa_column=document())  # names and values of compliance.rules.installments.facts
    created_at: datetime = Field(sa_column=instant())


class DocumentReading(DataTable, table=True):
    """How long the customer read one of the documents before confirming it (强制阅读时长)."""

    __tablename__ = "document_readings"
    text_id: str = Field(primary_key=True, foreign_key="agreement_texts.id", max_length=40)
    document_id: str = Field(primary_key=True, foreign_key="case_documents.id", max_length=40)
    tenant: str = Field(foreign_key="tenants.code")
    opened_at: datetime = Field(sa_column=instant())  # by the customer, for the first time
    seconds: int | None = None  # as confirmed: what the page counted, at most what passed since it was opened
    confirmed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class Signature(DataTable, table=True):
    """A signing (签约): by one-time code or on paper, of which document, after how long a reading."""

    __tablename__ = "signatures"
    id: str = Field(primary_key=True, max_length=40)  # sig_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    subject_id: str = Field(foreign_key="subjects.id")
    method: str = Field(max_length=16)  # electronic | paper
    plan_hash: str = Field(max_length=64)
    text_id: str | None = Field(default=None, foreign_key="agreement_texts.id")  # what was signed
    paper_document_id: str | None = Field(default=None, max_length=40)  # the scan, where it was signed on paper
    reading_seconds: int | None = None
    cost_confirmed_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))
    code_id: str | None = Field(default=None, max_length=40)
    decision_id: str = Field(unique=True, max_length=40)
    signed_at: datetime = Field(sa_column=instant())
    sealed_document_id: str | None = Field(default=None, max_length=40)  # the sealed, archived file
