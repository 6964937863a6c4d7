"""Decisions on record tasks: taken and applied in one transaction, since no workflow has a word in it."""

from datetime import datetime

from sqlmodel import Session, col, update

from models.domain.states import TaskState
from models.errors import NotFound, StaleVersion, WrongState
from models.tables.tasks import Decision, Task


def take_record_task(session: Session, *, task_id: str, read_version: int, now: datetime) -> None:
    """Move the version of an open task that was read; a second decision on the same version finds another one.

    Raises:
        NotFound, WrongState, StaleVersion: why not; nothing is changed.
    """
    taken = session.execute(
        update(Task)
        .where(
            col(Task.id) == task_id,
            col(Task.version) == read_version,
            col(Task.state).in_((TaskState.READY, TaskState.CLAIMED)),
        )
        .values(version=read_version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        return
    task = session.get(Task, task_id, populate_existing=True)
    if task is None:
        raise NotFound
    if task.version != read_version:
        raise StaleVersion(params={"currentVersion": task.version})
    raise WrongState(params={"state": task.state})


def keep_decision(session: Session, decision: Decision) -> None:
    """Keep a decision that is applied as it is taken."""
    session.add(decision)
    session.flush()
