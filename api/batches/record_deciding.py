"""Decisions on money in suspense and on disputed debits (record tasks): booked in the commit that takes them."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Final

from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps
from api.etags import check_version
from api.identity.authenticate import fresh_login
from api.identity.principal import Principal
from api.tasks.intake import TaskDecision
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit, unit_of_work
from compliance.batch_disputes import settle_checked
from compliance.vault.cells import CellAddress
from models.domain.forms import DecisionForm, parse_decision
from models.domain.ids import care_item
from models.domain.states import DecisionState, Outcome, TaskType
from models.errors import FourEyesViolation, NotFound, WrongState
from models.operations.batches import suspense
from models.operations.idempotency import open_key
from models.operations.record_decisions import keep_decision, take_record_task
from models.queries.allowed import require_allowed
from models.queries.tasks import get_task, subject_of_task
from models.tables.batch_books import BatchDispute, BatchSuspense
from models.tables.daily import BusinessDate
from models.tables.tasks import Decision, Task

# What the bank owes on money that it had without ground: 商业银行法 Art. 73 (CBL-73) names the interest and no rate.
# Benchmark of demand deposits (活期存款基准利率, PBoC, since 2012-07-06); provisional until a rule set names another.
REFUND_RATE: Final = Decimal("0.0035")


def decide_suspense(deps: ApiDeps, request: TaskDecision) -> str:
    """Say whose the money is, or that it goes back; a second person who says the same has it booked. Blocking.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    now, principal = deps.clock(), request.principal
    with deps.database.read() as session:
        task, form = _read(session, request)
        held = _held(session, task)
        second = held.proposed_by_person is not None and _same(held, form)
        if second and held.proposed_by_person == principal.person_id:
            raise FourEyesViolation
    if second:
        fresh_login(principal, now=now)

    def settle(unit: Unit) -> None:
        fresh = unit.session.get_one(BatchSuspense, held.id, with_for_update=True, populate_existing=True)
        staff, person = principal.staff_id, principal.person_id
        if second:
            if not _same(fresh, form):
                raise WrongState(detail=held.id, params={"state": "proposed"})
            today = _today(unit.session, task)
            suspense.confirm(unit.session, fresh, staff_id=staff, person_id=person, on=today, now=now)
        else:
            order = form.order_id if form.outcome is Outcome.ASSIGN else None
            suspense.propose(unit.session, fresh, order_id=order, staff_id=staff, person_id=person, now=now)
        unit.deed.facts |= {"suspense": held.id, "order": fresh.order_id}

    action = "batch.suspense-settled" if second else "batch.suspense-proposed"
    return _commit(deps, request, task, form, action=action, settle=settle, now=now)


def decide_dispute(deps: ApiDeps, request: TaskDecision) -> str:
    """Explain a contested debit, pay it back, or cancel its order; a rule that stands against it undoes all. Blocking.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    now = deps.clock()
    with deps.database.read() as session:
        task, form = _read(session, request)
        dispute = session.get(BatchDispute, care_item(task.workflow_id))
        if dispute is None or dispute.tenant != task.tenant:
            raise NotFound(detail=task.id)
    if form.outcome is Outcome.REFUND:
        fresh_login(request.principal, now=now)

    def settle(unit: Unit) -> None:
        settle_checked(
            unit,
            unit.session.get_one(BatchDispute, dispute.id),
            outcome=form.outcome,
            reason_code=form.reason_code or "",
            annual_rate=REFUND_RATE,
            by=request.principal.staff_id,
            on=_today(unit.session, task),
            now=now,
        )

    return _commit(deps, request, task, form, action="batch.dispute-settled", settle=settle, now=now)


def _read(session: Session, request: TaskDecision) -> tuple[Task, DecisionForm]:
    """The first of the layers; the commit holds to the version that was read here."""
    task = get_task(session, known_token(request.task_id), tenant=request.principal.tenant, viewer=request.viewer)
    if task is None:
        raise NotFound
    form = parse_decision(TaskType(task.type), request.body)
    require_allowed(task, request.viewer, form.outcome, form=form)
    check_version(read=request.read_version, current=task.version)
    return task, form


def _held(session: Session, task: Task) -> BatchSuspense:
    held = session.get(BatchSuspense, care_item(task.workflow_id))
    if held is None or held.tenant != task.tenant:
        raise NotFound(detail=task.id)
    session.expunge(held)
    return held


def _same(held: BatchSuspense, form: DecisionForm) -> bool:
    return held.order_id == (form.order_id if form.outcome is Outcome.ASSIGN else None)


def _commit(
    deps: ApiDeps,
    request: TaskDecision,
    task: Task,
    form: DecisionForm,
    *,
    action: str,
    settle: Callable[[Unit], None],
    now: datetime,
) -> str:
    decision = _decision(deps, request, task, form, now=now)
    facts = {
        "task": task.id,
        "decision": decision.id,
        "outcome": form.outcome.value,
        "reason": form.reason_code,
        "note": decision.note_cell is not None,
    }
    deed = Deed(
        tenant=task.tenant,
        action=action,
        target=str(task.shown["run"]),
        actor=request.principal.staff_id,
        at=now,
        facts=facts,
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session,
            request.slot,
            fingerprint=request.fingerprint,
            resource_id=decision.id,
            status=HTTPStatus.CREATED,
            now=now,
        )
        take_record_task(unit.session, task_id=task.id, read_version=request.read_version, now=now)
        keep_decision(unit.session, decision)
        settle(unit)
    return request.decision_id


def _decision(deps: ApiDeps, request: TaskDecision, task: Task, form: DecisionForm, *, now: datetime) -> Decision:
    principal: Principal = request.principal
    note_cell = None
    if form.note is not None:
        with deps.database.read() as session:
            subject = subject_of_task(session, task)
        deps.vault.create_subject(tenant=task.tenant, subject_id=subject)
        address = CellAddress(task.tenant, "decisions", "note_cell", request.decision_id, subject)
        note_cell = deps.vault.seal(address, form.note)
    return Decision(
        id=request.decision_id,
        tenant=task.tenant,
        workflow_id=task.workflow_id,
        task_id=task.id,
        outcome=form.outcome,
        reason_code=form.reason_code,
        form={"order": form.order_id} if form.order_id is not None else {},
        note_cell=note_cell,
        shown_hash=task.shown_hash,
        staff_id=principal.staff_id,
        person_id=principal.person_id,
        state=DecisionState.APPLIED,
        created_at=now,
        settled_at=now,
    )


def _today(session: Session, task: Task) -> date:
    row = session.get(BusinessDate, task.tenant)
    if row is None:
        raise NotFound(detail="business-date")
    return row.today
