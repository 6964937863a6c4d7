"""Reads about a signing (签约): what waits for a signature, what of it was read, and who signed."""

from sqlmodel import Session, col, select

from models.domain.application import LinkPurpose
from models.domain.states import OPEN_TASK_STATES, DecisionState, Outcome, TaskType
from models.queries import agreements, cases
from models.tables.agreements import AgreementText, DocumentReading, PlanOffer, Signature
from models.tables.parties import CustomerLink
from models.tables.tasks import Decision, Task


def text_by_key(session: Session, business_key: str) -> AgreementText | None:
    """What was printed in one round."""
    return session.exec(select(AgreementText).where(col(AgreementText.business_key) == business_key)).one_or_none()


def chosen_offer(session: Session, *, case_token: str) -> PlanOffer | None:
    """The plan that was chosen last, if the newest proposal is one."""
    proposal = cases.latest_proposal(session, case_token=case_token)
    if proposal is None or proposal.offer_id is None:
        return None
    return agreements.offer_by_id(session, proposal.offer_id)


def open_signing_task(session: Session, *, case_token: str) -> Task | None:
    """The task that waits for the customer's signature, also while one is being carried out."""
    return session.exec(
        select(Task)
        .where(
            col(Task.case_token) == case_token,
            col(Task.type) == TaskType.SIGNING,
            col(Task.state).in_(OPEN_TASK_STATES),
        )
        .order_by(col(Task.task_no).desc())
        .limit(1)
    ).first()


def readings_of_text(session: Session, text_id: str) -> dict[str, DocumentReading]:
    """What of a text's documents was opened or confirmed, by document id."""
    found = session.exec(select(DocumentReading).where(col(DocumentReading.text_id) == text_id)).all()
    return {reading.document_id: reading for reading in found}


def signature_by_decision(session: Session, decision_id: str) -> Signature | None:
    """The signature that a decision made."""
    return session.exec(select(Signature).where(col(Signature.decision_id) == decision_id)).one_or_none()


def is_signed(session: Session, text_id: str) -> bool:
    """Whether the customer signed this text under a link, and the case has not refused it."""
    return (
        session.exec(
            select(Signature.id)
            .join(Decision, col(Decision.id) == col(Signature.decision_id))
            .where(
                col(Signature.text_id) == text_id,
                col(Decision.outcome) == Outcome.SIGN,
                col(Decision.state) != DecisionState.REFUSED,
            )
            .limit(1)
        ).first()
        is not None
    )


def standing_signing_links(session: Session, *, case_token: str) -> list[CustomerLink]:
    """Signing links of a case that nobody has withdrawn."""
    return list(
        session.exec(
            select(CustomerLink).where(
                col(CustomerLink.case_token) == case_token,
                col(CustomerLink.purpose) == LinkPurpose.SIGNING,
                col(CustomerLink.used_at).is_(None),
            )
        ).all()
    )
