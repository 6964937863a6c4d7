"""Reads about audit events: narrowed lists with their places in the log, and what belongs to one case or person."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import Session, col, func, select

from models.domain.roles import Role
from models.queries.case_file import Position
from models.tables.agreements import Agreement
from models.tables.audit import AuditCheckpoint, AuditEvent, AuditLeaf
from models.tables.installments import InstallmentCase
from models.tables.notices import Notice
from models.tables.parties import CustomerLink
from models.tables.staff import StaffRole
from models.tables.tasks import Task

COUNTED_TO: Final = 10_000
"""Totals are exact up to here; counting on costs more than anybody reads."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFilter:
    """What a list of events is narrowed to; None narrows nothing, an empty set of targets to nothing.

    Attributes:
        task: within the events of `targets`, those that name this task.
        until: before this instant.
    """

    tenant: str
    targets: Collection[str] | None = None
    action: str | None = None
    actor: str | None = None
    task: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event and its place in the log; None while it waits for the sealer."""

    event: AuditEvent
    index: int | None


def search_events(
    session: Session, filter: EventFilter, *, after: Position | None, limit: int, newest_first: bool = True
) -> list[Recorded]:
    """Events by time; at most `limit`."""
    key = tuple_(col(AuditEvent.at), col(AuditEvent.id))
    query = (
        select(AuditEvent, AuditLeaf.idx)
        .join(AuditLeaf, col(AuditLeaf.event_id) == col(AuditEvent.id), isouter=True)
        .where(*_conditions(filter))
    )
    if after is not None:
        query = query.where(key < tuple_(*after) if newest_first else key > tuple_(*after))
    at, event_id = col(AuditEvent.at), col(AuditEvent.id)
    ordered = query.order_by(at.desc(), event_id.desc()) if newest_first else query.order_by(at, event_id)
    return [Recorded(event, index) for event, index in session.exec(ordered.limit(limit)).all()]


def count_events(session: Session, filter: EventFilter) -> int:
    """How many there are; `COUNTED_TO + 1` stands for more than `COUNTED_TO`."""
    some = select(AuditEvent.id).where(*_conditions(filter)).limit(COUNTED_TO + 1).subquery()
    return int(session.exec(select(func.count()).select_from(some)).one())


def recorded_event(session: Session, event_id: str, *, tenant: str) -> Recorded | None:
    """One event of a tenant."""
    event = session.get(AuditEvent, event_id)
    if event is None or event.tenant != tenant:
        return None
    return Recorded(event, session.exec(select(AuditLeaf.idx).where(AuditLeaf.event_id == event_id)).first())


def tenant_of(session: Session, case_token: str) -> str | None:
    """Whose case this is; None if there is no such case."""
    return session.exec(select(InstallmentCase.tenant).where(InstallmentCase.token == case_token)).first()


def targets_of_case(session: Session, case_token: str) -> frozenset[str]:
    """What the events of a case are about: it, its customer, its agreement, notices and links. Empty: no such case."""
    case = session.exec(
        select(InstallmentCase.token, InstallmentCase.subject_id).where(InstallmentCase.token == case_token)
    ).first()
    if case is None:
        return frozenset()
    return frozenset(
        {
            *case,
            *session.exec(select(Agreement.id).where(Agreement.case_token == case_token)),
            *session.exec(select(Notice.id).where(Notice.case_token == case_token)),
            *session.exec(select(CustomerLink.id).where(CustomerLink.case_token == case_token)),
        }
    )


def targets_of_subject(session: Session, subject_id: str, *, tenant: str) -> frozenset[str]:
    """What the events of a person are about: the person and all of their cases."""
    cases = session.exec(
        select(InstallmentCase.token).where(InstallmentCase.subject_id == subject_id, InstallmentCase.tenant == tenant)
    ).all()
    found = {subject_id}
    for token in cases:
        found |= targets_of_case(session, token)
    return frozenset(found)


def targets_of_task(session: Session, task_id: str, *, tenant: str) -> frozenset[str]:
    """Under what the events of a task stand; empty if there is no such task."""
    task = session.get(Task, task_id)
    if task is None or task.tenant != tenant:
        return frozenset()
    return frozenset({task.id} | ({task.case_token} if task.case_token is not None else set()))


def roles_of(session: Session, staff: Iterable[str]) -> dict[str, list[str]]:
    """The roles that accounts hold now, in the order of `Role`."""
    order = {role.value: place for place, role in enumerate(Role)}
    found: dict[str, list[str]] = {}
    rows = session.exec(
        select(StaffRole.staff_id, StaffRole.role).where(col(StaffRole.staff_id).in_(sorted(set(staff))))
    )
    for staff_id, role in rows:
        found.setdefault(staff_id, []).append(role)
    return {staff_id: sorted(roles, key=lambda role: order.get(role, len(order))) for staff_id, roles in found.items()}


def list_checkpoints(session: Session, *, below: int | None, limit: int) -> list[AuditCheckpoint]:
    """Signed checkpoints, the largest first."""
    query = select(AuditCheckpoint)
    if below is not None:
        query = query.where(col(AuditCheckpoint.size) < below)
    return list(session.exec(query.order_by(col(AuditCheckpoint.size).desc()).limit(limit)).all())


def _conditions(filter: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[Any] = [col(AuditEvent.tenant) == filter.tenant]
    if filter.targets is not None:
        conditions.append(col(AuditEvent.target).in_(sorted(filter.targets)))
    if filter.action is not None:
        conditions.append(col(AuditEvent.action) == filter.action)
    if filter.actor is not None:
        conditions.append(col(AuditEvent.actor) == filter.actor)
    if filter.task is not None:
        named = col(AuditEvent.body).contains(f'"task":"{filter.task}"', autoescape=True)
        conditions.append(named | (col(AuditEvent.target) == filter.task))
    if filter.since is not None:
        conditions.append(col(AuditEvent.at) >= filter.since)
    if filter.until is not None:
        conditions.append(col(AuditEvent.at) < filter.until)
    return conditions
