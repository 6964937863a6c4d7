"""The shapes in which agreements in service are told. Amounts in minor units, rates in per cent as decimal strings."""

from datetime import date, datetime
from typing import Any

from api.bodies import Answer


class RepaymentAnswer(Answer):
    """How far the repayment is (还款进度), for staff and for the customer.

    `percent` is of the principal and reaches 100 only when all of it is repaid; `bar` is the same in twenty signs.
    """

    paid_rows: int
    rows: int
    percent: int
    bar: str
    text: str
    next_due: date | None
    next_amount_minor: int | None
    next_text: str | None
    owed_minor: int
    days_past_due: int
    status: str
    status_text: str


class AgreementRowAnswer(Answer):
    """One row with what is paid and waived of it."""

    no: int
    due: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    total_minor: int
    paid_minor: int
    waived_minor: int
    unpaid_minor: int
    state: str
    state_text: str


class AllocationAnswer(Answer):
    """Where a part of a payment went, and by which rule."""

    rule: str
    rule_text: str
    days_past_due: int
    component: str | None
    component_text: str
    row_no: int | None
    amount_minor: int


class AgreementEventAnswer(Answer):
    """One fact of the agreement's life; nothing is ever changed or taken away."""

    id: str
    seq: int
    kind: str
    kind_text: str
    value_date: date
    booked_on: date
    amount_minor: int
    channel: str | None
    target: str | None
    taken_back: bool
    allocation: list[AllocationAnswer]


class BalanceAnswer(Answer):
    """The balance of one account of the sub-ledger, debit positive."""

    account: str
    account_text: str
    amount_minor: int


class AgreementAnswer(Answer):
    """An agreement in service with its rows, events and balances, as of `asOf`."""

    id: str
    case_token: str
    version: int
    status: str
    status_text: str
    currency: str
    plan_hash: str
    principal_minor: int
    start: date
    signed_at: datetime
    activated_on: date | None
    as_of: date | None
    days_past_due: int
    oldest_unpaid_due: date | None
    owed_minor: int
    late_minor: int
    principal_left_minor: int
    credit_minor: int
    progress: RepaymentAnswer
    rows: list[AgreementRowAnswer]
    events: list[AgreementEventAnswer]
    credit_used: list[AllocationAnswer]
    ledger: list[BalanceAnswer]
    closed_on: date | None
    kept_until: date | None


class PlanRowAnswer(Answer):
    """One row of a plan."""

    no: int
    due: date
    principal_minor: int
    interest_minor: int
    fee_minor: int
    total_minor: int


class PlanNoteAnswer(Answer):
    """What a reader has to know beside the figures, or why the plan is not offered."""

    code: str
    text: str


class PlanChangeAnswer(Answer):
    """One field that differs from the same family's earlier version; `path` is a JSON pointer."""

    path: str
    old: Any
    new: Any


class PlanAnswer(Answer):
    """One plan of a round. `figures` null: it could not be offered, and `notes` says why.

    `changes` null: there is no earlier version of this family.
    """

    id: str
    family: str
    family_text: str
    kind: str
    convention: str | None
    hash: str | None
    intact: bool
    notes: list[PlanNoteAnswer]
    figures: dict[str, Any] | None
    rows: list[PlanRowAnswer]
    changes: list[PlanChangeAnswer] | None
    created_at: datetime


class PlanRoundAnswer(Answer):
    """The plans that were on the table together."""

    version: int
    plans: list[PlanAnswer]


class PlansAnswer(Answer):
    """All rounds of a case, newest first."""

    currency: str
    rounds: list[PlanRoundAnswer]


class QuoteItemAnswer(Answer):
    """One line of a quote; negative ones are money that the customer already gave."""

    code: str
    text: str
    amount_minor: int


class SettlementQuoteAnswer(Answer):
    """What settles an agreement on `asOf`. The items add up to `amountMinor - surplusMinor`."""

    id: str
    agreement_id: str
    as_of: date
    valid_until: date
    amount_minor: int
    surplus_minor: int
    spared_minor: int
    used_from: date
    used_days: int
    items: list[QuoteItemAnswer]
    text: str
    hash: str
    made_by: str
    created_at: datetime
    redeemed_by_event: str | None


class ReceiptAnswer(Answer):
    """Money in the books: where it went, and how the agreement stands after it."""

    event_id: str
    agreement_id: str
    case_token: str
    kind: str
    kind_text: str
    amount_minor: int
    value_date: date
    booked_on: date
    allocation: list[AllocationAnswer]
    status: str
    status_text: str
    days_past_due: int
    owed_minor: int
    principal_left_minor: int
    credit_minor: int


class PrepaymentOptionAnswer(Answer):
    """One way of a partial prepayment with every new row; `hash` is what a prepayment names."""

    choice: str
    choice_text: str
    hash: str
    saved_minor: int
    fewer_rows: int
    highest_minor: int
    last_due: date
    rows: list[PlanRowAnswer]


class PrepaymentOptionsAnswer(Answer):
    """Both ways side by side: `dueMinor` pays what is due first, `principalMinor` is prepaid."""

    agreement_id: str
    as_of: date
    amount_minor: int
    due_minor: int
    principal_minor: int
    options: list[PrepaymentOptionAnswer]


class AssignmentAnswer(Answer):
    """An assignment of money in suspense; `shownHash` is what the second person is bound to."""

    id: str
    agreement_id: str
    entry_id: str
    amount_minor: int
    value_date: date
    bank_reference: str
    reason_code: str
    reason_text: str
    state: str
    state_text: str
    shown_hash: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    booked_event_id: str | None


class ReversalAnswer(Answer):
    """A reversal; `shownHash` is what the second person is bound to."""

    id: str
    agreement_id: str
    event_id: str
    kind: str
    kind_text: str
    amount_minor: int
    value_date: date
    reason_code: str
    reason_text: str
    state: str
    state_text: str
    shown_hash: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    booked_event_id: str | None
