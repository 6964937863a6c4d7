"""The facts of a run's report, from one read of the records: codes, counts, sums and hashes, nothing of a person.

Nothing in it changes by itself: no clock, no stage of the workflow. So equal facts are one spelling, and one report.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import select as rows_of
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from models.domain.batches.states import FinalState, MemberState, OrderState
from models.domain.batches.suggesting import DayResult, ReasonResult, Suggested, TopicResult, suggest
from models.domain.ids import batch_workflow_id
from models.domain.states import DecisionState
from models.queries.batches.sides import cohort_of
from models.tables.batch_books import BatchDispute, BatchFeedback, BatchSuspense
from models.tables.batch_clients import FundingHold
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRehearsal, BatchRun
from models.tables.daily import BankFile, DebitOrder
from models.tables.installments import RuleVerdict
from models.tables.tasks import Decision, Task

Facts = dict[str, Any]
FORMAT: Final = "casework-batch-report/1"


def report_facts(session: Session, run: BatchRun) -> Facts:
    """All of them, ready to be spelt. Call it inside one snapshot: figures of two moments would not add up."""
    days, reasons, feedback = days_of(session, run.token), reasons_of(session, run.token), _feedback(session, run)
    total = session.exec(select(func.count()).where(BatchOrder.run == run.token)).one()
    topics = [TopicResult(topic=each["topic"], scores=each["scores"], score_sum=each["scoreSum"]) for each in feedback]
    return {
        "format": FORMAT,
        "run": _run(run),
        "cohort": _cohort(session, run),
        "import": _import(session, run.token),
        "rehearsal": _rehearsal(session, run),
        "outcomes": _outcomes(session, run.token),
        "attempts": _attempts(session, run.token),
        "days": [{"day": each.day, "orders": each.orders, "settled": each.settled} for each in days],
        "files": _files(session, run.token),
        "reconciled": run.counts.get("reconciled"),
        "suspense": _states(session, BatchSuspense, run.token, BatchSuspense.amount_minor),
        "disputes": _states(session, BatchDispute, run.token, BatchDispute.refund_minor),
        "funding": _funding(session, run.token),
        "feedback": feedback,
        "gates": _gates(session, run.token),
        "decisions": _decisions(session, run.token),
        "suggestions": [_suggestion(each) for each in suggest(orders=total, days=days, reasons=reasons, topics=topics)],
    }


def suggestions_of(facts: Facts) -> list[Suggested]:
    """The suggestions that a report's facts hold."""
    return [Suggested(code=each["code"], basis=each["basis"], change=each["change"]) for each in facts["suggestions"]]


def days_of(session: Session, run: str) -> list[DayResult]:
    """By day of the month on which orders were to be carried out: how many, and how many settled."""
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    query = rows_of(col(BatchOrder.requested_on), col(BatchOrder.final_state), func.count()).where(
        col(BatchOrder.run) == run, col(BatchOrder.state).not_in((OrderState.BARRED, OrderState.WITHDRAWN))
    )
    for on, end, count in session.execute(query.group_by(col(BatchOrder.requested_on), col(BatchOrder.final_state))):
        of_day = found[on.day]
        of_day[0] += count
        of_day[1] += count if end == FinalState.SETTLED else 0
    return [DayResult(day=day, orders=each[0], settled=each[1]) for day, each in sorted(found.items())]


def reasons_of(session: Session, run: str) -> list[ReasonResult]:
    """By reason: orders that ended for it, how many of them were tried again, and how many of those settled."""
    after = aliased(BatchOrder)
    settled = func.count(col(after.id)).filter(col(after.final_state) == FinalState.SETTLED)
    query = (
        select(BatchOrder.reason_code, func.count(), func.count(col(after.id)), settled)
        .outerjoin(
            after,
            (col(after.run) == col(BatchOrder.run))
            & (col(after.member) == col(BatchOrder.member))
            & (col(after.attempt) == col(BatchOrder.attempt) + 1),
        )
        .where(BatchOrder.run == run, col(BatchOrder.reason_code).is_not(None))
        .group_by(col(BatchOrder.reason_code))
        .order_by(col(BatchOrder.reason_code))
    )
    return [
        ReasonResult(reason=reason or "", orders=count, retried=retried, retried_settled=again)
        for reason, count, retried, again in session.exec(query)
    ]


# Inside ---------------------------------------------------------------------------------------------------------------


def _run(run: BatchRun) -> Facts:
    return {
        "token": run.token,
        "kind": run.kind,
        "origin": run.origin,
        "source": run.source,
        "branch": run.branch,
        "businessDate": run.business_date.isoformat(),
        "revision": run.revision,
        "ruleVersion": run.rule_version,
        "settings": run.settings,
        "rehearsalHash": run.rehearsal_hash,
        "shownHash": run.shown_hash,
        "stopped": run.cancel_asked_at is not None,
        "reasonCode": run.reason_code,
        "createdAt": _when(run.created_at),
        "createdBy": run.created_by,
    }


def _cohort(session: Session, run: BatchRun) -> Facts | None:
    cohort = cohort_of(session, run)
    if cohort is None:
        return None
    by_reason = (
        select(BatchMember.exclusion, BatchMember.rule_id, func.count(), func.sum(BatchMember.amount_minor))
        .where(BatchMember.cohort == cohort.id, BatchMember.state == MemberState.EXCLUDED)
        .group_by(col(BatchMember.exclusion), col(BatchMember.rule_id))
        .order_by(col(BatchMember.exclusion), col(BatchMember.rule_id))
    )
    by_class = (
        rows_of(
            col(BatchMember.type_class),
            col(BatchMember.amount_class),
            col(BatchMember.cycle_class),
            func.count(),
            func.sum(BatchMember.amount_minor),
        )
        .where(col(BatchMember.cohort) == cohort.id, col(BatchMember.state) == MemberState.INCLUDED)
        .group_by(col(BatchMember.type_class), col(BatchMember.amount_class), col(BatchMember.cycle_class))
        .order_by(col(BatchMember.type_class), col(BatchMember.amount_class), col(BatchMember.cycle_class))
    )
    return {
        "members": cohort.members,
        "excluded": cohort.excluded,
        "amountMinor": cohort.amount_minor,
        "hash": cohort.cohort_hash,
        "exclusions": [
            {"code": code, "rule": rule, "rows": rows, "amountMinor": int(total)}
            for code, rule, rows, total in session.exec(by_reason)
        ],
        "classes": [
            {"type": kind, "amount": amount, "cycle": cycle, "rows": rows, "amountMinor": int(total)}
            for kind, amount, cycle, rows, total in session.execute(by_class)
        ],
    }


def _import(session: Session, run: str) -> Facts | None:
    batch = session.exec(select(BatchImport).where(BatchImport.run == run)).one_or_none()
    if batch is None:
        return None
    states = dict(
        session.exec(
            select(BatchRow.state, func.count()).where(BatchRow.import_id == batch.id).group_by(col(BatchRow.state))
        ).all()
    )
    return {
        "layout": f"{batch.layout}/{batch.layout_version}",
        "read": sum(states.values()),
        "states": {state or "open": count for state, count in sorted(states.items(), key=lambda each: each[0] or "")},
        "controlCount": batch.control_count,
        "controlMinor": batch.control_minor,
    }


def _rehearsal(session: Session, run: BatchRun) -> Facts | None:
    of_run = (BatchRehearsal.run == run.token, BatchRehearsal.revision == run.revision)
    states = session.exec(
        select(BatchRehearsal.state, func.count(), func.sum(BatchRehearsal.amount_minor))
        .where(*of_run)
        .group_by(col(BatchRehearsal.state))
        .order_by(col(BatchRehearsal.state))
    ).all()
    differs = session.exec(
        select(BatchRehearsal.difference, func.count())
        .where(*of_run, col(BatchRehearsal.difference).is_not(None))
        .group_by(col(BatchRehearsal.difference))
        .order_by(col(BatchRehearsal.difference))
    ).all()
    if not states:
        return None
    return {
        "expected": [{"state": state, "orders": count, "amountMinor": int(total)} for state, count, total in states],
        "differences": [{"code": code, "rows": count} for code, count in differs],
    }


def _outcomes(session: Session, run: str) -> list[Facts]:
    query = (
        select(BatchOrder.final_state, BatchOrder.reason_code, func.count(), func.sum(BatchOrder.amount_minor))
        .where(BatchOrder.run == run)
        .group_by(col(BatchOrder.final_state), col(BatchOrder.reason_code))
    )
    rows = sorted(session.exec(query), key=lambda each: (each[0] or "", each[1] or ""))
    return [
        {"end": end or "open", "reason": reason, "orders": count, "amountMinor": int(total)}
        for end, reason, count, total in rows
    ]


def _attempts(session: Session, run: str) -> list[Facts]:
    settled = col(BatchOrder.final_state) == FinalState.SETTLED
    query = (
        select(
            BatchOrder.attempt,
            func.count(),
            func.count().filter(settled),
            func.coalesce(func.sum(BatchOrder.amount_minor).filter(settled), 0),
        )
        .where(BatchOrder.run == run)
        .group_by(col(BatchOrder.attempt))
        .order_by(col(BatchOrder.attempt))
    )
    return [
        {"attempt": attempt, "orders": count, "settled": done, "settledMinor": int(total)}
        for attempt, count, done, total in session.exec(query)
    ]


def _files(session: Session, run: str) -> list[Facts]:
    ids = (
        select(func.coalesce(BatchOrder.file_id, DebitOrder.file_id))
        .outerjoin(DebitOrder, col(DebitOrder.id) == col(BatchOrder.debit_order))
        .where(BatchOrder.run == run)
    )
    files = session.exec(select(BankFile).where(col(BankFile.id).in_(ids)).order_by(BankFile.name)).all()
    return [
        {
            "id": each.id, "name": each.name, "kind": each.kind, "state": each.state, "items": each.items,
            "totalMinor": each.total_minor, "digest": each.digest, "businessDate": each.business_date.isoformat(),
        }
        for each in files
    ]  # fmt: skip


def _states(session: Session, table: Any, run: str, amount: Any) -> list[Facts]:
    query = select(table.state, func.count(), func.sum(amount)).where(table.run == run).group_by(table.state)
    return [
        {"state": state, "count": count, "amountMinor": int(total or 0)}
        for state, count, total in sorted(session.exec(query))
    ]


def _funding(session: Session, run: str) -> Facts | None:
    hold = session.get(FundingHold, run)
    return None if hold is None else {"heldMinor": hold.amount_minor, "usedMinor": hold.used_minor}


def _feedback(session: Session, run: BatchRun) -> list[Facts]:
    scores, total = func.count(col(BatchFeedback.score)), func.coalesce(func.sum(BatchFeedback.score), 0)
    query = (
        rows_of(
            col(BatchFeedback.topic),
            col(BatchFeedback.origin),
            col(BatchFeedback.rule_version),
            func.count(),
            scores,
            total,
        )
        .where(col(BatchFeedback.run) == run.token)
        .group_by(col(BatchFeedback.topic), col(BatchFeedback.origin), col(BatchFeedback.rule_version))
    )
    rows: Sequence[Any] = sorted(session.execute(query), key=lambda each: (each[0], each[1], each[2] or ""))
    return [
        {
            "topic": topic, "origin": origin, "ruleVersion": version, "count": count, "scores": scored,
            "scoreSum": int(added),
        }
        for topic, origin, version, count, scored, added in rows
    ]  # fmt: skip


def _gates(session: Session, run: str) -> list[Facts]:
    query = (
        select(RuleVerdict)
        .where(RuleVerdict.case_token == run, RuleVerdict.result != "NOT_APPLICABLE")
        .order_by(RuleVerdict.gate_key, RuleVerdict.rule_id)
    )
    return [
        {
            "gate": each.gate, "key": each.gate_key, "rule": each.rule_id, "result": each.result,
            "severity": each.severity, "reason": each.reason,
        }
        for each in session.exec(query)
    ]  # fmt: skip


def _decisions(session: Session, run: str) -> list[Facts]:
    query = (
        select(Decision, Task.type)
        .join(Task, col(Task.id) == col(Decision.task_id))
        .where(col(Decision.workflow_id) == batch_workflow_id(run), col(Decision.state) == DecisionState.APPLIED)
        .order_by(col(Decision.created_at), col(Decision.id))
    )
    return [
        {
            "task": kind, "outcome": each.outcome, "reason": each.reason_code, "staff": each.staff_id,
            "at": _when(each.created_at), "shown": each.shown_hash,
        }
        for each, kind in session.exec(query)
    ]  # fmt: skip


def _suggestion(each: Suggested) -> Facts:
    return {"code": each.code, "basis": each.basis, "change": each.change}


def _when(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")
