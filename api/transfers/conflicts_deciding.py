"""Decisions on conflicts of a wave (record tasks): applied in one commit, by one person or by the second of two."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps
from api.etags import check_version
from api.four_eyes import by
from api.identity.authenticate import fresh_login
from api.tasks.intake import TaskDecision
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.transfers.conflict_effects import effect_of
from compliance.transfers.departures import tell_source
from compliance.transfers.training import grant_of
from models.domain.forms import DecisionForm, parse_decision
from models.domain.states import DecisionState, TaskType
from models.domain.transfers.conflicts import CHOICES, Choice, ConflictKind, ConflictState, needs_second
from models.errors import FieldFault, FormInvalid, FourEyesViolation, NotFound, ShownChanged, WrongState
from models.operations.four_eyes import makers
from models.operations.idempotency import open_key
from models.operations.record_decisions import keep_decision, take_record_task
from models.operations.transfers.conflict_choices import carry_out
from models.operations.transfers.conflicts import decide, hold_conflict, proposal_hash, propose
from models.operations.transfers.wave_moves import records_by_id
from models.operations.transfers.wave_undo import Undone
from models.queries.allowed import require_allowed
from models.queries.tasks import get_task
from models.tables.tasks import Decision, Task
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferJob


def decide_conflict(deps: ApiDeps, request: TaskDecision) -> str:
    """Record a decision on a conflict; blocking. Returns the id of the decision.

    A key field, or what somebody changed since, is overwritten only when a second person decides the same.

    Raises:
        KeyTaken: another request under the same key was first.
        TrainingMissing: the caller has not passed the job's course, and may not have looked at either side.
        CaseworkError: the rule that stands against it; nothing was changed.
    """
    now, principal = deps.clock(), request.principal
    with deps.database.read() as session:
        task = _task(session, request)
        form = parse_decision(TaskType(task.type), request.body)
        require_allowed(task, request.viewer, form.outcome, form=form)
        check_version(read=request.read_version, current=task.version)
        conflict = _conflict(session, task)
        grant_of(session, job=conflict.job, staff_id=principal.staff_id, now=now)
        choice = _choice(conflict, form)
        effect = effect_of(deps.vault, session, conflict, choice, now=now)
        version = _record_version(session, conflict)
        _refuse_maker(session, conflict, choice, principal.person_id)
    second = _needs_second(conflict, choice)
    if second:
        fresh_login(principal, now=now)
    proposes = second and not (conflict.state == ConflictState.PROPOSED and conflict.proposal == choice)
    undone: Undone | None = None
    deed = _deed(request, task, conflict, form, proposes=proposes, now=now)
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session,
            request.slot,
            fingerprint=request.fingerprint,
            resource_id=request.decision_id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        take_record_task(unit.session, task_id=task.id, read_version=request.read_version, now=now)
        held = _held(unit.session, conflict)
        keep_decision(unit.session, _decision(request, task, form, proposes=proposes, now=now))
        if proposes:
            held.record_version = version
            propose(unit.session, held, choice, reason=form.reason_code, by=by(principal), now=now)
        else:
            if held.state == ConflictState.PROPOSED and second and held.record_version != version:
                raise ShownChanged  # the two would not have agreed on the same record
            decide(unit.session, held, choice, reason=form.reason_code, by=by(principal), now=now)
            undone = carry_out(unit.session, held, choice, effect, now=now)
            if undone is not None:
                deed.facts |= undone.figures()
                tell_source(unit, unit.session.get_one(TransferJob, held.job), undone, row=held.row_number)
    if undone is not None:
        deps.vault.shred_subjects(tenant=conflict.tenant, subject_ids=undone.subjects)
    return request.decision_id


def _needs_second(conflict: TransferConflict, choice: Choice) -> bool:
    """A record that changed meanwhile may differ in any field: whoever overwrites it is two."""
    kind = ConflictKind(conflict.kind)
    fields = tuple(conflict.fields) or (("name",) if kind is ConflictKind.RECORD_CHANGED else ())
    return needs_second(kind, choice, fields)


def _choice(conflict: TransferConflict, form: DecisionForm) -> Choice:
    choice, allowed = Choice(form.outcome.value), CHOICES[ConflictKind(conflict.kind)]
    if choice not in allowed:
        told: dict[str, str | int] = {"allowed": ", ".join(allowed)}
        raise FormInvalid(faults=(FieldFault(pointer="/outcome", code="not-one-of", params=told),))
    if conflict.state == ConflictState.DECIDED:
        raise WrongState(params={"state": conflict.state})
    return choice


def _refuse_maker(session: Session, conflict: TransferConflict, choice: Choice, person_id: str) -> None:
    """The first layer; the task bars the proposer too, and the database has the last word."""
    if person_id in makers(session, shown_hash=proposal_hash(conflict, choice)):
        raise FourEyesViolation


def _record_version(session: Session, conflict: TransferConflict) -> int | None:
    record: dict[str, Any] | None = records_by_id(session, [conflict.record_id or ""]).get(conflict.record_id or "")
    return None if record is None else int(record["version"])


def _task(session: Session, request: TaskDecision) -> Task:
    task = get_task(session, known_token(request.task_id), tenant=request.principal.tenant, viewer=request.viewer)
    if task is None:
        raise NotFound
    return task


def _conflict(session: Session, task: Task) -> TransferConflict:
    conflict = session.get(TransferConflict, task.shown.get("conflict", ""))
    if conflict is None or conflict.tenant != task.tenant:
        raise NotFound(detail=task.id)
    session.expunge(conflict)
    return conflict


def _held(session: Session, read: TransferConflict) -> TransferConflict:
    held = hold_conflict(session, read.id)
    if held is None or held.version != read.version:
        raise ShownChanged
    return held


def _deed(
    request: TaskDecision,
    task: Task,
    conflict: TransferConflict,
    form: DecisionForm,
    *,
    proposes: bool,
    now: datetime,
) -> Deed:
    return Deed(
        tenant=task.tenant,
        action="transfer.conflict-proposed" if proposes else "transfer.conflict-decided",
        target=conflict.job,
        actor=request.principal.staff_id,
        at=now,
        facts={
            "conflict": conflict.id,
            "kind": conflict.kind,
            "row": conflict.row_number,
            "record": conflict.record_id,
            "fields": list(conflict.fields),
            "choice": form.outcome.value,
            "reason": form.reason_code,
            "task": task.id,
            "decision": request.decision_id,
        },
    )


def _decision(request: TaskDecision, task: Task, form: DecisionForm, *, proposes: bool, now: datetime) -> Decision:
    return Decision(
        id=request.decision_id,
        tenant=task.tenant,
        workflow_id=task.workflow_id,
        task_id=task.id,
        outcome=form.outcome,
        reason_code=form.reason_code,
        form={"proposes": proposes},
        shown_hash=task.shown_hash,
        staff_id=request.principal.staff_id,
        person_id=request.principal.person_id,
        state=DecisionState.APPLIED,
        created_at=now,
        settled_at=now,
    )
