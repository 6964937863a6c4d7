"""What each step task of an installment case shows: facts from the records, worked out when the task is opened."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from activities.installments.plan_content import (
    IN_SERVICE,
    TO_SIGN,
    agreement_shown,
    balances_shown,
    chosen_plan,
    offers_shown,
    owed_minor,
    signing_shown,
)
from compliance.audit.deeds import shown_hash
from models.contracts.platform import OpenTaskInput
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import CHECKER_TASKS, DecisionState, TaskType
from models.operations.projection import TaskContent
from models.queries import cases
from models.queries.parties import has_card
from models.tables.installments import CaseDocument, InstallmentCase, Proposal
from models.tables.tasks import Decision, Task

# Service levels, wall clock. Business calendars refine them where a calendar is published.
SERVICE_LEVEL: Final[dict[TaskType, timedelta]] = {
    TaskType.DOCUMENTS: timedelta(hours=72),
    TaskType.ASSESSMENT: timedelta(hours=24),
    TaskType.NEGOTIATION: timedelta(hours=120),
    TaskType.APPROVAL: timedelta(hours=8),
    TaskType.COUNTER_OFFER: timedelta(hours=72),
    TaskType.SIGNING: timedelta(hours=168),
    TaskType.PAPER_CHECK: timedelta(hours=24),
    TaskType.ACTIVATION: timedelta(hours=24),
    TaskType.MISSED: timedelta(hours=48),
    TaskType.DEFAULT: timedelta(hours=72),
    TaskType.INCIDENT: timedelta(hours=4),
    TaskType.INCIDENT_CONFIRM: timedelta(hours=4),
}
_INCIDENTS: Final = (TaskType.INCIDENT, TaskType.INCIDENT_CONFIRM)


def task_content(session: Session, question: OpenTaskInput, *, now: datetime) -> TaskContent:
    """The whole list row of a task, and the hash that binds an approval to it."""
    case = session.get_one(InstallmentCase, question.case_token)
    task_type = TaskType(question.task_type)
    proposal = cases.latest_proposal(session, case_token=case.token)
    shown = _shown(session, case, question, proposal)
    amount = _amount(session, case, task_type, proposal)
    return TaskContent(
        tenant=case.tenant,
        workflow_id=question.workflow_id,
        case_token=case.token,
        task_no=question.task_no,
        task_type=task_type,
        candidate_role=CANDIDATE_ROLE[task_type],
        branch=case.branch,
        priority=_priority(task_type, amount),
        due_at=now + SERVICE_LEVEL[task_type],
        amount_minor=amount,
        currency=case.currency,
        title_params={"amountMinor": amount, "termMonths": case.requested_term_months, "case": case.token[-6:]},
        shown=shown,
        shown_hash=shown_hash(shown),
        blocked=[
            {"outcome": barred.outcome, "rule": barred.rule_id, "verdict": barred.verdict_id}
            for barred in question.blocked
        ],
        excluded_persons=list(_excluded(session, case, task_type)),
        return_reason=question.return_reason,
    )


def _shown(
    session: Session, case: InstallmentCase, question: OpenTaskInput, proposal: Proposal | None
) -> dict[str, Any]:
    # The task's own number stands in it: asked again, it is another subject, and its checker may answer anew.
    shown: dict[str, Any] = {
        "case": case.token,
        "taskNo": question.task_no,
        "epoch": question.fence.epoch,
        "type": question.task_type,
    }
    if TaskType(question.task_type) in _INCIDENTS:
        shown["incident"] = {"step": question.incident_step, "code": question.incident_code}
        if question.incident_choice is not None:
            shown["incident"] |= {"choice": question.incident_choice, "figures": _chosen_figures(session, case.token)}
        return shown
    if TaskType(question.task_type) in IN_SERVICE:
        return shown | {"agreement": agreement_shown(session, case.token)}
    if TaskType(question.task_type) in TO_SIGN:
        return shown | {
            "plan": chosen_plan(session, proposal),
            "signing": signing_shown(session, case.token),
            "verdicts": _verdicts(session, case.token),
        }
    if TaskType(question.task_type) is TaskType.DOCUMENTS:
        # As of now; what is still missing when it is decided is asked again then.
        shown |= {"missing": [] if has_card(session, case.subject_id) else ["card-number"]}
    if TaskType(question.task_type) is TaskType.NEGOTIATION:
        shown |= {"offers": offers_shown(session, case.token)}
    return shown | {
        "requested": {"amountMinor": case.requested_amount_minor, "termMonths": case.requested_term_months},
        "totalDueMinor": case.total_due_minor,
        "balances": balances_shown(session, case.token),
        "currency": case.currency,
        "hardship": case.hardship_code,
        "willingToRepay": case.willing_to_repay,
        "documents": _documents(session, case.token),
        "bureau": _bureau(session, case.token),
        "affordability": _affordability(session, case.token),
        "proposal": _proposal(proposal),
        "plan": chosen_plan(session, proposal),
        "verdicts": _verdicts(session, case.token),
    }


def _documents(session: Session, case_token: str) -> list[dict[str, Any]]:
    rows = session.exec(
        select(CaseDocument).where(col(CaseDocument.case_token) == case_token).order_by(col(CaseDocument.id))
    ).all()
    return [{"id": row.id, "kind": row.kind, "digest": row.digest} for row in rows]


def _bureau(session: Session, case_token: str) -> dict[str, Any] | None:
    report = cases.latest_report(session, case_token=case_token)
    if report is None:
        return None
    return {
        "reportId": report.id,
        "source": report.source,
        "openAccounts": report.open_accounts,
        "monthlyObligationMinor": report.monthly_obligation_minor,
        "worstDaysPastDue": report.worst_days_past_due,
    }


def _affordability(session: Session, case_token: str) -> dict[str, Any] | None:
    working = cases.latest_affordability(session, case_token=case_token)
    if working is None:
        return None
    return {
        "id": working.id,
        "capacityMinor": working.capacity_minor,
        "ruleVersion": working.rule_version,
        "working": working.working,
    }


def _proposal(proposal: Proposal | None) -> dict[str, Any] | None:
    if proposal is None:
        return None
    return {
        "id": proposal.id,
        "version": proposal.version,
        "kind": proposal.kind,
        "amountMinor": proposal.amount_minor,
        "termMonths": proposal.term_months,
        "concessionBps": proposal.concession_bps,
    }


def _verdicts(session: Session, case_token: str) -> list[dict[str, Any]]:
    return [
        {
            "id": verdict.id,
            "gate": verdict.gate,
            "rule": verdict.rule_id,
            "result": verdict.result,
            "severity": verdict.severity,
            "reason": verdict.reason,
            "missing": verdict.missing,
            "asOf": verdict.as_of.isoformat(),
            "ruleSetVersion": verdict.rule_set_version,
        }
        for verdict in cases.latest_verdicts(session, case_token=case_token)
    ]


def _amount(session: Session, case: InstallmentCase, task_type: TaskType, proposal: Proposal | None) -> int:
    if task_type in IN_SERVICE:
        return owed_minor(session, case.token)
    weighed = task_type not in (TaskType.DOCUMENTS, TaskType.ASSESSMENT, *_INCIDENTS)
    return proposal.amount_minor if proposal is not None and weighed else case.requested_amount_minor


def _priority(task_type: TaskType, amount_minor: int) -> int:
    """0 … 100: incidents first, then by what is at stake."""
    if task_type in _INCIDENTS:
        return 90
    bands = ((20_000_000, 70), (5_000_000, 60))
    return next((priority for floor, priority in bands if amount_minor >= floor), 50)


def _excluded(session: Session, case: InstallmentCase, task_type: TaskType) -> tuple[str, ...]:
    if task_type not in CHECKER_TASKS:
        return ()
    if task_type is TaskType.INCIDENT_CONFIRM:
        proposer = _last_incident(session, case.token)
        return (proposer.person_id,) if proposer is not None and proposer.person_id is not None else ()
    return cases.makers_of_case(session, case_token=case.token)


def _last_incident(session: Session, case_token: str) -> Decision | None:
    return session.exec(
        select(Decision)
        .join(Task, col(Task.id) == col(Decision.task_id))
        .where(
            col(Decision.case_token) == case_token,
            col(Decision.state) == DecisionState.APPLIED,
            col(Task.type) == TaskType.INCIDENT,
        )
        .order_by(col(Task.task_no).desc())
        .limit(1)
    ).first()


def _chosen_figures(session: Session, case_token: str) -> dict[str, Any] | None:
    chosen = _last_incident(session, case_token)
    figures = chosen.form.get("mended") if chosen is not None else None
    return dict(figures) if figures is not None else None
