"""The facts that the rules of a gate ask about, read from the records. A fact that is not there is left out."""

from sqlmodel import Session

from models.domain.application import ConsentPurpose, DocumentKind
from models.domain.roles import Role
from models.domain.states import Gate
from models.queries import cases
from models.queries.agreement_facts import agreement_facts
from models.queries.core import debt_of, latest_balance
from models.queries.intake_facts import due_diligence_facts, intake_facts
from models.tables.installments import InstallmentCase


def gate_facts(session: Session, *, gate: Gate, case_token: str) -> dict[str, object]:
    """The facts for one gate of one case."""
    case = session.get_one(InstallmentCase, case_token)
    if gate is Gate.INTAKE:
        return intake_facts(session, case)
    if gate is Gate.DUE_DILIGENCE:
        return due_diligence_facts(session, case)
    if gate is Gate.BUREAU:
        return _consent_facts(session, case)
    if gate is Gate.NEEDS:
        return _hardship_facts(session, case)
    if gate is Gate.DECISION:
        return _decision_facts(session, case)
    return agreement_facts(session, gate=gate, case=case)


def _consent_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    facts: dict[str, object] = {"query_purpose": ConsentPurpose.CREDIT_REPORT_QUERY.value}
    consent = cases.latest_consent(session, subject_id=case.subject_id, purpose=ConsentPurpose.CREDIT_REPORT_QUERY)
    if consent is not None:
        facts |= {
            "consent_form": consent.form,
            "consent_purpose": consent.purpose,
            "consent_withdrawn": consent.withdrawn_at is not None,
        }
    return facts


def _hardship_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    facts: dict[str, object] = {
        "hardship_code": case.hardship_code,
        "hardship_evidence": cases.has_document(session, case_token=case.token, kind=DocumentKind.HARDSHIP_EVIDENCE),
        "total_due_minor": _owed(session, case),
        "requested_amount_minor": case.requested_amount_minor,
        "requested_term_months": case.requested_term_months,
        "willing_to_repay": case.willing_to_repay,
    }
    working = cases.latest_affordability(session, case_token=case.token)
    if working is not None:
        facts["capacity_minor"] = working.capacity_minor
    return facts


def _owed(session: Session, case: InstallmentCase) -> int:
    """The debt as the card core has it; as the customer declared it, where the core was never asked."""
    balance = latest_balance(session, case_token=case.token)
    return debt_of(balance).total_minor if balance is not None else case.total_due_minor


def _decision_facts(session: Session, case: InstallmentCase) -> dict[str, object]:
    working = cases.latest_affordability(session, case_token=case.token)
    approvers = cases.active_persons_with_role(session, tenant=case.tenant, role=Role.APPROVER)
    # A human route is real only if there is somebody who has not made what is to be checked.
    reviewers = approvers - set(cases.makers_of_case(session, case_token=case.token))
    return {
        "explanation_available": working is not None and bool(working.working),
        "human_review_route": bool(reviewers),
    }
