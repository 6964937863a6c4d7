"""Reads about how long a person's data must be kept: the events from which periods run, holds, and what is due."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, exists, func, or_
from sqlmodel import Session, col, select

from models.domain.privacy.erasing import STANDING, UNDER_WAY, ErasureState
from models.domain.privacy.retention import Obstacle, PersonDates, obstacles, periods
from models.domain.rule_words import AgreementForm
from models.domain.shanghai import shanghai_date
from models.queries.customer_retention import customer_obstacles, customer_periods
from models.queries.limitation import limitation_events
from models.queries.products import retention_of
from models.tables.agreements import Agreement, LedgerEntry, Signature
from models.tables.erasure import ErasureRequest, LegalHold, SubjectLock
from models.tables.installments import CaseContact, InstallmentCase
from models.tables.parties import Subject
from models.tables.tenants import Tenant

_ORAL: Final = AgreementForm.ORAL.value


def person_dates(session: Session, subject_id: str) -> PersonDates:
    """The events of a person from which periods run."""
    cases = session.exec(
        select(InstallmentCase.token, InstallmentCase.ended_at, InstallmentCase.updated_at).where(
            col(InstallmentCase.subject_id) == subject_id
        )
    ).all()
    agreements = session.exec(select(Agreement).where(col(Agreement.subject_id) == subject_id)).all()
    tokens = [token for token, _, _ in cases]
    ends = [shanghai_date(ended) for _, ended, _ in cases if ended is not None]
    closes = [each.closed_on for each in agreements if each.closed_on is not None]
    return PersonDates(
        open_cases=sum(ended is None for _, ended, _ in cases),
        in_service=sum(each.closed_on is None and each.activated_on is not None for each in agreements),
        had_agreement=bool(agreements),
        relation_ended_on=max([*ends, *closes], default=None),
        last_transaction_on=_last_transaction(session, [each.id for each in agreements]),
        settled_on=max(closes, default=None),
        last_collection_on=_last_collection(session, tokens),
        last_limitation_on=max(
            (event.on for token in tokens for event in limitation_events(session, token)), default=None
        ),
        oral=_agreed_by_word(session, tokens),
    )


def standing_holds(session: Session, subject_id: str) -> int:
    """How many legal holds stand against deleting a person's data."""
    return session.exec(
        select(func.count())
        .select_from(LegalHold)
        .where(col(LegalHold.subject_id) == subject_id, col(LegalHold.state).in_(STANDING))
    ).one()


def obstacles_of(session: Session, subject_id: str, *, tenant: str, today: date) -> tuple[Obstacle, ...]:
    """What stands against erasing a person today, by law, by hold or by work under way; empty if nothing does."""
    of_customer = customer_obstacles(session, subject_id, today=today, policy=retention_of(session, tenant))
    if of_customer is not None:
        return of_customer
    return obstacles(
        person_dates(session, subject_id),
        today=today,
        holds=standing_holds(session, subject_id),
        policy=retention_of(session, tenant),
    )


def periods_of(session: Session, subject_id: str, *, tenant: str) -> tuple[Obstacle, ...]:
    """Every period of a person's, over or not: what whoever decides on an erasure looks at."""
    policy = retention_of(session, tenant)
    of_customer = customer_periods(session, subject_id, policy=policy)
    return periods(person_dates(session, subject_id), policy) if of_customer is None else of_customer


def locked(session: Session, subject_id: str) -> SubjectLock | None:
    """The lock on a person's data, if it stands."""
    return session.exec(
        select(SubjectLock).where(col(SubjectLock.subject_id) == subject_id, ~_purpose_since_lock())
    ).one_or_none()


def _purpose_since_lock() -> ColumnElement[bool]:
    """A case of the locked person is open, or ended after the lock was set."""
    return exists().where(
        col(InstallmentCase.subject_id) == col(SubjectLock.subject_id),
        or_(col(InstallmentCase.ended_at).is_(None), col(InstallmentCase.ended_at) > col(SubjectLock.locked_at)),
    )


def subjects_at_rest(
    session: Session, *, tenant: str, before: datetime, today: date, after: str, limit: int
) -> Sequence[str]:
    """Persons whose every case ended before an instant, or who never had one; by id, `limit` after `after`.

    Left out are those whose data are locked through a later day, and those whose erasure is under way or was rejected
    since that instant. A person who came without a case is at rest once they are that old.
    """
    waits = exists().where(
        col(SubjectLock.subject_id) == col(Subject.id), col(SubjectLock.until) >= today, ~_purpose_since_lock()
    )
    busy = exists().where(
        col(InstallmentCase.subject_id) == col(Subject.id),
        col(InstallmentCase.ended_at).is_(None) | (col(InstallmentCase.ended_at) >= before),
    )
    asked = exists().where(
        col(ErasureRequest.subject_id) == col(Subject.id),
        or_(
            col(ErasureRequest.state).in_(UNDER_WAY),
            and_(col(ErasureRequest.state) == ErasureState.REJECTED, col(ErasureRequest.decided_at) >= before),
        ),
    )
    return session.exec(
        select(Subject.id)
        .where(
            col(Subject.tenant) == tenant,
            col(Subject.id) > after,
            col(Subject.created_at) < before,
            col(Subject.erased_at).is_(None),
            ~busy,
            ~waits,
            ~asked,
        )
        .order_by(col(Subject.id))
        .limit(limit)
    ).all()


def tenants(session: Session) -> list[str]:
    """Every institution, by code."""
    return list(session.exec(select(Tenant.code).order_by(col(Tenant.code))).all())


def _last_transaction(session: Session, agreements: list[str]) -> date | None:
    if not agreements:
        return None
    return session.exec(
        select(func.max(LedgerEntry.booked_on)).where(col(LedgerEntry.agreement_id).in_(agreements))
    ).one()


def _last_collection(session: Session, tokens: list[str]) -> date | None:
    if not tokens:
        return None
    at = session.exec(
        select(func.max(CaseContact.at)).where(
            col(CaseContact.case_token).in_(tokens), col(CaseContact.is_collection).is_(True)
        )
    ).one()
    return None if at is None else shanghai_date(at)


def _agreed_by_word(session: Session, tokens: list[str]) -> bool:
    if not tokens:
        return False
    found = exists().where(col(Signature.case_token).in_(tokens), col(Signature.method) == _ORAL)
    return session.exec(select(found)).one()
