"""The case file: one case with what lies in it, lists of cases, and the events told about one.

A case of another tenant or branch is no case.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from models.domain.states import OPEN_TASK_STATES
from models.domain.viewer import ANY_BRANCH
from models.tables.audit import AuditEvent
from models.tables.installments import CaseContact, CaseDocument, InstallmentCase, RuleVerdict
from models.tables.tasks import Decision, Task

Position = tuple[datetime, str]
"""Where a page goes on: the time and the key of the last row seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseFilter:
    """What a list of cases is narrowed to; an empty set narrows nothing. `None` among outcomes means: still open."""

    stages: frozenset[str] = frozenset()
    outcomes: frozenset[str | None] = frozenset()
    branches: frozenset[str] = frozenset()
    created_from: datetime | None = None  # included
    created_to: datetime | None = None  # not included


def visible_case(session: Session, case_token: str, *, tenant: str, branch: str) -> InstallmentCase | None:
    """A case of the tenant in the caller's branch; any other is the same None."""
    case = session.get(InstallmentCase, case_token)
    if case is None or case.tenant != tenant or branch not in (ANY_BRANCH, case.branch):
        return None
    return case


def search_cases(
    session: Session, *, tenant: str, branch: str, filter: CaseFilter, after: Position | None, limit: int
) -> list[InstallmentCase]:
    """Cases the caller may see, newest first; at most `limit`."""
    conditions = [col(InstallmentCase.tenant) == tenant]
    if branch != ANY_BRANCH:
        conditions.append(col(InstallmentCase.branch) == branch)
    if filter.branches:
        conditions.append(col(InstallmentCase.branch).in_(sorted(filter.branches)))
    if filter.stages:
        conditions.append(col(InstallmentCase.stage).in_(sorted(filter.stages)))
    if filter.outcomes:
        named = col(InstallmentCase.outcome).in_(sorted(outcome for outcome in filter.outcomes if outcome is not None))
        conditions.append(named | col(InstallmentCase.outcome).is_(None) if None in filter.outcomes else named)
    if filter.created_from is not None:
        conditions.append(col(InstallmentCase.created_at) >= filter.created_from)
    if filter.created_to is not None:
        conditions.append(col(InstallmentCase.created_at) < filter.created_to)
    query = select(InstallmentCase).where(*conditions)
    if after is not None:
        query = query.where(tuple_(col(InstallmentCase.created_at), col(InstallmentCase.token)) < tuple_(*after))
    ordered = query.order_by(col(InstallmentCase.created_at).desc(), col(InstallmentCase.token).desc())
    return list(session.exec(ordered.limit(limit)).all())


def open_tasks_of_case(session: Session, case_token: str) -> list[Task]:
    """What people are asked about the case now, oldest first."""
    return list(
        session.exec(
            select(Task)
            .where(col(Task.case_token) == case_token, col(Task.state).in_(OPEN_TASK_STATES))
            .order_by(col(Task.task_no))
        ).all()
    )


def decisions_of_case(session: Session, case_token: str) -> list[Decision]:
    """Every decision, oldest first, refused ones too."""
    return list(
        session.exec(select(Decision).where(col(Decision.case_token) == case_token).order_by(col(Decision.id))).all()
    )


def documents_of_case(session: Session, case_token: str) -> list[CaseDocument]:
    """Every document, oldest first."""
    return list(
        session.exec(
            select(CaseDocument)
            .where(col(CaseDocument.case_token) == case_token)
            .order_by(col(CaseDocument.created_at), col(CaseDocument.id))
        ).all()
    )


def document_of_case(session: Session, document_id: str, *, case_token: str) -> CaseDocument | None:
    """One document, if it lies with this case."""
    document = session.get(CaseDocument, document_id)
    return document if document is not None and document.case_token == case_token else None


def contacts_of_case(session: Session, case_token: str, *, after: Position | None, limit: int) -> list[CaseContact]:
    """The contact log, oldest first; at most `limit`."""
    query = select(CaseContact).where(col(CaseContact.case_token) == case_token)
    if after is not None:
        query = query.where(tuple_(col(CaseContact.at), col(CaseContact.id)) > tuple_(*after))
    return list(session.exec(query.order_by(col(CaseContact.at), col(CaseContact.id)).limit(limit)).all())


def verdicts_under(session: Session, gate_keys: Collection[str]) -> list[RuleVerdict]:
    """The verdicts kept under these keys, by rule."""
    if not gate_keys:
        return []
    return list(
        session.exec(
            select(RuleVerdict)
            .where(col(RuleVerdict.gate_key).in_(sorted(gate_keys)))
            .order_by(col(RuleVerdict.gate_key), col(RuleVerdict.rule_id))
        ).all()
    )


def contact_by_id(session: Session, contact_id: str, *, tenant: str) -> CaseContact | None:
    """One entry of a contact log of the tenant."""
    contact = session.get(CaseContact, contact_id)
    return contact if contact is not None and contact.tenant == tenant else None


def events_of_target(
    session: Session, target: str, *, tenant: str, after: Position | None, limit: int
) -> list[AuditEvent]:
    """What was done to one thing, oldest first; at most `limit`."""
    query = select(AuditEvent).where(col(AuditEvent.target) == target, col(AuditEvent.tenant) == tenant)
    if after is not None:
        query = query.where(tuple_(col(AuditEvent.at), col(AuditEvent.id)) > tuple_(*after))
    # By time first: ids of one millisecond are in no order.
    return list(session.exec(query.order_by(col(AuditEvent.at), col(AuditEvent.id)).limit(limit)).all())
