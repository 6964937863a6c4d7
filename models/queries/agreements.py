"""Reads about plan offers and agreements in service."""

from typing import Final

from sqlmodel import Session, col, func, select

from models.domain.plans.negotiation import Family
from models.domain.states import DecisionState
from models.tables.agreements import (
    Agreement,
    AgreementEvent,
    AgreementRow,
    AgreementText,
    Mandate,
    PlanOffer,
    Signature,
)
from models.tables.installments import CaseDocument
from models.tables.tasks import Decision

_FAMILIES: Final = tuple(Family)


def latest_offers(session: Session, *, case_token: str) -> list[PlanOffer]:
    """The newest round of offers, in the order of their families."""
    newest = select(func.max(PlanOffer.version)).where(col(PlanOffer.case_token) == case_token).scalar_subquery()
    offers = session.exec(
        select(PlanOffer).where(col(PlanOffer.case_token) == case_token, col(PlanOffer.version) == newest)
    ).all()
    return sorted(offers, key=lambda offer: _FAMILIES.index(Family(offer.family)))


def offers_of_version(session: Session, *, case_token: str, version: int) -> list[PlanOffer]:
    """One round of offers."""
    return list(
        session.exec(
            select(PlanOffer)
            .where(col(PlanOffer.case_token) == case_token, col(PlanOffer.version) == version)
            .order_by(col(PlanOffer.id))
        ).all()
    )


def offer_by_id(session: Session, offer_id: str) -> PlanOffer | None:
    """One offer."""
    return session.get(PlanOffer, offer_id)


def latest_document(session: Session, *, case_token: str, kind: str) -> CaseDocument | None:
    """The newest document of a kind that lies with the case."""
    return session.exec(
        select(CaseDocument)
        .where(col(CaseDocument.case_token) == case_token, col(CaseDocument.kind) == kind)
        .order_by(col(CaseDocument.created_at).desc(), col(CaseDocument.id).desc())
        .limit(1)
    ).first()


def agreement_of_case(session: Session, *, case_token: str) -> Agreement | None:
    """The case's agreement, once it is in force."""
    return session.exec(select(Agreement).where(col(Agreement.case_token) == case_token)).one_or_none()


def rows_of_agreement(session: Session, agreement_id: str) -> list[AgreementRow]:
    """All rows in order."""
    return list(
        session.exec(
            select(AgreementRow).where(col(AgreementRow.agreement_id) == agreement_id).order_by(col(AgreementRow.no))
        ).all()
    )


def events_of_agreement(session: Session, agreement_id: str) -> list[AgreementEvent]:
    """All events in order of arrival."""
    return list(
        session.exec(
            select(AgreementEvent)
            .where(col(AgreementEvent.agreement_id) == agreement_id)
            .order_by(col(AgreementEvent.seq))
        ).all()
    )


def mandate_of_case(session: Session, *, case_token: str) -> Mandate | None:
    """The debit mandate that counts: the newest that is not revoked."""
    return session.exec(
        select(Mandate)
        .where(col(Mandate.case_token) == case_token, col(Mandate.revoked_at).is_(None))
        .order_by(col(Mandate.created_at).desc(), col(Mandate.id).desc())
        .limit(1)
    ).first()


def latest_text(session: Session, *, case_token: str) -> AgreementText | None:
    """What was printed for signing last."""
    return session.exec(
        select(AgreementText)
        .where(col(AgreementText.case_token) == case_token)
        .order_by(col(AgreementText.created_at).desc(), col(AgreementText.id).desc())
        .limit(1)
    ).first()


def signature_of_case(session: Session, *, case_token: str) -> Signature | None:
    """The newest signature whose decision the case has applied; one that was refused is no signature."""
    return session.exec(
        select(Signature)
        .join(Decision, col(Decision.id) == col(Signature.decision_id))
        .where(col(Signature.case_token) == case_token, col(Decision.state) == DecisionState.APPLIED)
        .order_by(col(Signature.signed_at).desc(), col(Signature.id).desc())
        .limit(1)
    ).first()
