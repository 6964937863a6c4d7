"""A decision up to its commit: form, rules and authority are asked, the remark is sealed, then all is written."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from sqlmodel import Session

from api.deps import ApiDeps
from api.etags import check_version
from api.identity.authenticate import fresh_login
from api.identity.principal import Principal
from api.tasks.deciding import Kept, kept_decision
from api.tasks.settling import Settle, Word
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.application import DocumentKind
from models.domain.forms import DecisionForm, parse_decision
from models.domain.states import CHECKER_TASKS, RECORD_TASKS, Outcome, TaskType
from models.domain.viewer import Viewer
from models.errors import CaseworkError, FieldFault, FormInvalid, NotFound, ShownChanged
from models.operations.decisions import NewDecision, prepare_task_decision, settle_record_task
from models.operations.idempotency import KeySlot, KeyTaken, find_key, open_key
from models.queries.agreements import latest_document
from models.queries.allowed import require_allowed
from models.queries.parties import has_card
from models.queries.tasks import get_task, subject_of_task
from models.tables.tasks import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskDecision:
    """A request to decide: who, on what, what was sent, in which version the task was read."""

    decision_id: str
    task_id: str
    body: dict[str, Any]
    read_version: int
    principal: Principal
    viewer: Viewer
    slot: KeySlot
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Checked:
    """A request that no rule stands against, and whose subject's key seals its remark."""

    task: Task
    form: DecisionForm
    subject: str


def decision_location(task_id: str, decision_id: str) -> str:
    """Where a decision is looked at."""
    return f"/v1/tasks/{task_id}/decisions/{decision_id}"


def take_decision(deps: ApiDeps, request: TaskDecision, *, settle: Settle | None = None) -> Kept:
    """Check a decision and commit it; blocking. Returns it as it is sent to its workflow, if one is asked.

    Args:
        deps: the API's parts.
        request: who decides what.
        settle: what the decision of such a task does besides, in the same commit.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    now = deps.clock()
    try:
        checked = _check(deps, request, now=now)
    except CaseworkError:
        # The same request, sent twice at once: the first has taken the task, and the second gets the first's answer.
        with deps.database.read() as session:
            if find_key(session, request.slot) is not None:
                raise KeyTaken from None
        raise
    decision = _decision(deps, request, checked)
    deed = _deed(request, checked, now=now)
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, request.slot, fingerprint=request.fingerprint, resource_id=request.decision_id, now=now)
        prepare_task_decision(
            unit.session, decision, task_id=request.task_id, expected_version=request.read_version, now=now
        )
        if TaskType(checked.task.type) in RECORD_TASKS:
            settle_record_task(unit.session, decision_id=decision.id, now=now)
        if settle is not None:
            word = Word(
                form=checked.form, staff_id=request.principal.staff_id, person_id=request.principal.person_id, at=now
            )
            deed.facts |= settle(unit.session, checked.task, word)
        kept = kept_decision(unit.session, decision.id)
    return kept  # noqa: RET504 - of a decision that is committed


def _check(deps: ApiDeps, request: TaskDecision, *, now: datetime) -> _Checked:
    """The first of the four layers. What it has read is held to by the version that the commit compares."""
    with deps.database.read() as session:
        task = get_task(session, request.task_id, tenant=request.principal.tenant, viewer=request.viewer)
        if task is None:
            raise NotFound
        subject = subject_of_task(session, task)
        form = parse_decision(TaskType(task.type), request.body)
        require_allowed(task, request.viewer, form.outcome, form=form)
        check_version(read=request.read_version, current=task.version)
        if TaskType(task.type) in CHECKER_TASKS:
            fresh_login(request.principal, now=now)
        if form.shown_hash is not None and form.shown_hash != task.shown_hash:
            raise ShownChanged
        if form.document_id is not None:
            _check_scan(session, task, form.document_id)
        if (task.type, form.outcome) == (TaskType.DOCUMENTS, Outcome.ACCEPT):
            _check_card(session, subject)
    return _Checked(task=task, form=form, subject=subject)


def _check_scan(session: Session, task: Task, document_id: str) -> None:
    """The scan that is registered is the newest one of the case: its checker is shown that one."""
    scan = latest_document(session, case_token=task.case_token or "", kind=DocumentKind.SIGNED_PAPER)
    if scan is None or scan.id != document_id:
        raise FormInvalid(faults=(FieldFault(pointer="/documentId", code="scan-not-newest"),))


def _check_card(session: Session, subject_id: str) -> None:
    """The documents are not complete before the card is known whose debt is meant."""
    if not has_card(session, subject_id):
        raise FormInvalid(faults=(FieldFault(pointer="/cardNumber", code="card-missing"),))


def _decision(deps: ApiDeps, request: TaskDecision, checked: _Checked) -> NewDecision:
    task, form = checked.task, checked.form
    note_cell, words = None, form.answer or form.note
    if words is not None:
        address = CellAddress(task.tenant, "decisions", "note_cell", request.decision_id, checked.subject)
        note_cell = deps.vault.seal(address, words)
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return NewDecision(
        id=request.decision_id,
        tenant=task.tenant,
        workflow_id=task.workflow_id,
        case_token=task.case_token,
        outcome=form.outcome,
        reason_code=form.reason_code,
        form=_figures(form),
        note_cell=note_cell,
        shown_hash=form.shown_hash,
        staff_id=request.principal.staff_id,
        person_id=request.principal.person_id,
        traceparent=carrier.get("traceparent"),
    )


def _figures(form: DecisionForm) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if form.terms is not None:
        figures["terms"] = asdict(form.terms)
    if form.mended is not None:
        figures["mended"] = asdict(form.mended)
    if form.offer_id is not None:
        figures["offer"] = form.offer_id
    if form.document_id is not None:
        figures["document"] = form.document_id
    if form.error_budget is not None:
        figures["errorBudget"] = form.error_budget
    if form.failure_bps is not None:
        figures["failureBps"] = form.failure_bps
    if form.order_id is not None:
        figures["order"] = form.order_id
    if form.dissent is not None:
        figures["dissent"] = form.dissent
    if form.next_contact_days is not None:
        figures["nextContactDays"] = form.next_contact_days
    return figures


def _deed(request: TaskDecision, checked: _Checked, *, now: datetime) -> Deed:
    task, form = checked.task, checked.form
    facts = {
        "task": task.id,
        "type": task.type,
        "decision": request.decision_id,
        "outcome": form.outcome.value,
        "reason": form.reason_code,
        "shown": task.shown_hash,
        "note": (form.answer or form.note) is not None,
        **_figures(form),
    }
    return Deed(
        tenant=task.tenant,
        action="task.decided",
        target=task.case_token or task.id,
        actor=request.principal.staff_id,
        at=now,
        facts=facts,
    )
