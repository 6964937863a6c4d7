"""What becomes of a job's rows when the person of theirs is erased (删除) while the job is open.

A row that has not moved is held with the reason `erased`, and moves no more: read = accepted + rejected + merged + held
still adds up. One that has moved stays moved: its record is a row without a person, which a rollback leaves alone.
Whatever people were asked about either needs no answer any more.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlmodel import Session, col

from models.domain.states import OPEN_TASK_STATES, TaskState
from models.domain.transfers.conflicts import Choice, ConflictKind, ConflictState
from models.domain.transfers.states import ERASED_ROW, MatchVerdict, MoveState, RowOutcome
from models.operations.transfers.wave_moves import CHANGES, ROWS
from models.tables.tasks import Task
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferPair, TransferToken, TransferWave

_UNDECIDED: Final = (ConflictState.OPEN.value, ConflictState.PROPOSED.value)


def rows_of_person(
    session: Session, *, tenant: str, subjects: Collection[str], record: str | None
) -> list[tuple[str, int]]:
    """Job and number of the rows that lie under these keys, became this record, or were merged into it."""
    mine: list[ColumnElement[bool]] = [ROWS.c.subject_id.in_(list(subjects))]
    if record is not None:
        mine.append(ROWS.c.target_record == record)
    found = session.execute(
        select(ROWS.c.job, ROWS.c.number).where(ROWS.c.tenant == tenant, or_(*mine)).order_by(ROWS.c.job, ROWS.c.number)
    )
    return [(job, number) for job, number in found]


def set_erased_aside(session: Session, rows: Collection[tuple[str, int]], *, now: datetime) -> int:
    """Rows of a person who is erased; returns how many will not move any more. Repeatable."""
    held = 0
    for job, number in rows:
        row = session.execute(
            select(ROWS.c.outcome, ROWS.c.move, ROWS.c.reason_code)
            .where(ROWS.c.job == job, ROWS.c.number == number)
            .with_for_update()
        ).one()
        if row.reason_code == ERASED_ROW:
            continue
        has_moved = row.move == MoveState.MOVED or _has_line(session, job, number)
        _close_conflicts(session, job, number, now=now)
        _close_pairs(session, job, number, now=now)
        session.execute(
            delete(TransferToken).where(col(TransferToken.job) == job, col(TransferToken.record) == f"row:{number}")
        )
        values = {"reason_code": ERASED_ROW, "faults": [], "version": ROWS.c.version + 1}
        if has_moved:
            values["move"] = MoveState.MOVED.value
        elif row.outcome != RowOutcome.REJECTED:
            values |= {"outcome": RowOutcome.HELD.value, "move": MoveState.WAITING.value}
            held += 1
        session.execute(update(ROWS).where(ROWS.c.job == job, ROWS.c.number == number).values(**values))
    return held


def _has_line(session: Session, job: str, number: int) -> bool:
    line = select(CHANGES.c.id).where(
        CHANGES.c.job == job, CHANGES.c.row_number == number, CHANGES.c.undone_at.is_(None)
    )
    return session.execute(line.limit(1)).first() is not None


def _close_conflicts(session: Session, job: str, number: int, *, now: datetime) -> None:
    found = session.execute(
        select(TransferConflict)
        .where(
            col(TransferConflict.job) == job,
            col(TransferConflict.row_number) == number,
            col(TransferConflict.state).in_(_UNDECIDED),
        )
        .with_for_update()
    ).scalars()
    for conflict in found:
        is_undo = conflict.kind == ConflictKind.UNDO
        conflict.state, conflict.reason_code, conflict.decided_at = ConflictState.DECIDED.value, ERASED_ROW, now
        conflict.choice = (Choice.KEEP if is_undo else Choice.HOLD).value
        conflict.version += 1
        session.add(conflict)
        _cancel_task(session, conflict.task_id, now=now)
        wave = session.get_one(TransferWave, (job, conflict.wave), with_for_update=True, populate_existing=True)
        if is_undo:
            wave.moved += 1
            session.execute(
                update(CHANGES)
                .where(CHANGES.c.job == job, CHANGES.c.row_number == number, CHANGES.c.undone_at.is_(None))
                .values(conflict=False)
            )
        else:
            wave.conflicts -= 1
        session.add(wave)
    session.flush()


def _close_pairs(session: Session, job: str, number: int, *, now: datetime) -> None:
    """Nobody is asked whether somebody who is gone is the same as another."""
    found = session.execute(
        select(TransferPair).where(
            col(TransferPair.job) == job,
            or_(col(TransferPair.row_number) == number, col(TransferPair.other) == f"row:{number}"),
            col(TransferPair.verdict) == MatchVerdict.REVIEW.value,
        )
    ).scalars()
    for pair in found:
        _cancel_task(session, pair.task_id, now=now)
        pair.verdict, pair.reason_code, pair.decided_at, pair.task_id = (
            MatchVerdict.DIFFERENT.value,
            ERASED_ROW,
            now,
            None,
        )
        session.add(pair)
    session.flush()


def _cancel_task(session: Session, task_id: str | None, *, now: datetime) -> None:
    if task_id is not None:
        session.execute(
            update(Task)
            .where(col(Task.id) == task_id, col(Task.state).in_(OPEN_TASK_STATES))
            .values(state=TaskState.CANCELLED.value, version=Task.version + 1, updated_at=now, closed_at=now)
            .execution_options(synchronize_session=False)
        )
