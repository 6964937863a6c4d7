"""Decisions in the inbox on erasures (record tasks): the acts of the register, with the task in their commit."""

from datetime import datetime
from http import HTTPStatus

from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps
from api.erasures import acts
from api.etags import check_version
from api.identity.authenticate import fresh_login
from api.tasks.intake import TaskDecision
from compliance.audit.unit import Unit
from compliance.vault.cells import CellAddress
from models.domain.forms import DecisionForm, parse_decision
from models.domain.states import CHECKER_TASKS, DecisionState, Outcome, TaskType
from models.errors import NotFound, ShownChanged
from models.operations.idempotency import open_key
from models.operations.record_decisions import keep_decision, take_record_task
from models.queries.allowed import require_allowed
from models.queries.erasure import request_of_task
from models.queries.tasks import get_task, subject_of_task
from models.tables.tasks import Decision, Task


def decide_erasure(deps: ApiDeps, request: TaskDecision) -> str:
    """Make a proposal one's own, approve as the second person, or reject either; blocking. Returns the decision's id.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    principal = request.principal
    with deps.database.read() as session:
        task, form = _read(session, request)
        subject = subject_of_task(session, task)
        erasure = request_of_task(session, task)
    if erasure is None:
        raise NotFound(detail=task.id)
    if TaskType(task.type) in CHECKER_TASKS:
        fresh_login(principal, now=deps.clock())
    note = None
    if form.note is not None:  # under the person's own key: it goes with them
        address = CellAddress(task.tenant, "decisions", "note_cell", request.decision_id, subject)
        note = deps.vault.seal(address, form.note)

    def along(unit: Unit) -> None:
        now = unit.deed.at
        open_key(
            unit.session,
            request.slot,
            fingerprint=request.fingerprint,
            resource_id=request.decision_id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        _read(unit.session, request)
        take_record_task(unit.session, task_id=task.id, read_version=request.read_version, now=now)
        keep_decision(unit.session, _decision(request, task, form=form, note=note, now=now))
        unit.deed.facts |= {"task": task.id, "decision": request.decision_id, "note": note is not None}

    shown = str(task.shown["shownHash"])
    if form.outcome is Outcome.ACCEPT:
        acts.endorse(deps, principal, erasure.id, shown=shown, along=along)
    else:
        acts.decide(deps, principal, erasure.id, shown=shown, reason=form.reason_code, along=along)
    return request.decision_id


def _read(session: Session, request: TaskDecision) -> tuple[Task, DecisionForm]:
    """Task and form, if nothing stands against the decision: asked before anything is sealed, and in the commit."""
    task = get_task(session, known_token(request.task_id), tenant=request.principal.tenant, viewer=request.viewer)
    if task is None:
        raise NotFound
    form = parse_decision(TaskType(task.type), request.body)
    require_allowed(task, request.viewer, form.outcome, form=form)
    check_version(read=request.read_version, current=task.version)
    if form.shown_hash is not None and form.shown_hash != task.shown_hash:
        raise ShownChanged
    return task, form


def _decision(request: TaskDecision, task: Task, *, form: DecisionForm, note: bytes | None, now: datetime) -> Decision:
    return Decision(
        id=request.decision_id,
        tenant=task.tenant,
        workflow_id=task.workflow_id,
        task_id=task.id,
        outcome=form.outcome,
        reason_code=form.reason_code,
        note_cell=note,
        shown_hash=task.shown_hash,
        staff_id=request.principal.staff_id,
        person_id=request.principal.person_id,
        state=DecisionState.APPLIED,
        created_at=now,
        settled_at=now,
    )
