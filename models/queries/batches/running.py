"""What the reconciler of batches looks at: runs that a workflow should carry, and wishes not yet heard."""

from datetime import datetime

from sqlmodel import Session, col, select

from models.domain.batches.states import RunStage
from models.domain.ids import batch_workflow_id
from models.domain.states import TaskState
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Task

_ASKS: tuple[TaskState, ...] = (TaskState.READY, TaskState.CLAIMED)


def running_runs(session: Session, *, limit: int, after: str = "") -> list[BatchRun]:
    """Runs that have not ended, by token."""
    query = select(BatchRun).where(col(BatchRun.stage) != RunStage.ENDED.value, col(BatchRun.token) > after)
    return list(session.exec(query.order_by(col(BatchRun.token)).limit(limit)).all())


def has_unheard_wish(session: Session, run: BatchRun, *, before: datetime) -> bool:
    """Whether somebody wants the run to end and it still sits on a question that is older than the wish.

    A run that has heard of it has taken its question back. Wishes after `before` may still be on their way.
    """
    wished = run.cancel_asked_at
    if wished is None or wished > before:
        return False
    query = select(Task.id).where(
        col(Task.workflow_id) == batch_workflow_id(run.token),
        col(Task.state).in_(_ASKS),
        col(Task.created_at) < wished,
    )
    return session.exec(query.limit(1)).first() is not None
