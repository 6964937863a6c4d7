"""Reads about subjects: who stands behind an identity document, how to reach them, what they agreed to, their links."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import exists, true
from sqlmodel import Session, col, select

from models.domain.application import ContactPointKind
from models.domain.viewer import ANY_BRANCH
from models.tables.installments import InstallmentCase
from models.tables.parties import Consent, ContactPoint, CustomerLink, Subject
from models.tables.tenants import Tenant

MAX_FOUND: Final = 50


def subject_by_id_index(session: Session, *, tenant: str, id_indexes: Sequence[bytes]) -> Subject | None:
    """The tenant's subject with this identity document, by its blind index under any key that there is."""
    return session.exec(
        select(Subject).where(col(Subject.tenant) == tenant, col(Subject.id_index).in_(id_indexes))
    ).one_or_none()


def _in_branch(branch: str) -> Any:
    """A subject belongs where one of their cases is handled."""
    if branch == ANY_BRANCH:
        return true()
    return exists().where(col(InstallmentCase.subject_id) == col(Subject.id), col(InstallmentCase.branch) == branch)


def visible_subject(session: Session, subject_id: str, *, tenant: str, branch: str) -> Subject | None:
    """A subject with a case in the caller's branch; any other is the same None."""
    return session.exec(
        select(Subject).where(col(Subject.id) == subject_id, col(Subject.tenant) == tenant, _in_branch(branch))
    ).one_or_none()


def visible_subjects_by_id_index(
    session: Session, *, tenant: str, branch: str, id_indexes: Sequence[bytes]
) -> list[Subject]:
    """Those with this identity document: one or none."""
    return list(
        session.exec(
            select(Subject).where(
                col(Subject.tenant) == tenant, col(Subject.id_index).in_(id_indexes), _in_branch(branch)
            )
        ).all()
    )


def visible_subjects_by_mobile(
    session: Session, *, tenant: str, branch: str, value_indexes: Sequence[bytes]
) -> list[Subject]:
    """Those who are reached under this mobile number; a family may share one. By id, at most `MAX_FOUND`."""
    reached = exists().where(
        col(ContactPoint.subject_id) == col(Subject.id),
        col(ContactPoint.tenant) == tenant,
        col(ContactPoint.value_index).in_(value_indexes),
        col(ContactPoint.kind) == ContactPointKind.MOBILE,
    )
    return list(
        session.exec(
            select(Subject)
            .where(col(Subject.tenant) == tenant, reached, _in_branch(branch))
            .order_by(col(Subject.id))
            .limit(MAX_FOUND)
        ).all()
    )


def case_tokens_of_subject(session: Session, subject_id: str, *, branch: str) -> list[str]:
    """The subject's cases in the caller's branch, newest first."""
    conditions = [col(InstallmentCase.subject_id) == subject_id]
    if branch != ANY_BRANCH:
        conditions.append(col(InstallmentCase.branch) == branch)
    return list(
        session.exec(
            select(InstallmentCase.token)
            .where(*conditions)
            .order_by(col(InstallmentCase.created_at).desc(), col(InstallmentCase.token).desc())
            .limit(MAX_FOUND)
        ).all()
    )


def has_card(session: Session, subject_id: str) -> bool:
    """Whether the card whose debt is meant is on record; the number stays sealed."""
    return bool(session.exec(select(col(Subject.card_cell).is_not(None)).where(col(Subject.id) == subject_id)).first())


def contact_points(session: Session, subject_id: str) -> list[ContactPoint]:
    """Every way to reach a subject, newest first."""
    return list(
        session.exec(
            select(ContactPoint)
            .where(col(ContactPoint.subject_id) == subject_id)
            .order_by(col(ContactPoint.created_at).desc(), col(ContactPoint.id).desc())
        ).all()
    )


def consents_of_subject(session: Session, subject_id: str) -> list[Consent]:
    """Every consent, oldest first, withdrawn ones too."""
    return list(
        session.exec(
            select(Consent)
            .where(col(Consent.subject_id) == subject_id)
            .order_by(col(Consent.given_at), col(Consent.id))
        ).all()
    )


def link_by_id(session: Session, link_id: str, *, tenant: str) -> CustomerLink | None:
    """A customer's link of a tenant."""
    return session.exec(
        select(CustomerLink).where(col(CustomerLink.id) == link_id, col(CustomerLink.tenant) == tenant)
    ).one_or_none()


def link_made_by(session: Session, creator: str, *, case_token: str) -> CustomerLink | None:
    """The progress link that an application link's use made."""
    return session.exec(
        select(CustomerLink)
        .where(col(CustomerLink.case_token) == case_token, col(CustomerLink.created_by) == creator)
        .limit(1)
    ).first()


def tenant_exists(session: Session, code: str) -> bool:
    """Whether this installation serves the tenant."""
    return session.get(Tenant, code) is not None
