"""What staff do with a task without moving its process: claim, give back, take the next one, remark.

None of it is told to the workflow. `(epoch, seq)`, which fences the workflow's writes, is left alone; a claim moves
`version` only, and a remark not even that.
"""

from datetime import datetime

from sqlalchemy import and_, not_
from sqlmodel import Session, col, select, update

from models.domain.states import TaskState, TaskType
from models.domain.viewer import Viewer
from models.errors import (
    AlreadyClaimed,
    CaseworkError,
    DecisionPending,
    NotClaimedByCaller,
    NotFound,
    StaleVersion,
    WrongState,
)
from models.tables.scopes import IS_OPEN, candidate
from models.tables.tasks import Task, TaskComment


def claim(
    session: Session, task_id: str, *, tenant: str, staff_id: str, now: datetime, expected_version: int | None = None
) -> int:
    """Take a free task; returns its new version. `expected_version` None means whichever it has.

    Raises:
        NotFound, AlreadyClaimed, DecisionPending, WrongState, StaleVersion: why not; nothing is changed.
    """
    free = and_(col(Task.state) == TaskState.READY, col(Task.assignee).is_(None))
    return _move(
        session,
        task_id,
        tenant=tenant,
        staff_id=staff_id,
        now=now,
        expected_version=expected_version,
        only_if=free,
        to=TaskState.CLAIMED,
        assignee=staff_id,
    )


def unclaim(
    session: Session, task_id: str, *, tenant: str, staff_id: str, now: datetime, expected_version: int | None = None
) -> int:
    """Give a task back that the caller holds; returns its new version.

    Raises:
        NotFound, NotClaimedByCaller, DecisionPending, WrongState, StaleVersion: why not; nothing is changed.
    """
    held = and_(col(Task.state) == TaskState.CLAIMED, col(Task.assignee) == staff_id)
    return _move(
        session,
        task_id,
        tenant=tenant,
        staff_id=staff_id,
        now=now,
        expected_version=expected_version,
        only_if=held,
        to=TaskState.READY,
        assignee=None,
    )


def claim_next(session: Session, *, tenant: str, viewer: Viewer, now: datetime) -> Task | None:
    """Take the most urgent free task that the viewer may do, in one statement; None if there is none.

    Passed over are tasks of other roles and branches, tasks whose maker the viewer is, and approvals above the viewer's
    authority. Two callers never get the same task: on PostgreSQL a row that another is taking is skipped, on SQLite
    writers take turns.
    """
    above_authority = and_(col(Task.type) == TaskType.APPROVAL, col(Task.amount_minor) > viewer.authority_amount_minor)
    most_urgent = (
        select(Task.id)
        .where(
            col(Task.tenant) == tenant,
            IS_OPEN,
            col(Task.state) == TaskState.READY,
            col(Task.assignee).is_(None),
            candidate(viewer),
            not_(above_authority),
        )
        .order_by(col(Task.priority).desc(), col(Task.due_at), col(Task.id))
        .limit(1)
        .with_for_update(skip_locked=True)
        .with_hint(Task, "INDEXED BY ix_tasks_open_order", "sqlite")
        .correlate(None)
        .scalar_subquery()
    )
    taken = session.exec(
        update(Task)
        .where(col(Task.id) == most_urgent, col(Task.state) == TaskState.READY)
        .values(state=TaskState.CLAIMED, assignee=viewer.staff_id, version=Task.version + 1, updated_at=now)
        .returning(col(Task.id))
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if taken is None else session.get_one(Task, taken[0], populate_existing=True)


def comment(
    session: Session, *, comment_id: str, tenant: str, task_id: str, author: str, text_cell: bytes, now: datetime
) -> TaskComment:
    """Add a remark. `text_cell` is sealed by the caller, whose address names `comment_id` as the row."""
    remark = TaskComment(
        id=comment_id, tenant=tenant, task_id=task_id, author=author, text_cell=text_cell, created_at=now
    )
    session.add(remark)
    session.flush()
    return remark


def _move(
    session: Session,
    task_id: str,
    *,
    tenant: str,
    staff_id: str,
    now: datetime,
    expected_version: int | None,
    only_if: object,
    to: TaskState,
    assignee: str | None,
) -> int:
    statement = update(Task).where(col(Task.id) == task_id, col(Task.tenant) == tenant, only_if)  # type: ignore[arg-type]
    if expected_version is not None:
        statement = statement.where(col(Task.version) == expected_version)
    moved = session.exec(
        statement.values(state=to, assignee=assignee, version=Task.version + 1, updated_at=now)
        .returning(col(Task.version))
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if moved is None:
        raise _why_not(session, task_id, tenant=tenant, staff_id=staff_id, to=to)
    return int(moved[0])


def _why_not(session: Session, task_id: str, *, tenant: str, staff_id: str, to: TaskState) -> CaseworkError:
    task = session.get(Task, task_id, populate_existing=True)
    if task is None or task.tenant != tenant:
        return NotFound()
    if task.state == TaskState.DECIDING:
        return DecisionPending()
    if task.state == TaskState.CLAIMED and task.assignee != staff_id:
        return (
            AlreadyClaimed(params={"holder": str(task.assignee)}) if to is TaskState.CLAIMED else NotClaimedByCaller()
        )
    if task.state != (TaskState.READY if to is TaskState.CLAIMED else TaskState.CLAIMED):
        return WrongState(params={"state": task.state})
    return StaleVersion(params={"currentVersion": task.version})
