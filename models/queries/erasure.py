"""Reads about erasure requests, legal holds and locks."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import and_, exists, func, or_
from sqlmodel import Session, col, select

from models.domain.ids import erasure_record_id
from models.domain.privacy.erasing import STANDING, ErasureState
from models.tables.erasure import ErasureRequest, LegalHold, SubjectLock
from models.tables.tasks import Task

Place = tuple[datetime, str]
"""Where a page begins: instant and id of the row before it."""


def request_by_id(session: Session, request_id: str, *, tenant: str) -> ErasureRequest | None:
    """A request of the institution's."""
    return session.exec(
        select(ErasureRequest).where(col(ErasureRequest.id) == request_id, col(ErasureRequest.tenant) == tenant)
    ).one_or_none()


def request_of_task(session: Session, task: Task) -> ErasureRequest | None:
    """The request that a task of the inbox is about, as both are in one institution."""
    return request_by_id(session, str(task.shown.get("erasure", "")), tenant=task.tenant)


def waiting_without_task(session: Session, *, tenant: str, after: str, limit: int) -> Sequence[ErasureRequest]:
    """Requests that wait for a person and were never in the inbox; by id, `limit` after `after`."""
    # The words of `erasure_record_id`, in SQL.
    record = erasure_record_id(tenant, "", "").removesuffix("/") + col(ErasureRequest.id) + "/"
    known = exists().where(col(Task.workflow_id) == record + col(ErasureRequest.subject_id))
    return session.exec(
        select(ErasureRequest)
        .where(
            col(ErasureRequest.tenant) == tenant,
            col(ErasureRequest.state).in_((ErasureState.PROPOSED, ErasureState.REQUESTED)),
            col(ErasureRequest.subject_id).is_not(None),
            col(ErasureRequest.id) > after,
            ~known,
        )
        .order_by(col(ErasureRequest.id))
        .limit(limit)
    ).all()


def requests_page(
    session: Session, *, tenant: str, state: str | None, before: Place | None, limit: int
) -> Sequence[ErasureRequest]:
    """Requests in a state, or in any, the newest first, from after a place in the list."""
    at, row_id = col(ErasureRequest.requested_at), col(ErasureRequest.id)
    conditions = [col(ErasureRequest.tenant) == tenant]
    if state is not None:
        conditions.append(col(ErasureRequest.state) == state)
    if before is not None:
        conditions.append(or_(at < before[0], and_(at == before[0], row_id < before[1])))
    newest = select(ErasureRequest).where(*conditions).order_by(at.desc(), row_id.desc())
    return session.exec(newest.limit(limit)).all()


def hold_by_id(session: Session, hold_id: str, *, tenant: str) -> LegalHold | None:
    """A hold of the institution's."""
    return session.exec(
        select(LegalHold).where(col(LegalHold.id) == hold_id, col(LegalHold.tenant) == tenant)
    ).one_or_none()


def holds_page(
    session: Session, *, tenant: str, state: str | None, before: Place | None, limit: int
) -> Sequence[LegalHold]:
    """Holds in a state, or in any, the newest first, from after a place in the list."""
    at, row_id = col(LegalHold.placed_at), col(LegalHold.id)
    conditions = [col(LegalHold.tenant) == tenant]
    if state is not None:
        conditions.append(col(LegalHold.state) == state)
    if before is not None:
        conditions.append(or_(at < before[0], and_(at == before[0], row_id < before[1])))
    return session.exec(select(LegalHold).where(*conditions).order_by(at.desc(), row_id.desc()).limit(limit)).all()


def counts_by_state(session: Session, *, tenant: str) -> dict[str, int]:
    """How many requests are in each state."""
    rows = session.exec(
        select(ErasureRequest.state, func.count())
        .where(col(ErasureRequest.tenant) == tenant)
        .group_by(col(ErasureRequest.state))
    )
    return dict(rows.all())


def standing_count(session: Session, *, tenant: str) -> int:
    """How many legal holds stand."""
    return session.exec(
        select(func.count())
        .select_from(LegalHold)
        .where(col(LegalHold.tenant) == tenant, col(LegalHold.state).in_(STANDING))
    ).one()


def locks_standing(session: Session, *, tenant: str) -> tuple[int, date | None]:
    """How many persons' data were locked, and the next day through which one of them is kept."""
    count, first = session.exec(
        select(func.count(), func.min(SubjectLock.until)).where(col(SubjectLock.tenant) == tenant)
    ).one()
    return count, first
