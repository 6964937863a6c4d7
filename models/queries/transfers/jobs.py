"""Reads about transfer jobs: the job itself, its evidence, its waves, what people want of it."""

from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, or_, select

from models.domain.transfers.rollbacks import OPEN_ROLLBACKS
from models.domain.transfers.states import JobStage, MoveState, Side, WaveState
from models.tables.transfer_jobs import TransferApproval, TransferEvidence, TransferPlanVersion, TransferRollback
from models.tables.transfers import TransferBackup, TransferJob, TransferRow, TransferSource, TransferWave

Position = tuple[datetime, str]
MOST_WAVES_SHOWN = 500


def job_for(session: Session, token: str, *, tenant: str) -> TransferJob | None:
    """A job that the tenant receives or gives: both companies look at it."""
    job = session.get(TransferJob, token)
    return job if job is not None and tenant in (job.tenant, job.source_tenant) else None


def list_jobs(
    session: Session, *, tenant: str, stage: str | None, only_open: bool, after: Position | None, limit: int
) -> list[TransferJob]:
    """Jobs of the tenant, as recipient or as source, newest first."""
    query = select(TransferJob).where(or_(col(TransferJob.tenant) == tenant, col(TransferJob.source_tenant) == tenant))
    if stage is not None:
        query = query.where(col(TransferJob.stage) == stage)
    if only_open:
        query = query.where(col(TransferJob.stage) != JobStage.ENDED.value)
    if after is not None:
        query = query.where(tuple_(col(TransferJob.created_at), col(TransferJob.token)) < tuple_(*after))
    ordered = query.order_by(col(TransferJob.created_at).desc(), col(TransferJob.token).desc())
    return list(session.exec(ordered.limit(limit)).all())


def sides_of(job: TransferJob) -> tuple[str, ...]:
    """Whose books there are here: the target's, and the source's unless rows come from files alone."""
    return (Side.TARGET.value,) if job.source_tenant is None else (Side.SOURCE.value, Side.TARGET.value)


def evidence_kinds(session: Session, job: str) -> frozenset[str]:
    """Kinds of evidence on file."""
    return frozenset(session.exec(select(TransferEvidence.kind).where(col(TransferEvidence.job) == job)).all())


def evidence_of(session: Session, job: str) -> list[TransferEvidence]:
    """All evidence of a job, oldest first."""
    query = select(TransferEvidence).where(col(TransferEvidence.job) == job)
    return list(session.exec(query.order_by(col(TransferEvidence.added_at), col(TransferEvidence.id))).all())


def plan_versions(session: Session, job: str) -> list[TransferPlanVersion]:
    """Versions of the plan, newest first."""
    query = select(TransferPlanVersion).where(col(TransferPlanVersion.job) == job)
    return list(session.exec(query.order_by(col(TransferPlanVersion.number).desc())).all())


def approvals_of(session: Session, job: str, *, plan_hash: str) -> list[TransferApproval]:
    """Who has approved this plan."""
    query = select(TransferApproval).where(
        col(TransferApproval.job) == job, col(TransferApproval.plan_hash) == plan_hash
    )
    return list(session.exec(query.order_by(col(TransferApproval.at), col(TransferApproval.side))).all())


def waves_of(session: Session, job: str) -> list[TransferWave]:
    """The waves of a job, in their order."""
    query = select(TransferWave).where(col(TransferWave.job) == job).order_by(col(TransferWave.number))
    return list(session.exec(query.limit(MOST_WAVES_SHOWN)).all())


def wave_counts(session: Session, job: str) -> dict[str, int]:
    """How many waves are in each state."""
    query = select(TransferWave.state, func.count()).where(col(TransferWave.job) == job)
    return {state: int(count) for state, count in session.exec(query.group_by(col(TransferWave.state)))}


def has_moved(session: Session, job: str) -> bool:
    """Whether anything of the target's book is changed by the job now."""
    changed = (WaveState.MOVING, WaveState.MOVED, WaveState.STOPPED, WaveState.UNDOING)
    return (
        session.exec(
            select(TransferWave.number)
            .where(col(TransferWave.job) == job, col(TransferWave.state).in_([each.value for each in changed]))
            .limit(1)
        ).first()
        is not None
    )


def open_rollback(session: Session, job: str) -> TransferRollback | None:
    """The oldest request that is not done and not refused."""
    return session.exec(
        select(TransferRollback)
        .where(
            col(TransferRollback.job) == job,
            col(TransferRollback.state).in_([each.value for each in OPEN_ROLLBACKS]),
        )
        .order_by(col(TransferRollback.asked_at), col(TransferRollback.id))
        .limit(1)
    ).first()


def row_counts(session: Session, job: str) -> dict[str, int]:
    """Rows by outcome, those without one as `unverified`, and of those that move by where they are."""
    found: dict[str, int] = {}
    for outcome, move, count in session.exec(
        select(TransferRow.outcome, TransferRow.move, func.count())
        .where(col(TransferRow.job) == job)
        .group_by(col(TransferRow.outcome), col(TransferRow.move))
    ):
        name = outcome or "unverified"
        found[name] = found.get(name, 0) + int(count)
        if move != MoveState.WAITING:
            found[f"move-{move}"] = found.get(f"move-{move}", 0) + int(count)
    read = session.exec(select(func.sum(TransferSource.read_rows)).where(col(TransferSource.job) == job)).one()
    return {"read": int(read or 0), **found}


def first_processing(session: Session, job: str) -> datetime | None:
    """When the job first touched personal data: its first backup."""
    return session.exec(select(func.min(TransferBackup.made_at)).where(col(TransferBackup.job) == job)).one()


def manifests_of(session: Session, job: str) -> list[tuple[str, dict[str, str | None]]]:
    """The newest backup of each side: its state, hash and root."""
    rows = session.exec(
        select(TransferBackup).where(col(TransferBackup.job) == job).order_by(col(TransferBackup.number))
    ).all()
    return [(row.side, {"state": row.state, "manifest": row.manifest_hash, "root": row.root}) for row in rows]


def rollbacks_of(session: Session, job: str) -> list[TransferRollback]:
    """Requests for a rollback, newest first."""
    query = select(TransferRollback).where(col(TransferRollback.job) == job)
    return list(session.exec(query.order_by(col(TransferRollback.asked_at).desc(), col(TransferRollback.id))).all())
