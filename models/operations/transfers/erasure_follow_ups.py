"""A follow-up by which a customer asks to be erased, and the request of erasure that it becomes: they end together."""

from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select, update

from models.domain.privacy.erasing import ErasureRejectReason, ErasureState
from models.domain.privacy.retention import Bar
from models.domain.states import OPEN_TASK_STATES, TaskState
from models.operations.transfers.follow_ups import DONE, OPEN, tell_answer
from models.tables.erasure import ErasureRequest
from models.tables.tasks import Task
from models.tables.transfer_notices import TransferFollowUp

ERASED: Final = "erased"
_KEPT: Final = "law-requires-keeping"
_STANDS: Final = "relation-stands"
_REJECTED: Final = {
    ErasureRejectReason.NOT_THE_PERSON.value: "not-the-customer",
    ErasureRejectReason.ASKED_BY_MISTAKE.value: "explained",
    ErasureRejectReason.GROUND_NOT_GIVEN.value: "explained",
}


def link_request(session: Session, follow_up: str, request: ErasureRequest, *, now: datetime) -> None:
    """The follow-up ends with this request; at once, if that was refused."""
    session.execute(update(TransferFollowUp).where(col(TransferFollowUp.id) == follow_up).values(erasure=request.id))
    settle_follow_up(session, request, now=now)


def settle_follow_up(session: Session, request: ErasureRequest, *, now: datetime) -> None:
    """Close what is linked to a request that has ended, and tell the customer why, while somebody can be told."""
    answer = _answer(request)
    if answer is None:
        return
    linked = session.exec(
        select(TransferFollowUp)
        .where(col(TransferFollowUp.erasure) == request.id, col(TransferFollowUp.state) == OPEN)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for follow_up in linked:
        follow_up.state, follow_up.answer, follow_up.done_at = DONE, answer, now
        follow_up.done_by = request.decided_by or request.requested_by
        session.add(follow_up)
        session.flush()
        session.execute(
            update(Task)
            .where(col(Task.id) == follow_up.task_id, col(Task.state).in_(OPEN_TASK_STATES))
            .values(state=TaskState.CANCELLED.value, version=Task.version + 1, updated_at=now, closed_at=now)
            .execution_options(synchronize_session=False)
        )
        if answer != ERASED:  # nobody knows any more how to reach who was erased: the answer stands behind their link
            tell_answer(session, follow_up, answer=answer, now=now)


def _answer(request: ErasureRequest) -> str | None:
    """What the customer is told; None while the request is under way."""
    match ErasureState(request.state):
        case ErasureState.ERASED | ErasureState.CERTIFIED:
            return ERASED
        case ErasureState.REJECTED:
            return _REJECTED.get(request.reason_code or "", "explained")
        case ErasureState.REFUSED:
            rules = {each["rule"] for each in request.obstacles}
            return _STANDS if rules == {Bar.RELATION.value} else _KEPT
        case _:
            return None
