"""The facts about plan, signing, activation and close that rules ask for; a fact that is not on record is left out.

What a printed agreement says is not guessed here: whoever prints it keeps the facts of its content beside it
(`agreement_texts`). What follows from the product itself (no minimum payment, no payout) is read from the product
record under which the plan was made, so that a bank that sets it otherwise is judged by what it set.
"""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from sqlmodel import Session, col, func, select

from models.domain.aftercare.clocks import TicketKind
from models.domain.application import ConsentPurpose
from models.domain.assessments import MODEL_ACTIVITY
from models.domain.product import InstallmentProduct
from models.domain.rates.disclosure import RateMethod, headline, yearly_rates
from models.domain.rule_words import (
    AgreementStatus,
    ChangeKind,
    Confirmation,
    DataAfterClose,
    MandateStatus,
    PromptEvidence,
    SigningChannel,
)
from models.domain.servicing.first_paid import first_paid_at
from models.domain.servicing.stored import rows_from_json
from models.domain.shanghai import SHANGHAI, shanghai_date
from models.domain.states import Gate
from models.queries import agreements, cases
from models.queries.assessments import assessment_approved_at
from models.queries.contact_facts import on_record
from models.queries.core import core_state, debt_of, latest_balance
from models.queries.products import collection_policy_of, product_named, product_of
from models.tables.agreements import Agreement, AgreementText, Mandate, PlanOffer, Signature
from models.tables.daily import Ticket
from models.tables.installments import CaseContact, InstallmentCase, RuleVerdict
from models.tables.parties import Consent
from models.tables.tasks import Decision
from models.tables.tenants import Tenant
from models.texts.render import render

_PPM: Final = 1_000_000
_PER_CENT: Final = 100


def agreement_facts(session: Session, *, gate: Gate, case: InstallmentCase) -> dict[str, object]:
    """The facts for one of the later gates."""
    offer = _chosen(session, case.token)
    product = product_of(session, case.tenant)
    if offer is not None:  # judged by what it was made under, whatever is sold since
        product = product_named(session, case.tenant, version=offer.terms["product"])
    facts = _product_facts(product) | _age_facts(session, case, product)
    if offer is not None:
        facts |= _plan_facts(offer, product, signed_on=_signed_on(session, case.token))
        facts |= _debt_facts(session, case, principal_minor=offer.terms["principalMinor"])
    if gate is Gate.NEGOTIATION:
        return facts | _model_facts(session, case)
    text = agreements.latest_text(session, case_token=case.token)
    signature = agreements.signature_of_case(session, case_token=case.token)
    if text is not None:
        facts |= _from_json(text.facts) | {"agreement_installments": _plans_in(session, text)}
    if signature is not None:
        facts |= _signing_facts(session, case, signature, text)
    if gate in (Gate.ACTIVATION, Gate.CLOSE):
        facts |= _activation_facts(session, case, offer)
    if gate is Gate.CLOSE:
        facts |= _close_facts(session, case)
    return facts


def _chosen(session: Session, case_token: str) -> PlanOffer | None:
    proposal = cases.latest_proposal(session, case_token=case_token)
    return agreements.offer_by_id(session, proposal.offer_id) if proposal is not None and proposal.offer_id else None


def _signed_on(session: Session, case_token: str) -> date | None:
    signature = agreements.signature_of_case(session, case_token=case_token)
    return shanghai_date(signature.signed_at) if signature is not None else None


def _product_facts(product: InstallmentProduct) -> dict[str, object]:
    """What follows from the product, whatever the plan. Guarantors have no register, so none is known to consent.

    A plan under Art. 70 is longer than the debt it replaces; strictly read, it always burdens a guarantor (CC-695).
    """
    return {
        "product": product.kind,
        "pays_out": product.pays_out,
        "agreement_bundled": bool(product.bundled_with),
        "minimum_payment_offered": product.minimum_payment,
        "interest_options": product.interest_options,
        "interest_default": product.interest_default,
        "partner_charges": product.partner_charges,
        "guarantors": product.guarantors,
        "guarantors_consented": 0,
        "burden_increased": True,
    }


def _age_facts(session: Session, case: InstallmentCase, product: InstallmentProduct) -> dict[str, object]:
    """How old the debt is, as the core says, and what a payment of that age reduces first, as the allocator says."""
    balance = latest_balance(session, case_token=case.token)
    if balance is None or balance.days_past_due is None:
        return {}
    first = first_paid_at(balance.days_past_due, allocation=product.allocation)
    return {"days_past_due": balance.days_past_due} | ({"first_paid": first.value} if first is not None else {})


def _plans_in(session: Session, text: AgreementText) -> int:
    """How many plans the printed agreement is about: one paper for several is no separate contract (CCN22-SEP)."""
    plans = session.exec(
        select(AgreementText.plan_hash)
        .where(col(AgreementText.agreement_document_id) == text.agreement_document_id)
        .distinct()
    ).all()
    return len(plans)


def _debt_facts(session: Session, case: InstallmentCase, *, principal_minor: int) -> dict[str, object]:
    """What the core says of the debt; where it was never asked, what the customer declared."""
    balance = latest_balance(session, case_token=case.token)
    owed = debt_of(balance).total_minor if balance is not None else case.total_due_minor
    return {
        "principal_received_minor": min(principal_minor, owed),
        "already_in_installment": balance is not None and balance.installments_minor > 0,
    }


def _plan_facts(offer: PlanOffer, product: InstallmentProduct, *, signed_on: date | None) -> dict[str, object]:
    rows, principal = rows_from_json(offer.rows), offer.terms["principalMinor"]
    start = date.fromisoformat(offer.terms["start"])
    rates = yearly_rates(rows, start=start, received_minor=principal)
    charges = _charges(offer)
    return {
        "term_months": offer.figures["term"],
        "last_due_on": rows[-1].due,
        "agreement_signed_on": signed_on or start,
        "principal_minor": principal,
        "principal_cny_minor": principal,
        "minimum_amount_minor": product.minimum_minor,
        "maximum_amount_minor": product.maximum_minor,
        "rate_shown_ppm": _ppm(Decimal(offer.figures["effectivePercent"]) / _PER_CENT),
        "rate_from_flows_ppm": _ppm(rates.effective),
        "rate_method": RateMethod.IRR.value,
        # The words that stand beside this figure wherever the plan is shown: they come from the same text.
        "rate_label": render(headline(rates).label, {}, "zh-CN"),
        "principal_stated": principal > 0 and any(row.principal_minor for row in rows),
        "loan_charges": (*charges, *product.partner_charges),
        "charges_in_flows": charges,
        "penalty_rate_ppm": _ppm(product.late_rate),
        "loss_rate_ppm": _ppm(product.original_rate),
    }


def _charges(offer: PlanOffer) -> tuple[str, ...]:
    """A fee for the money is interest, under whichever name the plan reckons it (CCN22-INT)."""
    return ("interest",) if offer.figures["totalCostMinor"] else ()


def _model_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    working = cases.latest_affordability(session, case_token=case.token)
    started_at = working.created_at if working is not None else None
    approved_at = assessment_approved_at(session, tenant=case.tenant, activity=MODEL_ACTIVITY, started_at=started_at)
    facts: dict[str, object] = {}
    if approved_at is not None:
        facts["pia_approved_at"] = approved_at
    if started_at is not None:
        facts["processing_started_at"] = started_at
    return facts


def _signing_facts(
    session: Session, case: InstallmentCase, signature: Signature, text: AgreementText | None
) -> dict[str, object]:
    electronic = signature.method == "electronic"
    evidence = [PromptEvidence.HIGHLIGHT.value] if text is not None and text.facts.get("highlighted_clauses") else []
    if electronic and signature.reading_seconds is not None:
        evidence.append(PromptEvidence.READ_THROUGH.value)
    facts: dict[str, object] = {
        # The case is the application (受理): on record before the signature, for an amount of its own.
        "application_recorded": case.created_at <= signature.signed_at and case.requested_amount_minor > 0,
        "signing_at": signature.signed_at,
        "signing_channel": (SigningChannel.ONLINE if electronic else SigningChannel.ON_SITE).value,
        "agreement_form": signature.method,
        "confirmation_method": (Confirmation.RELIABLE_SIGNATURE if electronic else Confirmation.WET_SIGNATURE).value,
        "prompt_evidence": tuple(evidence),
        "acknowledged_clauses": tuple(text.facts.get("major_clauses", ())) if text is not None else (),
        "change_kind": ChangeKind.AGREEMENT.value,
        "change_agreed_by_customer": True,
        # The text that was signed is the one whose content is known here, and it is about the plan that was signed.
        "change_unambiguous": text is not None
        and (text.id, text.plan_hash) == (signature.text_id, signature.plan_hash),
        "signed_electronically": ("agreement",) if electronic else (),
        "signed_reliably": ("agreement",) if electronic and signature.sealed_document_id is not None else (),
        "signature_data_exclusive": electronic,
        "signature_sole_control": electronic and signature.code_id is not None,
        "signature_change_detectable": signature.sealed_document_id is not None,
        "text_change_detectable": signature.sealed_document_id is not None,
    }
    facts |= _explanation_facts(session, case, signature)
    approved = _approved_at(session, case.token)
    if approved is not None:
        facts |= {"approved_at": approved, "change_agreed_by_bank": True}
    if signature.cost_confirmed_at is not None:
        facts["statement_confirmed_at"] = signature.cost_confirmed_at
    if signature.reading_seconds is not None:
        facts |= {"statement_read_seconds": signature.reading_seconds, "statement_popup_shown": True}
    return facts


def _explanation_facts(session: Session, case: InstallmentCase, signature: Signature) -> dict[str, object]:
    """What the customer asked to have explained before signing (CC-496), and what of it was answered by then or since.

    A request is a ticket; one that came in after the signature is about something else.
    """
    asked = session.exec(
        select(Ticket.state).where(
            col(Ticket.case_token) == case.token,
            col(Ticket.kind) == TicketKind.EXPLANATION.value,
            col(Ticket.created_at) <= signature.signed_at,
        )
    ).all()
    return {"explanations_asked": len(asked), "explanations_given": sum(1 for state in asked if state == "DONE")}


def _approved_at(session: Session, case_token: str) -> datetime | None:
    return session.exec(
        select(func.max(Decision.settled_at)).where(
            col(Decision.case_token) == case_token, col(Decision.outcome) == "approve", col(Decision.state) == "APPLIED"
        )
    ).one()


def _activation_facts(session: Session, case: InstallmentCase, offer: PlanOffer | None) -> dict[str, object]:
    core, signature = core_state(session, case.token), agreements.signature_of_case(session, case_token=case.token)
    mandate = agreements.mandate_of_case(session, case_token=case.token)
    facts: dict[str, object] = {
        "signing_gate_open": _signing_gate_open(session, case.token),
        "agreement_archived": signature is not None and signature.sealed_document_id is not None,
        "own_card_block_set": core.blocked,
        "own_card_block_released": core.released,
        "repays_by_debit": mandate is not None,
        "adverse_report_planned": collection_policy_of(session, case.tenant).reports_bad_status,
    }
    facts |= _report_facts(session, case, offer)
    if core.agencies_pending is not None:
        facts["agencies_not_recalled"] = core.agencies_pending
    if mandate is not None:
        facts |= {
            "mandate_fields": _mandate_fields(session, mandate, offer),
            "mandate_given_on": mandate.signed_on,
            "mandate_status": MandateStatus.ACTIVE.value,  # one that is revoked is no mandate of the case any more
            "mandate_valid_to": mandate.valid_to,
            "mandate_limit_minor": mandate.limit_minor,
            "debit_account_kind": mandate.account_kind,
        }
        if offer is not None:
            facts["first_debit_on"] = rows_from_json(offer.rows)[0].due
    return facts


def _report_facts(session: Session, case: InstallmentCase, offer: PlanOffer | None) -> dict[str, object]:
    """When the customer was told of a report to the credit database, and the first day on which one can be made.

    Nothing of the agreement is bad before its first row is missed; strictly read, it is reported on that day.
    """
    facts: dict[str, object] = {}
    told = session.exec(
        select(func.min(Consent.given_at)).where(
            col(Consent.subject_id) == case.subject_id,
            col(Consent.purpose) == ConsentPurpose.ADVERSE_REPORT_NOTICE.value,
            col(Consent.given_at) >= case.created_at,
            col(Consent.withdrawn_at).is_(None),
        )
    ).one()
    if told is not None:
        facts["adverse_notice_at"] = told
    if offer is not None:
        first_due = rows_from_json(offer.rows)[0].due
        facts["adverse_report_at"] = datetime.combine(first_due, time(), SHANGHAI).astimezone(UTC)
    return facts


def _mandate_fields(session: Session, mandate: Mandate, offer: PlanOffer | None) -> tuple[str, ...]:
    """What the mandate states (`MANDATE_FIELDS`); payee and cycle stand in the agreement that it was given with."""
    stated = {
        "payee-name": session.get_one(Tenant, mandate.tenant).name,
        "purpose": mandate.purpose,
        "payer-account": mandate.account_cell,
        "cycle-or-condition": offer.rows if offer is not None else None,
        "valid-to": mandate.valid_to,
    }
    return tuple(name for name, value in stated.items() if value)


def _signing_gate_open(session: Session, case_token: str) -> bool:
    """Whether the newest verdicts of the signing gate let pass."""
    verdicts = [
        verdict
        for verdict in cases.verdicts_of_case(session, case_token=case_token)
        if verdict.gate == Gate.SIGNING.value
    ]
    newest: dict[str, RuleVerdict] = {verdict.rule_id: verdict for verdict in verdicts}
    blocking = [one for one in newest.values() if one.severity == "BLOCK" and one.result in ("FAIL", "UNKNOWN")]
    return bool(newest) and not blocking


def _close_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    agreement = agreements.agreement_of_case(session, case_token=case.token)
    contacts = session.exec(
        select(CaseContact).where(col(CaseContact.case_token) == case.token, col(CaseContact.is_collection).is_(True))
    ).all()
    facts: dict[str, object] = {
        "agreement_status": _standing(agreement).value,
        "collection_contacts": len(contacts),
        "contacts_recorded": sum(1 for contact in contacts if on_record(contact)),
        "recording_retention_months": collection_policy_of(session, case.tenant).recording_months,
    }
    if agreement is not None and agreement.closed_on is not None and agreement.kept_until is not None:
        facts |= {
            "settled_on": agreement.closed_on,
            "last_transaction_on": agreement.closed_on,
            "relation_ended_on": agreement.closed_on,
            "records_kept_until": agreement.kept_until,
            "data_kept_until": agreement.kept_until,
            "purpose_ends_on": agreement.closed_on,
            "statutory_until": agreement.kept_until,
            "data_after_close": DataAfterClose.LOCKED.value,
        }
    return facts


def _standing(agreement: Agreement | None) -> AgreementStatus:
    if agreement is None:
        return AgreementStatus.NONE
    if agreement.status in ("settled", "paid-off"):
        return AgreementStatus.SETTLED
    return AgreementStatus.IN_DEFAULT if agreement.status == "defaulted" else AgreementStatus.ACTIVE


def _ppm(rate: Decimal) -> int:
    return int((rate * _PPM).to_integral_value())


def _from_json(stored: dict[str, Any]) -> dict[str, object]:
    """Lists become tuples: rules compare sets of codes."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
