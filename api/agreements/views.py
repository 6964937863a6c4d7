"""How an agreement, a receipt, a quote and a reversal are told, with words in the reader's language."""

from collections.abc import Iterable
from datetime import date

from sqlmodel import Session

from api.agreements.answers import (
    AgreementAnswer,
    AgreementEventAnswer,
    AgreementRowAnswer,
    AllocationAnswer,
    AssignmentAnswer,
    BalanceAnswer,
    QuoteItemAnswer,
    ReceiptAnswer,
    ReversalAnswer,
    SettlementQuoteAnswer,
)
from api.agreements.progress import progress_of, row_paid, row_total, row_waived, unpaid_of
from api.wording import worded
from models.domain.servicing.allocation import AllocationLine
from models.domain.servicing.fold import explain
from models.domain.servicing.stored import terms_from_json
from models.operations.folding import events_of
from models.queries.agreements import events_of_agreement, rows_of_agreement
from models.queries.servicing import ledger_balances
from models.tables.agreements import Agreement, AgreementEvent, AgreementRow, SettlementQuote
from models.tables.reversals import Reversal
from models.tables.suspense import SuspenseAssignment


def agreement_answer(session: Session, agreement: Agreement, *, locale: str) -> AgreementAnswer:
    """The whole agreement."""
    rows, events = rows_of_agreement(session, agreement.id), events_of_agreement(session, agreement.id)
    lines = explained(session, agreement)
    gone = {event.target for event in events if event.target is not None}
    as_of = agreement.folded_to or agreement.start
    return AgreementAnswer(
        id=agreement.id,
        case_token=agreement.case_token,
        version=agreement.version,
        status=agreement.status,
        status_text=worded(f"agreement-status.{agreement.status}", locale),
        currency=agreement.currency,
        plan_hash=agreement.plan_hash,
        principal_minor=agreement.principal_minor,
        start=agreement.start,
        signed_at=agreement.signed_at,
        activated_on=agreement.activated_on,
        as_of=agreement.folded_to,
        days_past_due=agreement.days_past_due,
        oldest_unpaid_due=agreement.oldest_unpaid_due,
        owed_minor=agreement.owed_minor,
        late_minor=agreement.late_minor,
        principal_left_minor=agreement.principal_left_minor,
        credit_minor=agreement.credit_minor,
        progress=progress_of(agreement, rows, locale=locale),
        rows=[_row(row, as_of=as_of, locale=locale) for row in rows],
        events=[_event(event, lines.get(event.id, []), taken_back=event.id in gone, locale=locale) for event in events],
        credit_used=allocation_answers(lines.get("", []), locale=locale),
        ledger=[
            BalanceAnswer(
                account=account, account_text=worded(f"ledger-account.{account}", locale), amount_minor=amount
            )
            for account, amount in ledger_balances(session, agreement.id)
        ],
        closed_on=agreement.closed_on,
        kept_until=agreement.kept_until,
    )


def explained(session: Session, agreement: Agreement) -> dict[str, list[AllocationLine]]:
    """Why each cent went where it went, by event; under an empty id the uses of waiting credit."""
    as_of = agreement.folded_to or agreement.start
    found: dict[str, list[AllocationLine]] = {}
    for line in explain(terms_from_json(agreement.terms), events_of(session, agreement.id), as_of):
        found.setdefault(line.event_id, []).append(line)
    return found


def allocation_answers(lines: Iterable[AllocationLine], *, locale: str) -> list[AllocationAnswer]:
    """The explanation of one payment."""
    return [
        AllocationAnswer(
            rule=line.rule,
            rule_text=worded(f"allocation-rule.{line.rule}", locale, {"days": line.days_past_due}),
            days_past_due=line.days_past_due,
            component=line.component.value if line.component is not None else None,
            component_text=worded(f"debt-component.{line.component or 'credit'}", locale),
            row_no=line.row_no,
            amount_minor=line.amount_minor,
        )
        for line in lines
    ]


def receipt_answer(session: Session, event_id: str, *, locale: str) -> ReceiptAnswer:
    """What became of money; the agreement as it stands now."""
    event = session.get_one(AgreementEvent, event_id)
    agreement = session.get_one(Agreement, event.agreement_id)
    return ReceiptAnswer(
        event_id=event.id,
        agreement_id=agreement.id,
        case_token=agreement.case_token,
        kind=event.kind,
        kind_text=worded(f"agreement-event.{event.kind}", locale),
        amount_minor=event.amount_minor,
        value_date=event.value_date,
        booked_on=event.booked_on,
        allocation=allocation_answers(explained(session, agreement).get(event.id, []), locale=locale),
        status=agreement.status,
        status_text=worded(f"agreement-status.{agreement.status}", locale),
        days_past_due=agreement.days_past_due,
        owed_minor=agreement.owed_minor,
        principal_left_minor=agreement.principal_left_minor,
        credit_minor=agreement.credit_minor,
    )


def quote_answer(quote: SettlementQuote, *, currency: str, locale: str) -> SettlementQuoteAnswer:
    """A stored quote, itemised."""
    told = {"asOf": quote.as_of.isoformat(), "amount": quote.total_minor, "validUntil": quote.valid_until.isoformat()}
    return SettlementQuoteAnswer(
        id=quote.id,
        agreement_id=quote.agreement_id,
        as_of=quote.as_of,
        valid_until=quote.valid_until,
        amount_minor=quote.total_minor,
        surplus_minor=quote.facts["surplusMinor"],
        spared_minor=quote.facts["sparedMinor"],
        used_from=date.fromisoformat(quote.facts["usedFrom"]),
        used_days=quote.facts["usedDays"],
        items=[
            QuoteItemAnswer(
                code=item["code"],
                text=worded(f"quote-item.{item['code']}", locale, {"days": quote.facts["usedDays"]}),
                amount_minor=item["amountMinor"],
            )
            for item in quote.items
        ],
        text=worded("settlement-quote.summary", locale, {**told, "currency": currency}),
        hash=quote.quote_hash,
        made_by=quote.made_by,
        created_at=quote.created_at,
        redeemed_by_event=quote.redeemed_by_event,
    )


def reversal_answer(row: Reversal, *, locale: str) -> ReversalAnswer:
    """A reversal, waiting or decided."""
    return ReversalAnswer(
        id=row.id,
        agreement_id=row.agreement_id,
        event_id=row.event_id,
        kind=row.kind,
        kind_text=worded(f"agreement-event.{row.kind}", locale),
        amount_minor=row.amount_minor,
        value_date=row.value_date,
        reason_code=row.reason_code,
        reason_text=worded(f"reversal-reason.{row.reason_code}", locale),
        state=row.state,
        state_text=worded(f"state.{row.state}", locale),
        shown_hash=row.shown_hash,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        booked_event_id=row.booked_event_id,
    )


def assignment_answer(row: SuspenseAssignment, *, locale: str) -> AssignmentAnswer:
    """An assignment of money in suspense, waiting or decided."""
    return AssignmentAnswer(
        id=row.id,
        agreement_id=row.agreement_id,
        entry_id=row.reply_id,
        amount_minor=row.amount_minor,
        value_date=row.value_date,
        bank_reference=row.bank_reference,
        reason_code=row.reason_code,
        reason_text=worded(f"assignment-reason.{row.reason_code}", locale),
        state=row.state,
        state_text=worded(f"state.{row.state}", locale),
        shown_hash=row.shown_hash,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        booked_event_id=row.booked_event_id,
    )


def _row(row: AgreementRow, *, as_of: date, locale: str) -> AgreementRowAnswer:
    state = _row_state(row, as_of)
    return AgreementRowAnswer(
        no=row.no,
        due=row.due,
        principal_minor=row.principal_minor,
        interest_minor=row.interest_minor,
        fee_minor=row.fee_minor,
        total_minor=row_total(row),
        paid_minor=row_paid(row),
        waived_minor=row_waived(row),
        unpaid_minor=unpaid_of(row),
        state=state,
        state_text=worded(f"agreement-row.{state}", locale),
    )


def _row_state(row: AgreementRow, as_of: date) -> str:
    if unpaid_of(row) == 0:
        return "paid"
    if row.due < as_of:
        return "overdue"
    return "due" if row.due == as_of else "coming"


def _event(
    event: AgreementEvent, lines: list[AllocationLine], *, taken_back: bool, locale: str
) -> AgreementEventAnswer:
    return AgreementEventAnswer(
        id=event.id,
        seq=event.seq,
        kind=event.kind,
        kind_text=worded(f"agreement-event.{event.kind}", locale),
        value_date=event.value_date,
        booked_on=event.booked_on,
        amount_minor=event.amount_minor,
        channel=event.params.get("channel"),
        target=event.target,
        taken_back=taken_back,
        allocation=allocation_answers(lines, locale=locale),
    )
