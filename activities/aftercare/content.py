"""What tasks of after-care show: the follow-up or ticket, how the agreement stands, what a checker is bound to."""

import hashlib
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from activities.installments.plan_content import agreement_shown, owed_minor
from compliance.audit.deeds import shown_hash
from models.contracts.platform import OpenTaskInput
from models.domain.aftercare.follow_ups import SCHEDULE
from models.domain.ids import care_item
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import TaskType
from models.operations.projection import TaskContent
from models.tables.aftercare import FollowUp
from models.tables.daily import Ticket
from models.tables.installments import InstallmentCase
from models.tables.tasks import Decision

_FOLLOW_UP_LEVEL: Final = timedelta(hours=72)  # wall clock, as the service levels of the other tasks
_PRIORITY: Final = {TaskType.FOLLOW_UP: 40, TaskType.TICKET: 60, TaskType.TICKET_CHECK: 65, TaskType.TICKET_OVERDUE: 85}


def care_content(session: Session, question: OpenTaskInput, *, now: datetime) -> TaskContent:
    """The whole list row of a task of after-care."""
    case = session.get_one(InstallmentCase, question.case_token)
    task_type, item = TaskType(question.task_type), care_item(question.workflow_id)
    shown: dict[str, Any] = {
        "case": case.token,
        "taskNo": question.task_no,
        "epoch": question.fence.epoch,
        "type": question.task_type,
        "agreement": agreement_shown(session, case.token),
    }
    excluded: list[str] = []
    if task_type is TaskType.FOLLOW_UP:
        follow_up = session.get_one(FollowUp, item)
        kind, due_at = follow_up.kind, now + _FOLLOW_UP_LEVEL
        shown |= {"followUp": _follow_up(follow_up)}
    else:
        ticket = session.get_one(Ticket, item)
        kind, due_at = ticket.kind, ticket.due_at
        shown |= {"ticket": _ticket(ticket)}
        if task_type is TaskType.TICKET_CHECK:
            proposal = session.get_one(Decision, ticket.answer_decision_id)
            shown |= {"proposal": _proposal(proposal)}
            excluded = [person for person in (proposal.person_id, ticket.opened_by_person) if person is not None]
    return TaskContent(
        tenant=case.tenant,
        workflow_id=question.workflow_id,
        case_token=case.token,
        task_no=question.task_no,
        task_type=task_type,
        candidate_role=CANDIDATE_ROLE[task_type],
        branch=case.branch,
        priority=_PRIORITY[task_type],
        due_at=due_at,
        amount_minor=owed_minor(session, case.token),
        currency=case.currency,
        title_params={"kind": kind, "case": case.token[-6:]},
        shown=shown,
        shown_hash=shown_hash(shown),
        blocked=[],
        excluded_persons=sorted(set(excluded)),
        return_reason=question.return_reason,
    )


def _follow_up(row: FollowUp) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "anchor": row.anchor.isoformat(),
        "dueOn": row.due_on.isoformat(),
        "attempt": row.attempt,
        "maxAttempts": SCHEDULE.max_attempts,
    }


def _ticket(row: Ticket) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "channel": row.channel,
        "openedAt": row.created_at.isoformat(),
        "dueAt": row.due_at.isoformat(),
        "extensions": row.extensions,
        "escalated": row.escalated_at is not None,
    }


def _proposal(decision: Decision) -> dict[str, Any]:
    """A rejection that waits for its checker; the sealed words are named by the digest of their cell."""
    words = decision.note_cell or b""
    return {"decision": decision.id, "reason": decision.reason_code, "wordsDigest": hashlib.sha256(words).hexdigest()}
