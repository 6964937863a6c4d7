"""What the reconciler of transfer jobs looks at: jobs and waves that a workflow should carry, wishes not yet heard."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from models.domain.ids import transfer_workflow_id
from models.domain.states import TaskState, TaskType
from models.domain.transfers.rollbacks import OPEN_ROLLBACKS
from models.domain.transfers.states import JobStage, WaveState
from models.queries.transfers.jobs import has_moved
from models.tables.tasks import Task
from models.tables.transfer_jobs import TransferRollback
from models.tables.transfers import TransferJob, TransferWave

_ASKS: tuple[TaskState, ...] = (TaskState.READY, TaskState.CLAIMED)


@dataclass(frozen=True, kw_only=True, slots=True)
class MovingWave:
    """A wave that has begun and not come to its end."""

    job: str
    number: int
    attempt: int


def running_jobs(session: Session, *, limit: int, after: str = "") -> list[TransferJob]:
    """Jobs that have not ended, by token."""
    query = select(TransferJob).where(col(TransferJob.stage) != JobStage.ENDED.value, col(TransferJob.token) > after)
    return list(session.exec(query.order_by(col(TransferJob.token)).limit(limit)).all())


def moving_waves(session: Session, jobs: list[str], *, before: datetime) -> list[MovingWave]:
    """Waves of these jobs that move, and have begun before an instant."""
    query = select(TransferWave.job, TransferWave.number, TransferWave.attempt).where(
        col(TransferWave.job).in_(jobs),
        col(TransferWave.state) == WaveState.MOVING.value,
        col(TransferWave.begun_at) <= before,
    )
    ordered = query.order_by(col(TransferWave.job), col(TransferWave.number))
    return [MovingWave(job=job, number=number, attempt=attempt) for job, number, attempt in session.exec(ordered)]


def does_move(session: Session, wave: MovingWave) -> bool:
    """Whether it still moves, in the same attempt, and its job goes on."""
    row, job = session.get(TransferWave, (wave.job, wave.number)), session.get(TransferJob, wave.job)
    if row is None or job is None or job.stage == JobStage.ENDED:
        return False
    return row.state == WaveState.MOVING and row.attempt == wave.attempt


def has_unheard_wish(session: Session, job: TransferJob, *, before: datetime) -> bool:
    """Whether people want something of a job that sits on a question which is older than the wish.

    A job that has heard of a wish has taken its question back. Wishes after `before` may still be on their way.
    """
    wished = session.exec(
        select(func.max(TransferRollback.asked_at)).where(
            col(TransferRollback.job) == job.token,
            col(TransferRollback.state).in_([state.value for state in OPEN_ROLLBACKS]),
            col(TransferRollback.asked_at) <= before,
        )
    ).one()
    cancelled = job.cancel_asked_at
    if cancelled is not None and cancelled <= before and not has_moved(session, job.token):
        wished = max(wished, cancelled) if wished is not None else cancelled
    if wished is None:
        return False
    query = select(Task.id).where(
        col(Task.workflow_id) == transfer_workflow_id(job.token),
        col(Task.state).in_(_ASKS),
        col(Task.type) != TaskType.TRANSFER_ROLLBACK,
        col(Task.created_at) < wished,
    )
    return session.exec(query.limit(1)).first() is not None
