"""What the tasks of a batch's run show: cohort, rules, rehearsal and settings by hash; figures; what is lacking."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from compliance.audit.deeds import shown_hash
from models.contracts.platform import OpenTaskInput
from models.domain.ids import batch_workflow_id
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import DecisionState, TaskType
from models.operations.projection import TaskContent
from models.queries.batches.runs import order_counts, rehearsal_counts
from models.tables.batch_cohorts import BatchCohort
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Decision, Task

_LEVEL: Final = timedelta(hours=24)  # wall clock
_URGENT: Final = timedelta(hours=2)
_URGENT_TASKS: Final = (TaskType.INCIDENT, TaskType.INCIDENT_CONFIRM, TaskType.BATCH_BREAKER)


def run_content(session: Session, question: OpenTaskInput, *, now: datetime) -> TaskContent:
    """The whole list row of a task, and the hash that binds a decision to it."""
    run = session.get_one(BatchRun, question.case_token)
    task_type = TaskType(question.task_type)
    shown = _shown(session, run, question, task_type)
    urgent = task_type in _URGENT_TASKS
    params: dict[str, str | int] = {"case": run.token[-6:], "kind": run.kind}
    if question.incident_step is not None:
        params["gate"] = question.incident_step
    return TaskContent(
        tenant=run.tenant,
        workflow_id=question.workflow_id,
        case_token=run.token,
        task_no=question.task_no,
        task_type=task_type,
        candidate_role=CANDIDATE_ROLE[task_type],
        branch=run.branch,
        priority=90 if urgent else 70,
        due_at=now + (_URGENT if urgent else _LEVEL),
        amount_minor=None,
        currency=None,
        title_params=params,
        shown=shown,
        shown_hash=shown_hash(shown),
        blocked=[
            {"outcome": barred.outcome, "rule": barred.rule_id, "verdict": barred.verdict_id}
            for barred in question.blocked
        ],
        excluded_persons=sorted(_excluded(session, run, task_type)),
        return_reason=question.return_reason,
    )


def _shown(session: Session, run: BatchRun, question: OpenTaskInput, task_type: TaskType) -> dict[str, Any]:
    # The task's own number stands in it: asked again, it is another subject, and its checker may answer anew.
    shown: dict[str, Any] = {
        "run": run.token,
        "record": f"/v1/batches/{run.token}",
        "taskNo": question.task_no,
        "epoch": question.fence.epoch,
        "type": question.task_type,
        "kind": run.kind,
        "stage": run.stage,
        "revision": run.revision,
    }
    if task_type in (TaskType.INCIDENT, TaskType.INCIDENT_CONFIRM):
        incident: dict[str, Any] = {"step": question.incident_step, "code": question.incident_code}
        if task_type is TaskType.INCIDENT_CONFIRM:
            incident["choice"] = question.incident_choice
        return shown | {"incident": incident}
    if task_type is TaskType.BATCH_GATE:
        return shown | {"gate": question.incident_step, "code": question.incident_code}
    shown |= {
        "settings": run.settings,
        "criteria": run.criteria,
        "ruleVersion": run.rule_version,
        "cohort": _cohort(session, run),
    }
    if task_type is TaskType.BATCH_APPROVAL:
        return shown | {"rehearsal": _sums(rehearsal_counts(session, run)), "rehearsalHash": run.rehearsal_hash}
    return shown | {"orders": _sums(order_counts(session, run.token)), "code": question.incident_code}


def _cohort(session: Session, run: BatchRun) -> dict[str, Any] | None:
    cohort = session.exec(
        select(BatchCohort).where(col(BatchCohort.run) == run.token, col(BatchCohort.revision) == run.revision)
    ).one_or_none()
    if cohort is None:
        return None
    return {
        "members": cohort.members,
        "excluded": cohort.excluded,
        "amountMinor": cohort.amount_minor,
        "hash": cohort.cohort_hash,
    }


def _sums(counts: dict[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {state: {"orders": count, "amountMinor": total} for state, (count, total) in sorted(counts.items())}


def _excluded(session: Session, run: BatchRun, task_type: TaskType) -> set[str]:
    if task_type in (TaskType.BATCH_APPROVAL, TaskType.BATCH_BREAKER, TaskType.BATCH_CLOSE):
        return {run.created_by_person}
    if task_type is TaskType.INCIDENT_CONFIRM:
        proposer = session.exec(
            select(Decision.person_id)
            .join(Task, col(Task.id) == col(Decision.task_id))
            .where(
                col(Decision.workflow_id) == batch_workflow_id(run.token),
                col(Decision.state) == DecisionState.APPLIED,
                col(Task.type) == TaskType.INCIDENT,
            )
            .order_by(col(Task.task_no).desc())
            .limit(1)
        ).first()
        return {proposer} if proposer is not None else set()
    return set()
