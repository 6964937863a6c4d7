"""Rolling back a wave (回滚), chunk after chunk from the last row to the first; then the proof.

Records first, keys afterwards: what was inserted is gone from the book when its key is destroyed. Killed in between,
the proof finds the keys that are left and destroys them, and those that were made for rows which never moved.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import exists, select

from activities.transfers.wave_moving import lines_root
from activities.transfers.wave_roots import BookRoot, wave_root
from activities.transfers.wave_work import CHUNK, WaveWork, beat
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.departures import tell_source
from compliance.transfers.wave_rows import subject_id
from models.domain.transfers.states import MoveState, RowOutcome, WaveState
from models.operations.transfers.conflicts import close_conflicts_of_wave
from models.operations.transfers.wave_moves import CHANGES, RECORDS, ROWS, WaveAt, hold_wave, records_by_id
from models.operations.transfers.wave_undo import Undone, undo_records
from models.tables.transfers import TransferWave

UNDONE: Final = "transfer.rows-undone"
_MOST_NAMED: Final = 50
# Why a record is not as it was before the wave.
NOT_PUT_BACK: Final = "not-put-back"  # somebody has changed it since: a person is asked
LEFT: Final = "left"  # a person was asked, and left it
BESIDE: Final = "changed-beside"  # the wave had nothing to put back, and somebody else has changed it
ALTERED: Final = "altered"  # it is another one, and nobody has changed it
ERASED: Final = "erased"  # its person was erased since: it is a row without anybody, and stays one
# From these a wave is rolled back; a planned one has moved nothing.
_CAN_UNDO: Final = frozenset({WaveState.MOVING, WaveState.MOVED, WaveState.STOPPED, WaveState.UNDOING})


@dataclass(frozen=True, slots=True)
class UndoneChunk:
    """Where the next part begins; None: nothing is left."""

    before: int | None


def begin_undo(work: WaveWork, at: WaveAt) -> bool:
    """Stop the wave from moving; returns whether there is anything to roll back in this attempt."""
    now, may = work.clock(), False
    with unit_of_work(work.database, work.deed("transfer.undo-begun", now, wave=at.wave, attempt=at.attempt)) as unit:
        wave = hold_wave(unit.session, at)
        may = wave is not None and wave.state in _CAN_UNDO
        if wave is None or not may or wave.state == WaveState.UNDOING:
            raise Unchanged
        unit.deed.facts["from"] = wave.state
        wave.state, wave.ended_at, wave.version = WaveState.UNDOING.value, None, wave.version + 1
        unit.session.add(wave)
        close_conflicts_of_wave(unit.session, job=at.job, wave=at.wave, attempt=at.attempt, now=now)
        # Rows that waited for a person had moved nothing: they wait for the next attempt.
        _rows_back(unit.session, at)
    return may


def _rows_back(session: Any, at: WaveAt) -> None:
    session.execute(
        ROWS.update()
        .where(
            ROWS.c.job == at.job,
            ROWS.c.wave == at.wave,
            ROWS.c.move == MoveState.CONFLICT.value,
            ~exists().where(
                CHANGES.c.job == ROWS.c.job, CHANGES.c.row_number == ROWS.c.number, CHANGES.c.undone_at.is_(None)
            ),
        )
        .values(move=MoveState.WAITING.value, version=ROWS.c.version + 1)
    )


def undo_chunk(work: WaveWork, at: WaveAt, before: int | None, *, size: int = CHUNK) -> UndoneChunk:
    """Put back what the rows before a number (None: the last) did, and whatever else the wave did to their records."""
    numbers, records = _next(work, at, before, size)
    if not numbers:
        return UndoneChunk(None)
    now, undone = work.clock(), Undone()
    deed = work.deed(UNDONE, now, wave=at.wave, attempt=at.attempt)
    with unit_of_work(work.database, deed) as unit:
        wave = hold_wave(unit.session, at)
        if wave is None or wave.state != WaveState.UNDOING:
            raise Unchanged
        undone = undo_records(unit.session, at, records, now=now)
        if not undone.lines and not undone.conflicts and not undone.erased:
            raise Unchanged
        wave.moved -= len(undone.lines) + len(undone.conflicts)
        wave.conflicts += len(undone.conflicts)
        wave.version += 1
        unit.session.add(wave)
        tell_source(unit, work.job, undone, wave=at.wave, attempt=at.attempt)
        unit.deed.facts |= undone.figures() | {
            "first": numbers[-1],
            "last": numbers[0],
            "root": lines_root(undone.lines),
        }
    work.vault.shred_subjects(tenant=at.tenant, subject_ids=undone.subjects)
    work.rest()
    return UndoneChunk(numbers[-1])


def _next(work: WaveWork, at: WaveAt, before: int | None, size: int) -> tuple[list[int], list[str]]:
    statement = (
        select(CHANGES.c.row_number, CHANGES.c.record_id)
        .where(
            CHANGES.c.job == at.job,
            CHANGES.c.wave == at.wave,
            CHANGES.c.attempt == at.attempt,
            CHANGES.c.undone_at.is_(None),
            CHANGES.c.conflict.is_(False),
        )
        .order_by(CHANGES.c.row_number.desc())
        .limit(size)
    )
    if before is not None:
        statement = statement.where(CHANGES.c.row_number < before)
    with work.database.read() as session:
        found = session.execute(statement).all()
    return [number for number, _ in found], sorted({record for _, record in found})


def end_undo(work: WaveWork, at: WaveAt) -> tuple[str | None, bool]:
    """Destroy the keys that are left, and hold the root against the one before. Asked again, it looks again.

    Returns:
        The wave's state (None: another attempt is under way), and whether everything is as it was, but for records that
        others have changed or that people decided to leave: those are named in the event.
    """
    wave = _wave(work, at)
    if wave is None:
        return None, False
    if wave.state not in (WaveState.UNDOING, WaveState.UNDONE):
        return wave.state, wave.root_before is None  # it never began, or moves
    if wave.state == WaveState.UNDONE and wave.root_undone == wave.root_before:
        return wave.state, True
    shredded = _shred_left(work, at)
    root, now = wave_root(work, at), work.clock()
    named = [] if root.root == wave.root_before else _differing(work, at, wave, root)
    proven = not any(each["why"] in (NOT_PUT_BACK, ALTERED) for each in named)
    deed = work.deed("transfer.wave-undone", now, wave=at.wave, attempt=at.attempt, keysDestroyed=shredded)
    with unit_of_work(work.database, deed) as unit:
        held = hold_wave(unit.session, at)
        if held is None or held.state not in (WaveState.UNDOING, WaveState.UNDONE):
            raise Unchanged
        if held.state == WaveState.UNDONE and held.root_undone == root.root:
            raise Unchanged
        held.state, held.root_undone, held.ended_at = WaveState.UNDONE.value, root.root, now
        held.version += 1
        unit.session.add(held)
        deed.facts |= {
            "root": root.root,
            "rootBefore": held.root_before,
            "equal": root.root == held.root_before,
            "proven": proven,
            "records": root.records,
            "differing": named[:_MOST_NAMED],
            "differingCount": len(named),
        }
    return WaveState.UNDONE.value, proven


def _shred_left(work: WaveWork, at: WaveAt) -> int:
    """Keys of this attempt's new records, none of which is in the book any more."""
    after, destroyed = 0, 0
    while True:
        statement = (
            select(ROWS.c.number)
            .where(
                ROWS.c.job == at.job,
                ROWS.c.wave == at.wave,
                ROWS.c.number > after,
                ROWS.c.outcome.in_((RowOutcome.ACCEPTED.value, RowOutcome.HELD.value)),
            )
            .order_by(ROWS.c.number)
            .limit(CHUNK)
        )
        with work.database.read() as session:
            numbers = list(session.execute(statement).scalars())
            subjects = [subject_id(at, number) for number in numbers]
            standing = set(
                session.execute(select(RECORDS.c.subject_id).where(RECORDS.c.subject_id.in_(subjects))).scalars()
            )
        destroyed += work.vault.shred_subjects(
            tenant=at.tenant, subject_ids=[each for each in subjects if each not in standing]
        )
        beat()
        if len(numbers) < CHUNK:
            return destroyed
        after = numbers[-1]


def _differing(work: WaveWork, at: WaveAt, wave: TransferWave, root: BookRoot) -> list[dict[str, str]]:
    """Every record whose leaf is another one than before the wave, by id, with the reason."""
    before = wave.leaves_before or {}
    ids = sorted(each for each in before.keys() | root.present.keys() if before.get(each) != root.present.get(each))
    named: list[dict[str, str]] = []
    for first in range(0, len(ids), CHUNK):
        page = ids[first : first + CHUNK]
        with work.database.read() as session:
            waiting, left = _standing_lines(session, at, page)
            records = records_by_id(session, page)
        for each in page:
            why = NOT_PUT_BACK if each in waiting else LEFT if each in left else BESIDE
            record = records.get(each)
            if why == BESIDE and record is not None and wave.begun_at is not None and not _since(record, wave.begun_at):
                why = ALTERED
            if record is not None and record["erased_at"] is not None:
                why = ERASED
            named.append({"record": each, "why": why})
    return named


def _since(record: dict[str, Any], begun: datetime) -> bool:
    """Whether somebody has changed or erased a record since."""
    return any(at is not None and at >= begun for at in (record["updated_at"], record["erased_at"]))


def _standing_lines(session: Any, at: WaveAt, record_ids: list[str]) -> tuple[set[str], set[str]]:
    """Of these records those whose change waits for a person, and those that people decided to leave as they are."""
    statement = select(CHANGES.c.record_id, CHANGES.c.conflict).where(
        CHANGES.c.record_id.in_(record_ids),
        CHANGES.c.job == at.job,
        CHANGES.c.wave == at.wave,
        CHANGES.c.attempt == at.attempt,
        CHANGES.c.undone_at.is_(None),
    )
    found = session.execute(statement).all()
    waiting = {record for record, conflict in found if conflict}
    return waiting, {record for record, _ in found} - waiting


def _wave(work: WaveWork, at: WaveAt) -> TransferWave | None:
    with work.database.read() as session:
        wave = session.get(TransferWave, (at.job, at.wave))
    return wave if wave is not None and wave.attempt == at.attempt else None
