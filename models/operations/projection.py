"""What a workflow writes about its tasks and its case: idempotent, and fenced by `(epoch, seq)`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, col, select, update

from models.contracts.platform import Fence
from models.domain.states import OPEN_TASK_STATES, CaseStage, TaskState, TaskType
from models.domain.tokens import new_token
from models.tables.installments import InstallmentCase
from models.tables.tasks import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskContent:
    """What a step task says; worked out by the activity from the records.

    Attributes:
        due_at: end of its service level, wall clock.
        amount_minor: minor units, for the list and for authority.
        shown: facts the decision is about; amounts, codes, dates and ids only.
    """

    tenant: str
    workflow_id: str
    case_token: str
    task_no: int
    task_type: str
    candidate_role: str
    branch: str
    priority: int
    due_at: datetime
    amount_minor: int | None
    currency: str | None
    title_params: dict[str, str | int]
    shown: dict[str, Any]
    shown_hash: str
    blocked: list[dict[str, Any]]
    excluded_persons: list[str]
    return_reason: str | None


def put_task(session: Session, content: TaskContent, *, fence: Fence, now: datetime) -> Task:
    """Write the row of `(workflow, task_no)`; an older writer changes nothing. Returns the row as it is now."""
    task = find_task(session, workflow_id=content.workflow_id, task_no=content.task_no)
    if task is not None:
        if (task.epoch, task.seq) >= (fence.epoch, fence.seq):
            return task
        if task.state in (TaskState.DONE, TaskState.CANCELLED):
            # A newer run asks again what an older one had answered (reset): the task is open once more.
            task.state, task.assignee, task.closed_at = TaskState.READY, None, None
        task.version += 1
    else:
        task = Task(id=new_token("tsk"), state=TaskState.READY, created_at=now, **_fields(content), updated_at=now)
    for name, value in _fields(content).items():
        setattr(task, name, value)
    task.epoch, task.seq, task.updated_at = fence.epoch, fence.seq, now
    session.add(task)
    session.flush()
    return task


def find_task(session: Session, *, workflow_id: str, task_no: int) -> Task | None:
    """The row of `(workflow, task_no)`, if it was ever written."""
    return session.exec(
        select(Task).where(col(Task.workflow_id) == workflow_id, col(Task.task_no) == task_no)
    ).one_or_none()


def show_document(
    session: Session, *, case_token: str, entry: dict[str, Any], rehash: Callable[[Any], str], now: datetime
) -> None:
    """A document has come in: the open documents task shows it, under a new version, so that nobody accepts unseen.

    Args:
        session: of the unit that adds the document.
        case_token: whose case.
        entry: the document as the task shows it: id, kind and digest.
        rehash: the hash of what is shown; a documents task is no checker's, so nobody is bound to the old one.
        now: of the change.
    """
    task = session.exec(
        select(Task).where(
            col(Task.case_token) == case_token,
            col(Task.type) == TaskType.DOCUMENTS,
            col(Task.state).in_((TaskState.READY, TaskState.CLAIMED)),
        )
    ).one_or_none()
    if task is None:
        return
    shown = task.shown | {"documents": [*task.shown.get("documents", []), entry]}
    session.exec(
        update(Task)
        .where(col(Task.id) == task.id, col(Task.version) == task.version)
        .values(shown=shown, shown_hash=rehash(shown), version=Task.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def close_task(session: Session, *, workflow_id: str, task_no: int, fence: Fence, now: datetime) -> None:
    """The task is decided."""
    _close(session, [col(Task.workflow_id) == workflow_id, col(Task.task_no) == task_no], TaskState.DONE, fence, now)


def cancel_open_tasks(session: Session, *, workflow_id: str, fence: Fence, now: datetime) -> None:
    """Whatever else is open of this workflow leads nowhere now."""
    _close(
        session,
        [col(Task.workflow_id) == workflow_id, col(Task.state).in_(OPEN_TASK_STATES)],
        TaskState.CANCELLED,
        fence,
        now,
    )


def cancel_task(session: Session, *, workflow_id: str, task_no: int, fence: Fence, now: datetime) -> bool:
    """One task's question has settled itself.

    Returns:
        False if it was closed already, or written by a newer run.
    """
    conditions = [
        col(Task.workflow_id) == workflow_id,
        col(Task.task_no) == task_no,
        col(Task.state).in_(OPEN_TASK_STATES),
    ]
    return _close(session, conditions, TaskState.CANCELLED, fence, now)


def put_case(
    session: Session,
    *,
    case_token: str,
    fence: Fence,
    now: datetime,
    stage: CaseStage,
    outcome: str | None = None,
    reason_code: str | None = None,
    granted: tuple[int, int, int] | None = None,
) -> bool:
    """Write where the case stands. `granted`: amount (minor units), term (months), concession (basis points).

    Returns:
        False if a newer write stood there already.
    """
    values: dict[str, Any] = {
        "stage": stage,
        "outcome": outcome,
        "reason_code": reason_code,
        "epoch": fence.epoch,
        "seq": fence.seq,
        "version": InstallmentCase.version + 1,
        "updated_at": now,
        "ended_at": now if stage is CaseStage.ENDED else None,
    }
    if stage is CaseStage.ENDED:
        values["pending_decision_id"] = None
    if granted is not None:
        values |= dict(
            zip(("granted_amount_minor", "granted_term_months", "granted_concession_bps"), granted, strict=True)
        )
    written = session.exec(
        update(InstallmentCase)
        .where(col(InstallmentCase.token) == case_token, _older(InstallmentCase, fence))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def _close(session: Session, conditions: list[Any], state: TaskState, fence: Fence, now: datetime) -> bool:
    closed = session.exec(
        update(Task)
        .where(*conditions, _older(Task, fence))
        .values(
            state=state,
            pending_decision_id=None,
            resume_state=None,
            epoch=fence.epoch,
            seq=fence.seq,
            version=Task.version + 1,
            updated_at=now,
            closed_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(closed.rowcount)


def _older(table: type[Task] | type[InstallmentCase], fence: Fence) -> Any:
    return tuple_(col(table.epoch), col(table.seq)) < tuple_(fence.epoch, fence.seq)


def _fields(content: TaskContent) -> dict[str, Any]:
    return {
        "tenant": content.tenant,
        "workflow_id": content.workflow_id,
        "case_token": content.case_token,
        "task_no": content.task_no,
        "type": content.task_type,
        "candidate_role": content.candidate_role,
        "branch": content.branch,
        "priority": content.priority,
        "due_at": content.due_at,
        "amount_minor": content.amount_minor,
        "currency": content.currency,
        "title_params": content.title_params,
        "shown": content.shown,
        "shown_hash": content.shown_hash,
        "blocked": content.blocked,
        "excluded_persons": content.excluded_persons,
        "return_reason": content.return_reason,
    }
