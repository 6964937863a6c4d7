"""Installment cases (个性化分期): case, contacts, documents, credit report, affordability, proposals, verdicts."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant, sealed


class InstallmentCase(DataTable, table=True):
    """One case. `(epoch, seq)` fences writes of its workflow; amounts are minor units beside a subject token."""

    __tablename__ = "installment_cases"
    __table_args__ = (
        Index("ix_installment_cases_tenant_created", "tenant", "created_at", "token"),
        Index("ix_installment_cases_tenant_stage", "tenant", "stage"),
    )
    token: str = Field(primary_key=True, max_length=64)
    tenant: str = Field(foreign_key="tenants.code")
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    branch: str = Field(max_length=40)
    channel: str = Field(max_length=16)  # staff | link
    stage: str = Field(max_length=24)
    outcome: str | None = Field(default=None, max_length=16)
    reason_code: str | None = Field(default=None, max_length=40)  # why it ended so
    currency: str = Field(default="CNY", max_length=3)
    total_due_minor: int = Field(sa_type=BigInteger)  # the whole debt on the card (欠款总额)
    requested_amount_minor: int = Field(sa_type=BigInteger)
    requested_term_months: int
    monthly_income_minor: int = Field(sa_type=BigInteger)
    essential_expense_minor: int = Field(sa_type=BigInteger)  # a month's necessary living cost
    other_debt_payment_minor: int = Field(sa_type=BigInteger)  # a month's payments on other debts
    dependants: int
    hardship_code: str = Field(max_length=32)  # unemployment | illness | disaster | business-failure | other
    willing_to_repay: bool
    hardship_note_cell: bytes | None = Field(default=None, sa_column=sealed())
    granted_amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    granted_term_months: int | None = Field(default=None)
    granted_concession_bps: int | None = Field(default=None)
    created_by: str = Field(max_length=40)  # staff id, or link id
    created_by_person: str | None = Field(default=None, max_length=40)  # None: the customer
    pending_decision_id: str | None = Field(default=None, max_length=40)  # a withdrawal under way
    epoch: int = Field(default=0)
    seq: int = Field(default=0)
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())
    updated_at: datetime = Field(sa_column=instant())
    ended_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class CaseContact(DataTable, table=True):
    """A talk with the customer: when, by which channel, with what result; the words are sealed."""

    __tablename__ = "case_contacts"
    id: str = Field(primary_key=True, max_length=40)  # con_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    channel: str = Field(max_length=16)  # phone | visit | message | letter
    direction: str = Field(max_length=8)  # in | out
    result_code: str = Field(max_length=32)
    purpose: str | None = Field(default=None, max_length=24)  # models.domain.rule_words.ContactPurpose; None: a talk
    role: str = Field(default="debtor", max_length=16)  # models.domain.rule_words.ContactRole: who was contacted
    is_collection: bool = Field(default=False)  # 催收: about what is overdue; anything else is service
    recording_ref: str | None = Field(default=None, max_length=120)  # where the recording lies (录音编号)
    note_cell: bytes | None = Field(default=None, sa_column=sealed())
    by_staff: str = Field(max_length=40)
    at: datetime = Field(sa_column=instant())


class CaseDocument(DataTable, table=True):
    """An uploaded file, sealed under its subject's key; the name it came with is sealed too."""

    __tablename__ = "case_documents"
    id: str = Field(primary_key=True, max_length=40)  # doc_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    subject_id: str = Field(foreign_key="subjects.id", index=True)
    kind: str = Field(max_length=32)  # models.domain.application.DocumentKind
    media_type: str = Field(max_length=80)
    filename_cell: bytes | None = Field(default=None, sa_column=sealed())
    size_bytes: int
    digest: str = Field(max_length=64)  # SHA-256 of the sealed file: proves storage, says nothing of the content
    added_by: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())


class BureauReport(DataTable, table=True):
    """The answer of the credit bureau (征信) to one query; its text is sealed."""

    __tablename__ = "bureau_reports"
    id: str = Field(primary_key=True, max_length=40)  # bur_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    query_key: str = Field(unique=True, max_length=120)  # business key: a repeated query is one query
    consent_id: str | None = Field(default=None, max_length=40)  # None: entered by hand under four-eyes
    source: str = Field(max_length=16)  # bureau | mended
    open_accounts: int
    monthly_obligation_minor: int = Field(sa_type=BigInteger)
    worst_days_past_due: int
    report_cell: bytes | None = Field(default=None, sa_column=sealed())
    created_at: datetime = Field(sa_column=instant())


class AffordabilityAssessment(DataTable, table=True):
    """Repayment capacity with its working shown (还款能力测算)."""

    __tablename__ = "affordability_assessments"
    id: str = Field(primary_key=True, max_length=40)  # aff_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token", index=True)
    business_key: str = Field(unique=True, max_length=120)  # case and round
    rule_version: str = Field(max_length=40)
    capacity_minor: int = Field(sa_type=BigInteger)  # what is left a month, never negative
    working: list[dict[str, Any]] = Field(sa_column=document())  # the lines, in order
    created_at: datetime = Field(sa_column=instant())


class Proposal(DataTable, table=True):
    """What an assessor recommends; its hash is what the approver is shown and bound to."""

    __tablename__ = "proposals"
    __table_args__ = (UniqueConstraint("case_token", "version"),)
    id: str = Field(primary_key=True, max_length=40)  # prp_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(foreign_key="installment_cases.token")
    version: int
    kind: str = Field(max_length=16)  # recommendation | counter-offer | chosen-plan
    amount_minor: int = Field(sa_type=BigInteger)
    term_months: int
    concession_bps: int
    offer_id: str | None = Field(default=None, max_length=40)  # of a chosen plan
    decision_id: str = Field(unique=True, max_length=40)  # the decision that made it
    made_by_person: str = Field(max_length=40)
    created_at: datetime = Field(sa_column=instant())


class RuleVerdict(DataTable, table=True):
    """The answer of one rule at one gate of one case (合规判定)."""

    __tablename__ = "rule_verdicts"
    __table_args__ = (UniqueConstraint("gate_key", "rule_id"),)
    id: str = Field(primary_key=True, max_length=40)  # vrd_…
    tenant: str = Field(foreign_key="tenants.code")
    case_token: str = Field(max_length=64, index=True)
    gate: str = Field(max_length=40)
    gate_key: str = Field(max_length=120)  # case, gate and round: evaluated once each
    rule_id: str = Field(max_length=24)
    rule_set_version: str = Field(max_length=40)
    result: str = Field(max_length=16)  # PASS | FAIL | NOT_APPLICABLE | UNKNOWN
    severity: str = Field(max_length=8)  # BLOCK | WARN
    reason: str = Field(max_length=64)  # code of the text that explains it
    missing: list[str] = Field(sa_column=document())
    params: dict[str, Any] = Field(sa_column=document())
    inputs_hash: str = Field(max_length=64)
    as_of: date
    evaluated_at: datetime = Field(sa_column=instant())
