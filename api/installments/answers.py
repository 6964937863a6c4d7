"""The shapes in which installment cases are told. How they are filled: `api.installments.views`."""

from datetime import date, datetime
from typing import Any

from api.bodies import Answer
from api.parties.views import ConsentAnswer, MaskedSubjectAnswer


class TermsAnswer(Answer):
    """An amount in minor units over months; `concessionBps` is given up of the annual rate, basis points."""

    amount_minor: int
    term_months: int
    concession_bps: int | None = None


class FinancesAnswer(Answer):
    """What was declared; minor units."""

    total_due_minor: int
    monthly_income_minor: int
    essential_expense_minor: int
    other_debt_payment_minor: int
    dependants: int


class HardshipAnswer(Answer):
    """Why the customer cannot pay as agreed; the words are shown through a reveal only."""

    code: str
    text: str
    has_note: bool


class WorkingLineAnswer(Answer):
    """One line of the working; the lines add up to the capacity before its floor of zero."""

    code: str
    text: str
    amount_minor: int


class AffordabilityAnswer(Answer):
    """Repayment capacity (还款能力测算) with its working."""

    id: str
    capacity_minor: int
    rule_version: str
    working: list[WorkingLineAnswer]
    created_at: datetime


class BureauAnswer(Answer):
    """The figures of the newest credit report (征信)."""

    id: str
    source: str
    source_text: str
    open_accounts: int
    monthly_obligation_minor: int
    worst_days_past_due: int
    created_at: datetime


class ProposalAnswer(Answer):
    """The newest recommendation or counter-offer."""

    id: str
    version: int
    kind: str
    kind_text: str
    amount_minor: int
    term_months: int
    concession_bps: int
    created_at: datetime


class DocumentAnswer(Answer):
    """An uploaded file; `digest` is the sealed file's."""

    id: str
    kind: str
    kind_text: str
    media_type: str
    size_bytes: int
    digest: str
    added_by: str
    created_at: datetime


class VerdictAnswer(Answer):
    """What one rule said about the case, on which law it rests, and what was missing."""

    id: str
    rule: str
    title: str
    gate: str
    result: str
    result_text: str
    severity: str
    reason: str
    reason_text: str
    citation: str
    missing: list[str]
    as_of: date
    rule_set_version: str


class CaseTaskAnswer(Answer):
    """A question that is open."""

    id: str
    type: str
    title: str
    state: str
    candidate_role: str
    assignee: str | None
    due_at: datetime


class CaseDecisionAnswer(Answer):
    """A decision and what became of it; `decidedBy` null: the customer."""

    id: str
    task_id: str | None
    outcome: str
    outcome_text: str
    reason_code: str | None
    state: str
    state_text: str
    refusal: str | None
    decided_by: str | None
    created_at: datetime
    settled_at: datetime | None


class CaseSummaryAnswer(Answer):
    """A case in a list: no person, not even masked."""

    token: str
    version: int
    stage: str
    stage_text: str
    outcome: str | None
    outcome_text: str | None
    branch: str
    channel: str
    currency: str
    requested: TermsAnswer
    subject_id: str
    created_at: datetime
    updated_at: datetime


class CasePage(Answer):
    """Cases, newest first; `endCursor` is null on the last page."""

    items: list[CaseSummaryAnswer]
    end_cursor: str | None


class CreatedCaseAnswer(CaseSummaryAnswer):
    """A case as it was made: the same however often the request is sent again."""

    subject: MaskedSubjectAnswer
    finances: FinancesAnswer
    hardship: HardshipAnswer
    willing_to_repay: bool
    created_by: str


class CaseAnswer(CreatedCaseAnswer):
    """A case with all that lies in it."""

    reason_code: str | None
    granted: TermsAnswer | None
    affordability: AffordabilityAnswer | None
    bureau: BureauAnswer | None
    proposal: ProposalAnswer | None
    documents: list[DocumentAnswer]
    consents: list[ConsentAnswer]
    verdicts: list[VerdictAnswer]
    open_tasks: list[CaseTaskAnswer]
    decisions: list[CaseDecisionAnswer]
    pending_decision_id: str | None
    ended_at: datetime | None


class ContactAnswer(Answer):
    """An entry of the contact log; the words are shown through a reveal only."""

    id: str
    channel: str
    channel_text: str
    direction: str
    result_code: str
    result_text: str
    purpose: str | None
    role: str
    recorded: bool
    against: list[VerdictAnswer]
    has_note: bool
    by_staff: str
    at: datetime


class ContactCheckAnswer(Answer):
    """Whether a contact may be made now, and what each rule says of it."""

    allowed: bool
    verdicts: list[VerdictAnswer]


class ContactPage(Answer):
    """The contact log, oldest first."""

    items: list[ContactAnswer]
    end_cursor: str | None


class LimitationEventAnswer(Answer):
    """What interrupted limitation, on which day in Shanghai, and the record that proves it."""

    on: date
    kind: str
    record: str


class LimitationAnswer(Answer):
    """Every interruption of limitation (诉讼时效中断), oldest first."""

    items: list[LimitationEventAnswer]


class EventAnswer(Answer):
    """What was done to the case, when and by whom; identifiers, codes and amounts only."""

    id: str
    at: datetime
    action: str
    text: str
    actor: str
    facts: dict[str, Any]


class TimelinePage(Answer):
    """Events, oldest first."""

    items: list[EventAnswer]
    end_cursor: str | None
