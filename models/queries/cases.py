"""Reads about installment cases."""

from sqlalchemy import and_, exists, or_
from sqlmodel import Session, col, select

from models.domain.ids import installment_workflow_id
from models.domain.states import CHECKER_TASKS, OPEN_TASK_STATES, CaseStage, DecisionState, Gate
from models.tables.installments import (
    AffordabilityAssessment,
    BureauReport,
    CaseDocument,
    InstallmentCase,
    Proposal,
    RuleVerdict,
)
from models.tables.parties import Consent
from models.tables.staff import Staff, StaffRole
from models.tables.tasks import Decision, Task


def latest_consent(session: Session, *, subject_id: str, purpose: str) -> Consent | None:
    """The consent that counts now, if there is one; a withdrawn one is given back too, marked so."""
    return session.exec(
        select(Consent)
        .where(col(Consent.subject_id) == subject_id, col(Consent.purpose) == purpose)
        .order_by(col(Consent.given_at).desc(), col(Consent.id).desc())
        .limit(1)
    ).first()


def has_document(session: Session, *, case_token: str, kind: str) -> bool:
    """Whether a document of this kind lies with the case."""
    return (
        session.exec(
            select(CaseDocument.id)
            .where(col(CaseDocument.case_token) == case_token, col(CaseDocument.kind) == kind)
            .limit(1)
        ).first()
        is not None
    )


def latest_report(session: Session, *, case_token: str) -> BureauReport | None:
    """The newest credit report of the case."""
    return session.exec(
        select(BureauReport)
        .where(col(BureauReport.case_token) == case_token)
        .order_by(col(BureauReport.created_at).desc(), col(BureauReport.id).desc())
        .limit(1)
    ).first()


def latest_affordability(session: Session, *, case_token: str) -> AffordabilityAssessment | None:
    """The newest affordability working of the case."""
    return session.exec(
        select(AffordabilityAssessment)
        .where(col(AffordabilityAssessment.case_token) == case_token)
        .order_by(col(AffordabilityAssessment.created_at).desc(), col(AffordabilityAssessment.id).desc())
        .limit(1)
    ).first()


def latest_proposal(session: Session, *, case_token: str) -> Proposal | None:
    """The newest recommendation or counter-offer."""
    return session.exec(
        select(Proposal).where(col(Proposal.case_token) == case_token).order_by(col(Proposal.version).desc()).limit(1)
    ).first()


def latest_terms(session: Session, *, case_token: str) -> Proposal | None:
    """The newest terms that plans are worked out from: recommended, countered or asked for, but no plan itself."""
    return session.exec(
        select(Proposal)
        .where(col(Proposal.case_token) == case_token, col(Proposal.offer_id).is_(None))
        .order_by(col(Proposal.version).desc())
        .limit(1)
    ).first()


def verdicts_of_case(session: Session, *, case_token: str) -> list[RuleVerdict]:
    """Every verdict of the case, oldest first."""
    return list(
        session.exec(
            select(RuleVerdict)
            .where(col(RuleVerdict.case_token) == case_token)
            .order_by(col(RuleVerdict.evaluated_at), col(RuleVerdict.id))
        ).all()
    )


def latest_verdicts(session: Session, *, case_token: str) -> list[RuleVerdict]:
    """The newest verdict of each rule of the case, by rule id; those about one contact stand with that contact."""
    newest = {
        verdict.rule_id: verdict
        for verdict in verdicts_of_case(session, case_token=case_token)
        if verdict.gate != Gate.CONTACT
    }
    return [newest[rule_id] for rule_id in sorted(newest)]


def active_persons_with_role(session: Session, *, tenant: str, role: str) -> set[str]:
    """Persons who hold a role now."""
    return set(
        session.exec(
            select(Staff.person_id)
            .join(StaffRole, col(StaffRole.staff_id) == col(Staff.id))
            .where(col(Staff.tenant) == tenant, col(Staff.active).is_(True), col(StaffRole.role) == role)
        ).all()
    )


def unfinished_cases(session: Session, *, limit: int, after: str = "") -> list[InstallmentCase]:
    """Cases that have not ended, or have an open task all the same; by token, for the reconciler.

    An agreement in service asks nobody anything for months: it is looked at while a task of it is open.
    """
    at_work = and_(col(InstallmentCase.outcome).is_(None), col(InstallmentCase.stage) != CaseStage.SERVICING)
    still_asked = exists().where(
        col(Task.case_token) == col(InstallmentCase.token), col(Task.state).in_(OPEN_TASK_STATES)
    )
    return list(
        session.exec(
            select(InstallmentCase)
            .where(or_(at_work, still_asked), col(InstallmentCase.token) > after)
            .order_by(col(InstallmentCase.token))
            .limit(limit)
        ).all()
    )


def makers_of_case(session: Session, *, case_token: str) -> tuple[str, ...]:
    """Every person who entered the case or decided one of its makers' tasks (经办)."""
    case = session.get_one(InstallmentCase, case_token)
    checkers = [str(kind) for kind in CHECKER_TASKS]
    decided = session.exec(
        select(Decision.person_id)
        .join(Task, col(Task.id) == col(Decision.task_id))
        .where(
            col(Decision.case_token) == case_token,
            col(Decision.workflow_id) == installment_workflow_id(case_token),  # after-care makes nothing of the case
            col(Decision.state) == DecisionState.APPLIED,
            col(Task.type).not_in(checkers),
        )
    ).all()
    persons = {case.created_by_person, *decided} - {None}
    return tuple(sorted(str(person) for person in persons))
