"""Conflicts of a wave on record: opened with a task in the inbox, decided by one person or by two (四眼)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, update

from models.domain.canonical import digest
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.tokens import named_token
from models.domain.transfers.conflicts import Choice, ConflictKind, ConflictState
from models.domain.viewer import ANY_BRANCH
from models.errors import WrongState
from models.operations.four_eyes import By, stand_as_checker, stand_as_maker
from models.tables.tasks import Task
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferChange

_DECIDE_WITHIN: Final = timedelta(days=2)
_PRIORITY: Final = 60


@dataclass(frozen=True, slots=True)
class NewConflict:
    """A conflict that came up."""

    tenant: str
    job: str
    wave: int
    attempt: int
    number: int
    kind: ConflictKind
    record_id: str | None
    record_version: int | None
    fields: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its name; the same conflict has the same one."""
        return named_token("tcf", f"{self.job}/{self.number}/{self.attempt}/{self.kind.value}")


def conflict_workflow_id(job: str, conflict_id: str) -> str:
    """What the task of a conflict belongs to; no workflow runs under it."""
    return f"transfer-conflicts/{job}/{conflict_id}"


def open_conflicts(session: Session, found: Sequence[NewConflict], *, now: datetime) -> None:
    """Put conflicts on record, each with a task; those that are there already stay."""
    if not found:
        return
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    tasks = [_task(each, now) for each in found]
    session.connection().execute(
        insert(Task.__table__).on_conflict_do_nothing(),  # type: ignore[attr-defined]
        [task.model_dump() for task in tasks],
    )
    rows = [
        TransferConflict(
            id=each.id,
            tenant=each.tenant,
            job=each.job,
            wave=each.wave,
            attempt=each.attempt,
            row_number=each.number,
            record_id=each.record_id,
            record_version=each.record_version,
            kind=each.kind.value,
            fields=list(each.fields),
            state=ConflictState.OPEN.value,
            task_id=task.id,
            opened_at=now,
        ).model_dump()
        for each, task in zip(found, tasks, strict=True)
    ]
    session.connection().execute(insert(TransferConflict.__table__).on_conflict_do_nothing(), rows)  # type: ignore[attr-defined]


def _task(conflict: NewConflict, now: datetime) -> Task:
    shown: dict[str, Any] = {
        "conflict": conflict.id,
        "record": f"/v1/transfers/{conflict.job}/conflicts/{conflict.id}",
        "kind": conflict.kind.value,
        "row": conflict.number,
        "wave": conflict.wave,
        "fields": list(conflict.fields),
    }
    workflow_id = conflict_workflow_id(conflict.job, conflict.id)
    return Task(
        id=named_token("tsk", workflow_id),
        tenant=conflict.tenant,
        workflow_id=workflow_id,
        task_no=1,
        type=TaskType.TRANSFER_CONFLICT.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.TRANSFER_CONFLICT].value,
        branch=ANY_BRANCH,
        priority=_PRIORITY,
        due_at=now + _DECIDE_WITHIN,
        title_params={"row": conflict.number, "kind": conflict.kind.value},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    )


def hold_conflict(session: Session, conflict_id: str) -> TransferConflict | None:
    """A conflict, locked until the end of the transaction."""
    return session.get(TransferConflict, conflict_id, with_for_update=True, populate_existing=True)


def proposal_hash(conflict: TransferConflict, choice: Choice) -> str:
    """What the two persons of a decision agree on: the conflict, the record as it was, and what becomes of it."""
    return digest({"conflict": conflict.id, "recordVersion": conflict.record_version, "choice": choice.value})


def propose(
    session: Session, conflict: TransferConflict, choice: Choice, *, reason: str | None, by: By, now: datetime
) -> None:
    """The first person's word on what a second one must agree to; the first one is barred from being the second."""
    conflict.state, conflict.proposal, conflict.decided_by = ConflictState.PROPOSED.value, choice.value, by.staff_id
    conflict.reason_code = reason
    conflict.version += 1
    session.add(conflict)
    stand_as_maker(
        session,
        tenant=conflict.tenant,
        subject=proposal_hash(conflict, choice),
        person_id=by.person_id,
        record_id=conflict.id,
        now=now,
    )
    task = session.get(Task, conflict.task_id, with_for_update=True, populate_existing=True)
    if task is not None:
        task.excluded_persons = [*task.excluded_persons, by.person_id]
        task.state, task.assignee = TaskState.READY.value, None
        task.version, task.updated_at = task.version + 1, now
        session.add(task)
    session.flush()


def decide(
    session: Session, conflict: TransferConflict, choice: Choice, *, reason: str | None, by: By, now: datetime
) -> None:
    """Close a conflict and its task.

    Raises:
        FourEyesViolation: the person who proposed it agrees with themselves.
    """
    if conflict.state == ConflictState.PROPOSED:
        if conflict.proposal == choice.value:
            stand_as_checker(
                session,
                tenant=conflict.tenant,
                subject=proposal_hash(conflict, choice),
                person_id=by.person_id,
                record_id=conflict.id,
                now=now,
            )
        conflict.second_by = by.staff_id
    else:
        conflict.decided_by = by.staff_id
    conflict.state, conflict.choice, conflict.decided_at = ConflictState.DECIDED.value, choice.value, now
    conflict.reason_code = reason or conflict.reason_code
    conflict.version += 1
    session.add(conflict)
    close_task(session, conflict.task_id, now=now)


def request_undo(
    session: Session, change: TransferChange, *, record_version: int, reason: str, by: By, now: datetime
) -> TransferConflict:
    """Somebody wants a record back as it was before a change; a second person must want it too.

    Raises:
        WrongState: that is asked already.
    """
    wanted = NewConflict(
        change.tenant,
        change.job,
        change.wave,
        change.attempt,
        change.row_number,
        ConflictKind.UNDO,
        change.record_id,
        record_version,
    )
    open_conflicts(session, [wanted], now=now)
    conflict = session.get_one(TransferConflict, wanted.id, with_for_update=True, populate_existing=True)
    if conflict.state == ConflictState.PROPOSED:
        raise WrongState(params={"state": conflict.state})
    conflict.record_version = record_version
    _open_again(session, conflict, now)
    propose(session, conflict, Choice.TAKE, reason=reason, by=by, now=now)
    return conflict


def _open_again(session: Session, conflict: TransferConflict, now: datetime) -> None:
    """What was decided to stay may be asked anew."""
    conflict.choice = conflict.second_by = conflict.decided_at = None
    session.execute(
        update(Task)
        .where(col(Task.id) == conflict.task_id, col(Task.state) == TaskState.DONE.value)
        .values(state=TaskState.READY.value, closed_at=None, updated_at=now, version=Task.version + 1)
        .execution_options(synchronize_session=False)
    )


def close_task(session: Session, task_id: str | None, *, now: datetime) -> None:
    """What was asked is answered."""
    session.execute(
        update(Task)
        .where(col(Task.id) == task_id, col(Task.state).in_(OPEN_TASK_STATES))
        .values(state=TaskState.DONE.value, closed_at=now, updated_at=now, version=Task.version + 1)
        .execution_options(synchronize_session=False)
    )
    session.flush()


def close_conflicts_of_wave(session: Session, *, job: str, wave: int, attempt: int, now: datetime) -> int:
    """A wave that is undone asks nobody any more about rows that did not move. Returns how many were open."""
    table = TransferConflict.__table__  # type: ignore[attr-defined]
    statement = (
        update(table)
        .where(
            table.c.job == job,
            table.c.wave == wave,
            table.c.attempt == attempt,
            table.c.state != ConflictState.DECIDED.value,
            table.c.kind != ConflictKind.UNDO.value,
        )
        .values(
            state=ConflictState.DECIDED.value, reason_code="wave-undone", decided_at=now, version=table.c.version + 1
        )
        .returning(table.c.task_id)
    )
    closed = session.execute(statement).scalars().all()
    for task_id in closed:
        close_task(session, task_id, now=now)
    return len(closed)
