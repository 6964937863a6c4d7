"""What the tasks of a transfer job show: the plan and its hash, figures of verification, a wave, what closing lacks."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from compliance.audit.deeds import shown_hash
from compliance.transfers.training import SPONSOR, training_of
from models.contracts.platform import OpenTaskInput
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import DecisionState, TaskType
from models.domain.transfers.states import Side
from models.domain.viewer import ANY_BRANCH
from models.operations.projection import TaskContent
from models.queries.transfers import jobs as queries
from models.tables.staff import Staff
from models.tables.tasks import Decision, Task
from models.tables.transfer_jobs import TransferRollback
from models.tables.transfers import TransferJob, TransferWave

_LEVEL: Final = timedelta(hours=72)  # wall clock
_URGENT: Final = timedelta(hours=4)
_URGENT_TASKS: Final = (
    TaskType.INCIDENT,
    TaskType.INCIDENT_CONFIRM,
    TaskType.TRANSFER_WAVE_STOPPED,
    TaskType.TRANSFER_ROLLBACK,
    TaskType.TRANSFER_TRAINING,
)


def job_content(session: Session, question: OpenTaskInput, *, now: datetime) -> TaskContent:
    """The whole list row of a task, and the hash that binds an approval to it.

    `incident_choice` says what the question is about: whose approval, which wave, which rollback.
    """
    job = session.get_one(TransferJob, question.case_token)
    task_type = TaskType(question.task_type)
    source = task_type is TaskType.TRANSFER_PLAN_APPROVAL and question.incident_choice == Side.SOURCE
    # The source's people approve in their own inbox; a source without people here has sent its approval as evidence.
    tenant = job.source_tenant if source and job.source_tenant is not None else job.tenant
    shown = _shown(session, job, question, task_type)
    if task_type is TaskType.TRANSFER_TRAINING:
        shown |= {"step": question.incident_step, "training": _training(session, job, now=now)}
    urgent = task_type in _URGENT_TASKS
    return TaskContent(
        tenant=tenant,
        workflow_id=question.workflow_id,
        case_token=job.token,
        task_no=question.task_no,
        task_type=task_type,
        candidate_role=CANDIDATE_ROLE[task_type],
        branch=job.branch if tenant == job.tenant else ANY_BRANCH,
        priority=90 if urgent else 70,
        due_at=now + (_URGENT if urgent else _LEVEL),
        amount_minor=None,
        currency=None,
        title_params=_title(job, question, shown),
        shown=shown,
        shown_hash=shown_hash(shown),
        blocked=[
            {"outcome": barred.outcome, "rule": barred.rule_id, "verdict": barred.verdict_id}
            for barred in question.blocked
        ]
        + _own_bars(session, job, source=source),
        excluded_persons=sorted(_excluded(session, job, question, task_type)),
        return_reason=question.return_reason,
    )


def _title(job: TransferJob, question: OpenTaskInput, shown: dict[str, Any]) -> dict[str, str | int]:
    params: dict[str, str | int] = {"case": job.token[-6:], "classes": ", ".join(job.classes)}
    if "training" in shown:
        params |= {name: shown["training"][name] for name in ("who", "because")}
    if question.incident_step is not None:
        params["gate"] = question.incident_step
    if question.incident_choice is not None:
        params |= {"side": question.incident_choice, "wave": question.incident_choice}
    return params


def _shown(session: Session, job: TransferJob, question: OpenTaskInput, task_type: TaskType) -> dict[str, Any]:
    # The task's own number stands in it: asked again, it is another subject, and its checker may answer anew.
    shown: dict[str, Any] = {
        "job": job.token,
        "record": f"/v1/transfers/{job.token}",
        "taskNo": question.task_no,
        "epoch": question.fence.epoch,
        "type": question.task_type,
        "classes": list(job.classes),
        "stage": job.stage,
    }
    if task_type in (TaskType.INCIDENT, TaskType.INCIDENT_CONFIRM):
        shown["incident"] = {"step": question.incident_step, "code": question.incident_code}
        if task_type is TaskType.INCIDENT_CONFIRM:
            shown["incident"]["choice"] = question.incident_choice
        return shown
    if task_type is TaskType.TRANSFER_TRAINING:
        return shown
    if task_type is TaskType.TRANSFER_GATE:
        return shown | {"gate": question.incident_step, "planHash": job.plan_hash}
    if task_type is TaskType.TRANSFER_WAVE_STOPPED:
        wave = session.get_one(TransferWave, (job.token, int(question.incident_choice or 0)))
        return shown | {"wave": _wave(wave), "code": question.incident_code, "errorBudget": job.error_budget}
    if task_type is TaskType.TRANSFER_ROLLBACK:
        asked = session.get_one(TransferRollback, (question.incident_choice or "").partition("/")[0])
        return shown | {"rollback": _rollback(asked), "waves": queries.wave_counts(session, job.token)}
    shown |= {"planHash": job.plan_hash, "evidence": _evidence(session, job.token), "facts": job.facts}
    if task_type is TaskType.TRANSFER_PLAN_APPROVAL:
        return shown | {"side": question.incident_choice, "plan": job.plan}
    if task_type is TaskType.TRANSFER_CLASSIFICATION:
        return shown
    return shown | {
        "rows": queries.row_counts(session, job.token),
        "counts": job.counts,
        "waves": queries.wave_counts(session, job.token),
        "backups": dict(queries.manifests_of(session, job.token)),
    }


def _training(session: Session, job: TransferJob, *, now: datetime) -> dict[str, Any]:
    """Who has to pass the course (培训准入), by their log-in, why, and where the grant is recorded."""
    found = training_of(session, job=job.token, staff_id=SPONSOR, now=now)
    person = session.get(Staff, found.staff_id)
    return {
        "staff": found.staff_id,
        "who": person.login if person is not None else found.staff_id,
        "because": found.lack.value if found.lack is not None else "",
        "until": found.until.isoformat() if found.until is not None else None,
        "grants": f"/v1/transfers/{job.token}/grants",
    }


def _own_bars(session: Session, job: TransferJob, *, source: bool) -> list[dict[str, Any]]:
    """A source that has no people here approves on paper: without that on file nobody approves for it."""
    if not source or job.source_tenant is not None or "source-approval" in queries.evidence_kinds(session, job.token):
        return []
    return [{"outcome": "approve", "rule": "source-approval-missing", "verdict": ""}]


def _excluded(session: Session, job: TransferJob, question: OpenTaskInput, task_type: TaskType) -> set[str]:
    if task_type is TaskType.TRANSFER_PLAN_APPROVAL:
        makers = {each.made_by_person for each in queries.plan_versions(session, job.token)}
        approved = queries.approvals_of(session, job.token, plan_hash=job.plan_hash)
        return makers | {job.created_by_person} | {each.person_id for each in approved}
    if task_type in (TaskType.TRANSFER_GO_NO_GO, TaskType.TRANSFER_CLOSE):
        return {job.created_by_person, *(each.made_by_person for each in queries.plan_versions(session, job.token))}
    if task_type is TaskType.TRANSFER_ROLLBACK:
        asked = session.get_one(TransferRollback, (question.incident_choice or "").partition("/")[0])
        return {asked.asked_by_person}
    if task_type is TaskType.INCIDENT_CONFIRM:
        return _last_incident(session, job.token)
    return set()


def _last_incident(session: Session, job: str) -> set[str]:
    proposer = session.exec(
        select(Decision.person_id)
        .join(Task, col(Task.id) == col(Decision.task_id))
        .where(
            col(Decision.case_token) == job,
            col(Decision.state) == DecisionState.APPLIED,
            col(Task.type) == TaskType.INCIDENT,
        )
        .order_by(col(Task.task_no).desc())
        .limit(1)
    ).first()
    return {proposer} if proposer is not None else set()


def _evidence(session: Session, job: str) -> list[dict[str, str]]:
    return [{"id": row.id, "kind": row.kind, "digest": row.digest} for row in queries.evidence_of(session, job)]


def _wave(wave: TransferWave) -> dict[str, Any]:
    return {
        "number": wave.number,
        "attempt": wave.attempt,
        "state": wave.state,
        "rows": wave.rows,
        "moved": wave.moved,
        "failed": wave.failed,
        "conflicts": wave.conflicts,
    }


def _rollback(asked: TransferRollback) -> dict[str, Any]:
    return {"id": asked.id, "wave": asked.wave, "reason": asked.reason_code, "by": asked.asked_by}
