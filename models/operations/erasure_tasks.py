"""The tasks of a request to erase (删除权): a proposal waits for its first person, a request for its second.

They are record tasks: no workflow stands behind them. Whatever moves a request calls `sync_tasks` in the same unit of
work, so that the inbox says what the register says, by whichever way it was decided.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select, update

from models.domain.canonical import digest
from models.domain.ids import erasure_record_id
from models.domain.privacy.erasing import ErasureState
from models.domain.privacy.retention import Obstacle
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.tokens import new_token
from models.domain.viewer import ANY_BRANCH
from models.operations.four_eyes import makers
from models.tables.erasure import ErasureRequest
from models.tables.tasks import Task

# Which task stands while a request is in which state, and under which number.
_WAITS: Final = {
    ErasureState.PROPOSED: (1, TaskType.ERASURE_PROPOSAL),
    ErasureState.REQUESTED: (2, TaskType.ERASURE_APPROVAL),
}
_DUTY: Final = "duty:"
# 个人信息保护法 Art. 50 says "in time" (及时) and counts no days: policy. Nobody asks for a duty's proposal, and a
# first sweep makes thousands: they stand behind everything else.
_WITHIN: Final = timedelta(days=15)
_WITHIN_OF_DUTY: Final = timedelta(days=30)
_PRIORITY: Final = 60
_PRIORITY_OF_DUTY: Final = 20


def sync_tasks(
    session: Session, request: ErasureRequest, *, now: datetime, periods: Sequence[Obstacle] | None = None
) -> None:
    """Bring the tasks to where the request stands: opened, or closed with it. Repeatable.

    Args:
        session: of the unit that moves the request.
        request: as it stands now.
        now: of the change.
        periods: the person's, to be shown; None: those of the task before it.
    """
    session.flush()
    waits = _WAITS.get(ErasureState(request.state))
    if request.subject_id is None:  # carried out: the task that decided it closed before
        return
    record = erasure_record_id(request.tenant, request.id, request.subject_id)
    for no, _ in _WAITS.values():
        if waits is None or no != waits[0]:
            _close(session, record, no, now)
    if waits is not None:
        _open(session, request, record, waits, periods=periods, now=now)
    session.flush()


def _close(session: Session, record: str, no: int, now: datetime) -> None:
    """In one statement: whoever claims it meanwhile does not bring it back."""
    session.exec(
        update(Task)
        .where(col(Task.workflow_id) == record, col(Task.task_no) == no, col(Task.state).in_(OPEN_TASK_STATES))
        .values(state=TaskState.DONE.value, version=Task.version + 1, updated_at=now, closed_at=now)
        .execution_options(synchronize_session=False)
    )


def _open(
    session: Session,
    request: ErasureRequest,
    record: str,
    waits: tuple[int, TaskType],
    *,
    periods: Sequence[Obstacle] | None,
    now: datetime,
) -> None:
    (no, kind), before = waits, None
    for task in session.exec(select(Task).where(col(Task.workflow_id) == record)).all():
        if task.task_no == no:
            return  # a request is never twice in the same state
        before = task
    shown = _shown(request, _told(periods) if before is None or periods is not None else before.shown["periods"])
    by_duty = request.requested_by.startswith(_DUTY) and request.endorsed_by is None
    session.add(
        Task(
            id=new_token("tsk"),
            tenant=request.tenant,
            workflow_id=record,
            task_no=no,
            type=kind,
            state=TaskState.READY,
            candidate_role=CANDIDATE_ROLE[kind],
            branch=ANY_BRANCH,
            priority=_PRIORITY_OF_DUTY if by_duty else _PRIORITY,
            due_at=now + (_WITHIN_OF_DUTY if by_duty else _WITHIN),
            title_params={"ground": request.ground, "record": request.id[-6:]},
            shown=shown,
            shown_hash=digest(shown),
            excluded_persons=sorted(makers(session, shown_hash=request.shown_hash)),
            created_at=now,
            updated_at=now,
        )
    )


def _shown(request: ErasureRequest, periods: list[dict[str, Any]]) -> dict[str, Any]:
    """Ids, ground, dates and rules; `shownHash` is what both persons of the request itself are bound to."""
    return {
        "erasure": request.id,
        "record": f"/v1/erasure-requests/{request.id}",
        "subject": request.subject_id,
        "ground": request.ground,
        "requestedBy": request.requested_by,
        "endorsedBy": request.endorsed_by,
        "requestedAt": request.requested_at.isoformat(),
        "periods": periods,
        "shownHash": request.shown_hash,
    }


def _told(periods: Sequence[Obstacle] | None) -> list[dict[str, Any]]:
    return [
        {
            "rule": each.rule,
            "eventOn": None if each.event_on is None else each.event_on.isoformat(),
            "until": None if each.until is None else each.until.isoformat(),
        }
        for each in periods or ()
    ]
