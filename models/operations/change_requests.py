"""Writes of change requests: each step a compare-and-set, the update of the record with its journal in one of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, update

from models.domain.canonical import digest
from models.domain.customers.change_request import RequestState
from models.domain.ids import follow_up_of_request
from models.domain.roles import Role
from models.domain.states import TaskState, TaskType
from models.domain.tokens import named_token
from models.operations.four_eyes import By, stand_as_checker, stand_as_makers, why_not
from models.tables.change_requests import ChangeRequest
from models.tables.customers import CustomerRecord
from models.tables.tasks import Task

_CALL_WITHIN: Final = timedelta(days=5)
_PRIORITY: Final = 45


def add_request(session: Session, request: ChangeRequest, *, by: By | None) -> None:
    """Put a request on record; whoever entered it cannot be its second person."""
    session.add(request)
    session.flush()
    if by is not None:
        stand_as_makers(
            session,
            tenant=request.tenant,
            subject=request.shown_hash,
            persons=(by.person_id,),
            now=request.created_at,
        )


def review(
    session: Session, request: ChangeRequest, *, to: RequestState, by: By, reason: str | None, now: datetime
) -> None:
    """The first look: refused, or on to the second person, or to the update.

    Raises:
        WrongState, ShownChanged: it was decided before.
    """
    _move(
        session,
        request,
        waiting=RequestState.REVIEW,
        to=to,
        by=by,
        reviewed_by=by.staff_id,
        reviewed_at=now,
        reason_code=reason,
        **_ended(to, now),
    )
    stand_as_makers(session, tenant=request.tenant, subject=request.shown_hash, persons=(by.person_id,), now=now)


def confirm(
    session: Session, request: ChangeRequest, *, to: RequestState, by: By, reason: str | None, now: datetime
) -> None:
    """The second person's look.

    Raises:
        FourEyesViolation: the person entered or reviewed it.
        WrongState, ShownChanged: it was decided before.
    """
    error = why_not(
        session,
        state=request.state,
        waiting=RequestState.CONFIRM,
        shown_hash=request.shown_hash,
        person_id=by.person_id,
    )
    if request.state != RequestState.CONFIRM:
        raise error
    stand_as_checker(
        session,
        tenant=request.tenant,
        subject=request.shown_hash,
        person_id=by.person_id,
        record_id=request.id,
        now=now,
    )
    _move(
        session,
        request,
        waiting=RequestState.CONFIRM,
        to=to,
        by=by,
        confirmed_by=by.staff_id,
        reason_code=reason,
        **_ended(to, now),
    )


def apply_values(
    session: Session,
    request: ChangeRequest,
    *,
    columns: Mapping[str, Any],
    before_image: bytes,
    after_image: bytes,
    now: datetime,
) -> bool:
    """Change the record, if it still is as it was when the request was made; with the journal of it.

    Returns:
        False: the record changed meanwhile; nothing was done.
    """
    changed = session.exec(
        update(CustomerRecord)
        .where(
            col(CustomerRecord.id) == request.record_id,
            col(CustomerRecord.tenant) == request.tenant,
            col(CustomerRecord.version) == request.record_version,
            col(CustomerRecord.erased_at).is_(None),
        )
        .values(**columns, version=request.record_version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    if not changed.rowcount:
        return False
    session.exec(
        update(ChangeRequest)
        .where(col(ChangeRequest.id) == request.id)
        .values(
            before_image=before_image,
            after_image=after_image,
            version_after=request.record_version + 1,
            applied_at=now,
            values_cell=None,
            task_id=_call(session, request, now),
        )
        .execution_options(synchronize_session=False)
    )
    return True


def end_call(session: Session, task: Task, *, now: datetime) -> dict[str, Any]:
    """The follow-up call of a request was made. Facts for the audit event."""
    ended = session.exec(
        update(ChangeRequest)
        .where(col(ChangeRequest.task_id) == task.id, col(ChangeRequest.ended_at).is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    return {"changeRequest": task.shown["request"], "ended": bool(ended.rowcount)}


def _call(session: Session, request: ChangeRequest, now: datetime) -> str:
    """The task of a follow-up call (回访): was it you, and is it right now?"""
    key = follow_up_of_request(request.id, request.subject_id)
    shown = {
        "request": request.id,
        "record": f"/v1/customers/{request.record_id}",
        "kind": "change",
        "fields": request.fields,
        "channel": request.channel,
    }
    task = Task(
        id=named_token("tsk", key),
        tenant=request.tenant,
        workflow_id=key,
        task_no=1,
        type=TaskType.TRANSFER_FOLLOW_UP.value,
        state=TaskState.READY.value,
        candidate_role=Role.CASE_OFFICER.value,
        branch=request.branch,
        priority=_PRIORITY,
        due_at=now + _CALL_WITHIN,
        title_params={"kind": "change", "job": request.id[-6:], "row": 0},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    )
    session.add(task)
    session.flush()
    return task.id


def _ended(to: RequestState, now: datetime) -> dict[str, Any]:
    """A request that is over keeps no values."""
    return {"ended_at": now, "values_cell": None} if to in {RequestState.REFUSED, RequestState.CONFLICT} else {}


def _move(
    session: Session, request: ChangeRequest, *, waiting: RequestState, to: RequestState, by: By, **values: Any
) -> None:
    moved = session.exec(
        update(ChangeRequest)
        .where(
            col(ChangeRequest.id) == request.id,
            col(ChangeRequest.state) == waiting.value,
            col(ChangeRequest.version) == request.version,
        )
        .values(state=to.value, version=request.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:
        raise why_not(
            session,
            state=request.state,
            waiting=waiting,
            shown_hash=request.shown_hash,
            person_id=by.person_id,
        )
