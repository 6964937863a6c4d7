"""Quarantine (隔离): one record task for each row that waits for a correction, and what becomes of the row.

Conservation is kept by the compare-and-set on the row's version: a row moves from held to accepted or rejected once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from models.domain.canonical import digest
from models.domain.ids import care_item, transfer_row_workflow_id
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.tokens import named_token
from models.domain.transfers.states import RowOutcome
from models.domain.transfers.verdicts import QUARANTINED
from models.errors import NotFound, StaleVersion, WrongState
from models.tables.tasks import Task
from models.tables.transfers import TransferJob, TransferRow

_WITHIN: Final = timedelta(days=5)
_PRIORITY: Final = 40  # below customers' own matters: a large file must not bury them
_TASKS: Final = Task.__table__  # type: ignore[attr-defined]


class HeldRow(NamedTuple):
    """A row that goes into quarantine."""

    number: int
    line: int
    source_number: int
    subject: str
    faults: list[dict[str, str]]


def add_tasks(session: Session, job: TransferJob, rows: Sequence[HeldRow], *, now: datetime) -> None:
    """A record task for each row, in one statement; a task that is there stays as it is."""
    if not rows:
        return
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    once = make(_TASKS).on_conflict_do_nothing(index_elements=["workflow_id", "task_no"])
    session.connection().execute(once, [_task(job, row, now) for row in rows])


def close_task(session: Session, *, job: str, subject: str, now: datetime) -> None:
    """The row needs nobody any more."""
    session.execute(
        update(Task)
        .where(
            col(Task.workflow_id) == transfer_row_workflow_id(job, subject),
            col(Task.task_no) == 1,
            col(Task.state).in_(OPEN_TASK_STATES),
        )
        .values(state=TaskState.DONE.value, version=Task.version + 1, updated_at=now, closed_at=now)
        .execution_options(synchronize_session=False)
    )


def show_anew(session: Session, job: TransferJob, row: HeldRow, *, now: datetime) -> None:
    """The row was corrected and is held still: its task shows what is wrong with it now."""
    task = _task(job, row, now)
    session.execute(
        update(Task)
        .where(
            col(Task.workflow_id) == task["workflow_id"], col(Task.task_no) == 1, col(Task.state).in_(OPEN_TASK_STATES)
        )
        .values(
            shown=task["shown"],
            shown_hash=task["shown_hash"],
            title_params=task["title_params"],
            version=Task.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )


def discard_row(session: Session, *, job: str, subject: str, reason_code: str) -> None:
    """A quarantined row is rejected for good.

    Raises:
        WrongState: it is not in quarantine any more.
    """
    done = session.execute(
        update(TransferRow)
        .where(
            col(TransferRow.job) == job,
            col(TransferRow.subject_id) == subject,
            col(TransferRow.outcome) == RowOutcome.HELD.value,
            col(TransferRow.reason_code) == QUARANTINED,
        )
        .values(outcome=RowOutcome.REJECTED.value, reason_code=reason_code, version=TransferRow.version + 1)
        .execution_options(synchronize_session=False)
    )
    if not done.rowcount:  # type: ignore[attr-defined]
        raise WrongState(params={"state": "not-quarantined"})


def discard_by_task(session: Session, task: Task, *, reason_code: str) -> None:
    """As `discard_row`, of the row that a task is about.

    Raises:
        WrongState: as `discard_row`.
    """
    job = task.workflow_id.removeprefix("transfers/").partition("/rows/")[0]
    discard_row(session, job=job, subject=care_item(task.workflow_id), reason_code=reason_code)


class Corrected(NamedTuple):
    """A row as a correction makes it."""

    cell: bytes
    digest: bytes
    faults: list[dict[str, str]]
    outcome: RowOutcome


def keep_correction(session: Session, row: TransferRow, corrected: Corrected) -> None:
    """Write the corrected row over the version that was read; what was there before stands in the corrections.

    Raises:
        StaleVersion, WrongState, NotFound: the row is another one by now; nothing was changed.
    """
    done = session.execute(
        update(TransferRow)
        .where(
            col(TransferRow.job) == row.job,
            col(TransferRow.number) == row.number,
            col(TransferRow.version) == row.version,
            col(TransferRow.outcome) == RowOutcome.HELD.value,
            col(TransferRow.reason_code) == QUARANTINED,
        )
        .values(
            row_cell=corrected.cell,
            digest=corrected.digest,
            faults=corrected.faults,
            outcome=corrected.outcome.value,
            reason_code=QUARANTINED if corrected.outcome is RowOutcome.HELD else None,
            version=row.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    if done.rowcount:  # type: ignore[attr-defined]
        return
    present = session.exec(
        select(TransferRow)
        .where(col(TransferRow.job) == row.job, col(TransferRow.number) == row.number)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if present is None:
        raise NotFound
    if present.outcome != RowOutcome.HELD or present.reason_code != QUARANTINED:
        raise WrongState(params={"state": present.outcome or "unverified"})
    raise StaleVersion(params={"currentVersion": present.version})


def _task(job: TransferJob, row: HeldRow, now: datetime) -> dict[str, Any]:
    key = transfer_row_workflow_id(job.token, row.subject)
    shown = {
        "job": job.token,
        "record": f"/v1/transfers/{job.token}/rows/{row.number}",
        "number": row.number,
        "source": row.source_number,
        "line": row.line,
        "faults": row.faults,
    }
    return Task(
        id=named_token("tsk", key),
        tenant=job.tenant,
        workflow_id=key,
        task_no=1,
        type=TaskType.TRANSFER_QUARANTINE.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.TRANSFER_QUARANTINE].value,
        branch=job.branch,
        priority=_PRIORITY,
        due_at=now + _WITHIN,
        title_params={"line": row.line, "source": row.source_number, "faults": len(row.faults)},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    ).model_dump()
