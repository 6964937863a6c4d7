"""How the API tells of transfer jobs, and who may do what with one, with the rule that refuses the rest."""

from typing import Final

from sqlmodel import Session

from api.identity.principal import Principal
from api.tasks.views import PermitAnswer
from api.transfers.job_bodies import (
    ApprovalAnswer,
    EvidenceAnswer,
    JobAnswer,
    JobItem,
    JobProgress,
    PlanVersionAnswer,
    RollbackAnswer,
)
from api.wording import worded
from models.domain.roles import Permission
from models.domain.transfers.states import JobStage
from models.operations.transfers.jobs import PLANNABLE
from models.queries.transfers import jobs as queries
from models.queries.transfers.facts_departed import departure_counts
from models.tables.transfer_jobs import TransferEvidence, TransferPlanVersion, TransferRollback
from models.tables.transfers import TransferJob

_STAGES: Final = [stage for stage in JobStage if stage is not JobStage.ENDED]


def job_answer(session: Session, job: TransferJob, principal: Principal, *, locale: str) -> JobAnswer:
    """A job with everything a person decides by."""
    approvals = queries.approvals_of(session, job.token, plan_hash=job.plan_hash)
    versions = queries.plan_versions(session, job.token)
    return JobAnswer(
        job=job.token,
        tenant=job.tenant,
        source_tenant=job.source_tenant,
        classes=job.classes,
        stage=job.stage,
        stage_text=worded(f"transfer-stage.{job.stage}", locale),
        outcome=job.outcome,
        reason_code=job.reason_code,
        paused=job.paused_at is not None,
        cancel_asked=job.cancel_asked_at is not None,
        plan=job.plan,
        plan_hash=job.plan_hash,
        plan_version=versions[0].number if versions else 0,
        approvals=[
            ApprovalAnswer(side=each.side, tenant=each.tenant, by=each.staff_id, at=each.at) for each in approvals
        ],
        facts=job.facts,
        counts=job.counts,
        error_budget=job.error_budget,
        created_by=job.created_by,
        created_at=job.created_at,
        updated_at=job.updated_at,
        ended_at=job.ended_at,
        version=job.version,
        allowed_actions=_permits(session, job, principal, locale=locale),
    )


def job_item(job: TransferJob, *, locale: str) -> JobItem:
    """A job in a list."""
    return JobItem(
        job=job.token,
        source_tenant=job.source_tenant,
        classes=job.classes,
        stage=job.stage,
        stage_text=worded(f"transfer-stage.{job.stage}", locale),
        outcome=job.outcome,
        paused=job.paused_at is not None,
        created_at=job.created_at,
        ended_at=job.ended_at,
    )


def progress_answer(session: Session, job: TransferJob) -> JobProgress:
    """How far a job is."""
    stage = JobStage(job.stage)
    return JobProgress(
        job=job.token,
        stage=job.stage,
        outcome=job.outcome,
        paused=job.paused_at is not None,
        stages_done=len(_STAGES) if stage is JobStage.ENDED else _STAGES.index(stage),
        stages=len(_STAGES),
        rows=queries.row_counts(session, job.token),
        waves=queries.wave_counts(session, job.token),
        departures=departure_counts(session, job.token),
    )


def version_answer(row: TransferPlanVersion) -> PlanVersionAnswer:
    """One version of a plan."""
    return PlanVersionAnswer(
        number=row.number, plan_hash=row.plan_hash, plan=row.plan, made_by=row.made_by, made_at=row.made_at
    )


def evidence_answer(row: TransferEvidence) -> EvidenceAnswer:
    """Evidence on file."""
    return EvidenceAnswer(
        id=row.id,
        kind=row.kind,
        digest=row.digest,
        reference=row.reference,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        added_by=row.added_by,
        added_at=row.added_at,
    )


def rollback_answer(row: TransferRollback) -> RollbackAnswer:
    """A request for a rollback."""
    return RollbackAnswer(
        id=row.id,
        wave=row.wave,
        state=row.state,
        reason_code=row.reason_code,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        done_at=row.done_at,
    )


def _permits(session: Session, job: TransferJob, principal: Principal, *, locale: str) -> dict[str, PermitAnswer]:
    """What the caller may do now; the order is that of a job's life."""
    ended, moved = job.stage == JobStage.ENDED, queries.has_moved(session, job.token)
    asked = queries.open_rollback(session, job.token) is not None
    stands_against = {
        "replace-plan": None if job.stage in PLANNABLE else job.stage,
        "add-evidence": job.stage if ended else None,
        "pause": job.stage if ended else "paused" if job.paused_at is not None else None,
        "resume": job.stage if ended else None if job.paused_at is not None else "running",
        "cancel": job.stage if ended else "rows-have-moved" if moved else None,
        "ask-rollback": job.stage if ended else "nothing-moved" if not moved else "rollback-asked" if asked else None,
    }
    return {
        action: _permit(principal, tenant=job.tenant, state=state, locale=locale)
        for action, state in stands_against.items()
    }


def _permit(principal: Principal, *, tenant: str, state: str | None, locale: str) -> PermitAnswer:
    because, params = None, {}
    if Permission.TRANSFERS_RUN not in principal.permissions or principal.tenant != tenant:
        because, params = "permission-missing", {"permission": Permission.TRANSFERS_RUN.value}
    elif state is not None:
        because, params = "wrong-state", {"state": state}
    if because is None:
        return PermitAnswer(allowed=True)
    text = worded(f"problem.{because}.detail", locale, params)
    return PermitAnswer(allowed=False, because=because, because_text=text, params=dict(params))
