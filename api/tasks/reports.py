"""Reports on incidents (record tasks): checked like any decision, applied in the same commit; no workflow is asked."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps
from api.etags import check_version
from api.four_eyes import by
from api.tasks.intake import TaskDecision
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.forms import DecisionForm, parse_decision
from models.domain.ids import care_item
from models.domain.incident_clocks import is_late
from models.domain.states import DecisionState, TaskType
from models.errors import FieldFault, FormInvalid, NotFound
from models.operations.idempotency import open_key
from models.operations.incidents import Filed, hold_incident, record_report
from models.operations.record_decisions import keep_decision, take_record_task
from models.queries.allowed import require_allowed
from models.queries.tasks import get_task
from models.tables.tasks import Decision, Task


def decide_report(deps: ApiDeps, request: TaskDecision) -> str:
    """Record that an incident was reported; blocking. Returns the id of the decision.

    Raises:
        KeyTaken: another request under the same key was first.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    now, principal = deps.clock(), request.principal
    with deps.database.read() as session:
        task = _task(session, request)
    form = parse_decision(TaskType(task.type), request.body)  # on any other task: no such outcome
    filed, clock = _filed(form, task, now=now)
    record, note = care_item(task.workflow_id), None
    if form.note is not None:
        address = CellAddress(task.tenant, "decisions", "note_cell", request.decision_id, record)
        note = deps.vault.seal(address, form.note)
    figures = {
        "clock": clock,
        "reportedAt": filed.reported_at.isoformat(),
        "reference": filed.reference,
        "evidence": filed.evidence_ref,
    }
    deed = Deed(
        tenant=task.tenant,
        action="incident.reported",
        target=record,
        actor=principal.staff_id,
        at=now,
        facts={"task": task.id, "decision": request.decision_id, "note": note is not None, **figures},
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session,
            request.slot,
            fingerprint=request.fingerprint,
            resource_id=request.decision_id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        hold_incident(unit.session, record)
        present = _task(unit.session, request)
        require_allowed(present, request.viewer, form.outcome, form=form)
        check_version(read=request.read_version, current=present.version)
        take_record_task(unit.session, task_id=task.id, read_version=request.read_version, now=now)
        keep_decision(unit.session, _decision(request, task, form=form, figures=figures, note=note, now=now))
        made = record_report(unit.session, filed, incident_id=record, clock=clock, by=by(principal), now=now)
        deed.facts["late"] = is_late(due=made.due_at, reported_at=filed.reported_at)
    return request.decision_id


def _task(session: Session, request: TaskDecision) -> Task:
    task = get_task(session, known_token(request.task_id), tenant=request.principal.tenant, viewer=request.viewer)
    if task is None:
        raise NotFound
    return task


def _filed(form: DecisionForm, task: Task, *, now: datetime) -> tuple[Filed, str]:
    """What was reported, and to which clock of the authority: the one that ends first.

    Raises:
        FormInvalid: before the discovery, or in time to come.
    """
    assert form.report is not None  # the only form of such a task
    at = form.report.moment()
    discovered = datetime.fromisoformat(task.shown["discoveredAt"])
    if not discovered <= at <= now:
        limits: dict[str, str | int] = {"from": discovered.isoformat(), "until": now.isoformat()}
        raise FormInvalid(faults=(FieldFault(pointer="/reportedAt", code="outside-the-time", params=limits),))
    filed = Filed(reported_at=at, reference=form.report.reference, evidence_ref=form.report.evidence)
    return filed, task.shown["clocks"][0]["clock"]


def _decision(
    request: TaskDecision, task: Task, *, form: DecisionForm, figures: dict[str, Any], note: bytes | None, now: datetime
) -> Decision:
    return Decision(
        id=request.decision_id,
        tenant=task.tenant,
        workflow_id=task.workflow_id,
        task_id=task.id,
        outcome=form.outcome,
        form=figures,
        note_cell=note,
        shown_hash=task.shown_hash,
        staff_id=request.principal.staff_id,
        person_id=request.principal.person_id,
        state=DecisionState.APPLIED,
        created_at=now,
        settled_at=now,
    )
