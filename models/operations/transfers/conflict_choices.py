"""Carrying out what people decided about a conflict: the row moves, is set aside, or a change is put back after all."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlmodel import Session

from models.domain.transfers.conflicts import Choice, ConflictKind
from models.domain.transfers.states import MoveState, RowOutcome
from models.errors import ShownChanged, WrongState
from models.operations.transfers.wave_moves import (
    CHANGES,
    ROWS,
    Applied,
    Update,
    WaveAt,
    move_of,
    set_rows_aside,
    write_effects,
)
from models.operations.transfers.wave_undo import Undone, undo_records
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferWave


def at_of(conflict: TransferConflict) -> WaveAt:
    """The attempt in which a conflict came up."""
    return WaveAt(conflict.tenant, conflict.job, conflict.wave, conflict.attempt)


def carry_out(
    session: Session, conflict: TransferConflict, choice: Choice, effect: Update | None, *, now: datetime
) -> Undone | None:
    """Do what was decided; the conflict is held.

    Args:
        session: of the unit.
        conflict: still open.
        choice: one that its kind allows.
        effect: what the row does to the record, as it was worked out outside of the transaction; None to hold it.
        now: when.

    Returns:
        What was put back, of an undo that was taken: keys of what was removed are to be destroyed.

    Raises:
        WrongState: the row does not wait for this decision any more.
        ShownChanged: the record is another one than the one that was looked at.
    """
    wave = session.get_one(TransferWave, (conflict.job, conflict.wave), with_for_update=True, populate_existing=True)
    if conflict.kind == ConflictKind.UNDO:
        undone = _of_undo(session, conflict, choice, now=now)
        wave.moved = _moved(session, conflict)
        session.add(wave)
        session.flush()
        return undone
    row = move_of(session, conflict.job, conflict.row_number)
    if row is None or row.move != MoveState.CONFLICT or wave.attempt != conflict.attempt:
        raise WrongState(params={"state": "-" if row is None else row.move})
    wave.conflicts -= 1
    if choice is Choice.HOLD or effect is None:
        set_rows_aside(session, conflict.job, {conflict.row_number: "conflict-held"})
        session.add(wave)
        session.flush()
        return None
    applied: Applied = write_effects(session, at_of(conflict), wave, [effect], now=now)
    if applied.again:
        raise ShownChanged
    return None


def _moved(session: Session, conflict: TransferConflict) -> int:
    statement = (
        select(func.count())
        .select_from(ROWS)
        .where(ROWS.c.job == conflict.job, ROWS.c.wave == conflict.wave, ROWS.c.move == MoveState.MOVED.value)
    )
    return int(session.execute(statement).scalar_one())


def _of_undo(session: Session, conflict: TransferConflict, choice: Choice, *, now: datetime) -> Undone | None:
    at = at_of(conflict)
    if choice is Choice.TAKE:
        undone = undo_records(session, at, [conflict.record_id or ""], now=now, force=True)
        if not undone.lines:
            raise ShownChanged
        return undone
    line = (
        CHANGES.c.job == at.job,
        CHANGES.c.attempt == at.attempt,
        CHANGES.c.row_number == conflict.row_number,
        CHANGES.c.undone_at.is_(None),
    )
    session.execute(update(CHANGES).where(*line).values(conflict=False))
    session.execute(
        update(ROWS)
        .where(ROWS.c.job == at.job, ROWS.c.number == conflict.row_number, ROWS.c.outcome != RowOutcome.HELD.value)
        .values(move=MoveState.MOVED.value, version=ROWS.c.version + 1)
    )
    return None
