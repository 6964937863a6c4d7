"""The decision path in SQL: taken (compare-and-set), then applied or refused by the workflow's word.

Whoever decides is held by four layers; this file is the second (the compare-and-set asks who made the subject) and
reaches the fourth (`four_eyes` is unique over subject and person).
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import or_, true
from sqlmodel import Session, col, delete, update

from models.contracts.installments import DecideInput, MendedBureau, Terms
from models.domain.states import (
    CHECKER_TASKS,
    CUSTOMER_OUTCOMES,
    DecisionState,
    OutboxKind,
    Outcome,
    TaskState,
    TaskType,
)
from models.errors import (
    AlreadyClaimed,
    CaseworkError,
    DecisionPending,
    FourEyesViolation,
    NotFound,
    ShownChanged,
    StaleVersion,
    WrongState,
)
from models.operations import outbox
from models.operations.four_eyes import is_maker, stand_as_checker
from models.tables.installments import InstallmentCase
from models.tables.tasks import Decision, FourEyes, Task


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDecision:
    """A decision that has passed the API's checks.

    Attributes:
        id: UUIDv7; also the id of the Update that carries it.
        form: amounts, terms, ids and codes only: `terms` and `mended`, spelt as the fields of
            `models.contracts.installments`, `offer`, `documents`; free text is in `note_cell`, sealed.
        shown_hash: what the person was shown; required on a checker's task.
        staff_id, person_id: None where the customer decides through a link.
    """

    id: str
    tenant: str
    workflow_id: str
    case_token: str | None
    outcome: Outcome
    reason_code: str | None = None
    form: dict[str, Any] = field(default_factory=dict)
    note_cell: bytes | None = None
    shown_hash: str | None = None
    staff_id: str | None = None
    person_id: str | None = None
    traceparent: str | None = None


def prepare_task_decision(
    session: Session, decision: NewDecision, *, task_id: str, expected_version: int, now: datetime
) -> None:
    """Take the task for this decision, or change nothing.

    Raises:
        StaleVersion, DecisionPending, WrongState, AlreadyClaimed, ShownChanged, FourEyesViolation, NotFound: why not.
    """
    made_by_caller = is_maker(shown_hash=col(Task.shown_hash), person_id=decision.person_id)
    taken = session.exec(
        update(Task)
        .where(
            col(Task.id) == task_id,
            col(Task.tenant) == decision.tenant,
            col(Task.version) == expected_version,
            col(Task.state).in_((TaskState.READY, TaskState.CLAIMED)),
            _free_for(decision),
            ~made_by_caller,
        )
        .values(
            state=TaskState.DECIDING,
            resume_state=Task.state,
            pending_decision_id=decision.id,
            version=Task.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount == 0:
        raise _why_not_taken(session, decision, task_id=task_id, expected_version=expected_version)
    task = session.get_one(Task, task_id, populate_existing=True)
    is_check = TaskType(task.type) in CHECKER_TASKS
    if (is_check or decision.outcome in CUSTOMER_OUTCOMES) and decision.shown_hash != task.shown_hash:
        raise ShownChanged
    if is_check:
        if decision.person_id is None:
            raise FourEyesViolation
        stand_as_checker(
            session,
            tenant=decision.tenant,
            subject=task.shown_hash,
            person_id=decision.person_id,
            record_id=decision.id,
            now=now,
        )
    _keep(session, decision, task_id=task_id, now=now)


def prepare_withdrawal(session: Session, decision: NewDecision, *, expected_version: int | None, now: datetime) -> None:
    """Take the case for a withdrawal by staff or customer.

    Raises:
        NotFound, StaleVersion, DecisionPending, WrongState: why not.
    """
    conditions = [
        col(InstallmentCase.token) == decision.case_token,
        col(InstallmentCase.tenant) == decision.tenant,
        col(InstallmentCase.outcome).is_(None),
        col(InstallmentCase.pending_decision_id).is_(None),
    ]
    if expected_version is not None:
        conditions.append(col(InstallmentCase.version) == expected_version)
    taken = session.exec(
        update(InstallmentCase)
        .where(*conditions)
        .values(pending_decision_id=decision.id, version=InstallmentCase.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount == 0:
        case = session.get(InstallmentCase, decision.case_token)
        if case is None or case.tenant != decision.tenant:
            raise NotFound
        if case.outcome is not None:
            raise WrongState(params={"state": case.outcome})
        if case.pending_decision_id is not None:
            raise DecisionPending
        raise StaleVersion(params={"currentVersion": case.version})
    _keep(session, decision, task_id=None, now=now)


def refuse_decision(session: Session, *, decision_id: str, reason: str, now: datetime) -> bool:
    """The workflow said no: the task goes back to where it was, with the reason; the checker's row is void.

    Returns:
        False if the decision had been settled before; then nothing is changed.
    """
    refused = session.exec(
        update(Decision)
        .where(col(Decision.id) == decision_id, col(Decision.state) == DecisionState.PENDING)
        .values(state=DecisionState.REFUSED, refusal=reason, settled_at=now)
    )
    if refused.rowcount == 0:
        return False
    session.exec(delete(FourEyes).where(col(FourEyes.decision_id) == decision_id))
    session.exec(
        update(Task)
        .where(col(Task.pending_decision_id) == decision_id, col(Task.state) == TaskState.DECIDING)
        .values(
            state=Task.resume_state,
            resume_state=None,
            pending_decision_id=None,
            return_reason=reason,
            version=Task.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    session.exec(
        update(InstallmentCase)
        .where(col(InstallmentCase.pending_decision_id) == decision_id)
        .values(pending_decision_id=None, version=InstallmentCase.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    outbox.close(session, kind=OutboxKind.DECISION, business_key=decision_id, now=now)
    return True


def settle_record_task(session: Session, *, decision_id: str, now: datetime) -> None:
    """A record task is decided with its row: no workflow waits for the word, and none is told."""
    settled = settle_applied(session, decision_id=decision_id, now=now)
    session.exec(
        update(Task)
        .where(col(Task.id) == settled.task_id, col(Task.pending_decision_id) == decision_id)
        .values(
            state=TaskState.DONE,
            pending_decision_id=None,
            resume_state=None,
            version=Task.version + 1,
            updated_at=now,
            closed_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def settle_applied(session: Session, *, decision_id: str, now: datetime) -> Decision:
    """The workflow said yes: mark decision and outbox row; a repeated call changes nothing.

    Raises:
        NotFound: no such decision.
        WrongState: it was refused before.
    """
    decision = session.get(Decision, decision_id)
    if decision is None:
        raise NotFound(detail=decision_id)
    if decision.state == DecisionState.REFUSED:
        raise WrongState(detail=decision_id, params={"state": decision.state})
    if decision.state == DecisionState.PENDING:
        decision.state = DecisionState.APPLIED
        decision.settled_at = now
        session.add(decision)
    outbox.close(session, kind=OutboxKind.DECISION, business_key=decision_id, now=now)
    return decision


def _keep(session: Session, decision: NewDecision, *, task_id: str | None, now: datetime) -> None:
    session.add(
        Decision(
            id=decision.id,
            tenant=decision.tenant,
            workflow_id=decision.workflow_id,
            case_token=decision.case_token,
            task_id=task_id,
            outcome=decision.outcome,
            reason_code=decision.reason_code,
            note_cell=decision.note_cell,
            form=decision.form,
            shown_hash=decision.shown_hash,
            staff_id=decision.staff_id,
            person_id=decision.person_id,
            state=DecisionState.PENDING,
            created_at=now,
        )
    )
    outbox.enqueue(
        session,
        tenant=decision.tenant,
        kind=OutboxKind.DECISION,
        business_key=decision.id,
        workflow_id=decision.workflow_id,
        traceparent=decision.traceparent,
        now=now,
    )
    session.flush()


def _free_for(decision: NewDecision) -> Any:
    """Nobody else holds the task. What only the customer can do is not held up by who of the bank has claimed it."""
    if decision.outcome in CUSTOMER_OUTCOMES:
        return true()
    return or_(col(Task.assignee).is_(None), col(Task.assignee) == decision.staff_id)


def _why_not_taken(session: Session, decision: NewDecision, *, task_id: str, expected_version: int) -> CaseworkError:
    task = session.get(Task, task_id, populate_existing=True)
    if task is None or task.tenant != decision.tenant:
        return NotFound()
    if task.state == TaskState.DECIDING:
        return DecisionPending()
    if task.state not in (TaskState.READY, TaskState.CLAIMED):
        return WrongState(params={"state": task.state})
    if task.version != expected_version:
        return StaleVersion(params={"currentVersion": task.version})
    if task.assignee is not None and task.assignee != decision.staff_id:
        return AlreadyClaimed(params={"holder": task.assignee})
    return FourEyesViolation()


def decide_input(session: Session, *, decision_id: str) -> tuple[str, DecideInput]:
    """The workflow id and the Update's argument of a stored decision: the same on every try.

    Raises:
        NotFound: no such decision.
    """
    decision = session.get(Decision, decision_id)
    if decision is None:
        raise NotFound(detail=decision_id)
    task = session.get_one(Task, decision.task_id) if decision.task_id is not None else None
    terms, mended = decision.form.get("terms"), decision.form.get("mended")
    return decision.workflow_id, DecideInput(
        decision_id=decision.id,
        task_no=task.task_no if task is not None else None,
        outcome=decision.outcome,
        person_id=decision.person_id,
        shown_hash=decision.shown_hash,
        reason_code=decision.reason_code,
        terms=Terms(**terms) if terms is not None else None,
        mended=MendedBureau(**mended) if mended is not None else None,
        offer_id=decision.form.get("offer"),
        next_contact_days=decision.form.get("nextContactDays"),
    )
