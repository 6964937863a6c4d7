"""Mending drift between the inbox and the workflows; every repair is a deed with an event."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, tuple_
from sqlmodel import Session, col, update

from models.contracts.platform import Fence
from models.domain.states import OPEN_TASK_STATES, CaseStage, TaskState
from models.tables.installments import InstallmentCase
from models.tables.tasks import Task


def close_ghost(session: Session, *, task_id: str, seen: Fence | None, now: datetime) -> bool:
    """A task that no workflow knows: nobody can decide it any more.

    Args:
        session: of the unit that records the repair.
        task_id: the row.
        seen: up to where the workflow's account goes; a row that was written since stays. None: it has ended.
        now: of the repair.

    Returns:
        False if the row was closed, or has been written since.
    """
    conditions = [col(Task.id) == task_id, col(Task.state).in_(OPEN_TASK_STATES)]
    if seen is not None:
        conditions.append(_known_to(seen))
    closed = session.exec(
        update(Task)
        .where(*conditions)
        .values(
            state=TaskState.CANCELLED,
            pending_decision_id=None,
            resume_state=None,
            version=Task.version + 1,
            updated_at=now,
            closed_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(closed.rowcount)


def reopen_missing(session: Session, *, workflow_id: str, task_no: int, seen: Fence, now: datetime) -> bool:
    """A task that the workflow waits for, closed in the records: people must see it again.

    Args:
        session: of the unit that records the repair.
        workflow_id: which workflow waits.
        task_no: for which of its tasks.
        seen: up to where the workflow's account goes; a row that was closed since was closed by the workflow.
        now: of the repair.

    Returns:
        False if there is no such row, or it is open, or it has been written since.
    """
    opened = session.exec(
        update(Task)
        .where(
            col(Task.workflow_id) == workflow_id,
            col(Task.task_no) == task_no,
            col(Task.state).not_in(OPEN_TASK_STATES),
            _known_to(seen),
        )
        .values(
            state=TaskState.READY,
            assignee=None,
            pending_decision_id=None,
            resume_state=None,
            version=Task.version + 1,
            updated_at=now,
            closed_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(opened.rowcount)


def set_case(
    session: Session, *, case_token: str, stage: str, outcome: str | None, reason_code: str | None, now: datetime
) -> bool:
    """Write the workflow's own account of the case over a differing record."""
    values: dict[str, Any] = {
        "stage": stage,
        "outcome": outcome,
        "reason_code": reason_code,
        "version": InstallmentCase.version + 1,
        "updated_at": now,
        "ended_at": now if stage == CaseStage.ENDED else None,
    }
    written = session.exec(
        update(InstallmentCase)
        .where(col(InstallmentCase.token) == case_token)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def _known_to(seen: Fence) -> ColumnElement[bool]:
    return tuple_(col(Task.epoch), col(Task.seq)) <= tuple_(seen.epoch, seen.seq)
