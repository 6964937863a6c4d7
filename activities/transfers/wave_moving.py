"""Moving the rows of a wave, chunk after chunk: read and prepared outside of the transaction, written inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from activities.transfers.wave_work import CHUNK, WaveWork, as_of, key_differences
from compliance.audit.log import leaf_hash, root_hash
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.wave_rows import Preparing, ReadRow
from compliance.vault.framing import framed
from models.domain.transfers.conflicts import ConflictKind
from models.domain.transfers.images import image_of
from models.domain.transfers.states import RowOutcome, WaveState
from models.operations.transfers.wave_moves import (
    CHANGES,
    ROWS,
    Applied,
    Clash,
    Effect,
    WaveAt,
    apply_effects,
    movable,
    records_by_id,
)
from models.tables.transfers import TransferWave

BUDGET_SPENT: Final = "error-budget"
NOT_MOVING: Final = "wave-not-moving"
MOVED: Final = "transfer.rows-moved"


@dataclass(slots=True)
class Moved:
    """What a chunk came to. `stopped` is a code."""

    after: int | None
    stopped: str | None = None


@dataclass(slots=True)
class _Chunk:
    """Rows that are under way; those that were read with a record that is another one by now are prepared again."""

    rows: list[ReadRow]
    changed: set[int] = field(default_factory=set)


def move_chunk(work: WaveWork, at: WaveAt, after: int, *, size: int = CHUNK) -> Moved:
    """Move the next rows behind a number. `after` None: no row is left.

    Raises:
        KeysUnavailable, DatabaseBusy: later it may work; what was written stays and is not written again.
    """
    chunk = _Chunk(_waiting(work, at, after, size))
    if not chunk.rows:
        return Moved(None, why_not_moving(work, at))
    last = chunk.rows[-1].number
    while chunk.rows:
        applied = _one_pass(work, at, chunk)
        if applied is None:
            return Moved(last, why_not_moving(work, at) or NOT_MOVING)
        if applied.stopped:
            return Moved(last, BUDGET_SPENT)
    return Moved(last)


def why_not_moving(work: WaveWork, at: WaveAt) -> str | None:
    """Why nothing moves in this attempt of the wave; None if it may."""
    with work.database.read() as session:
        wave = session.get(TransferWave, (at.job, at.wave))
    if wave is None or wave.attempt != at.attempt:
        return NOT_MOVING
    if wave.state == WaveState.STOPPED:
        return BUDGET_SPENT
    return None if wave.state in (WaveState.MOVING, WaveState.MOVED) else NOT_MOVING


def _one_pass(work: WaveWork, at: WaveAt, chunk: _Chunk) -> Applied | None:
    """Write as many of the rows as touch each record once; the others stay for the next pass."""
    now, rows = work.clock(), _each_record_once(chunk)
    preparing = Preparing(
        vault=work.vault,
        at=at,
        now=now,
        as_of=as_of(work.job.plan),
        key_differences=key_differences(work.job.plan),
    )
    merged = sorted({row.record_id for row in rows if row.outcome == RowOutcome.MERGED and row.record_id is not None})
    with work.database.read() as session:
        records = records_by_id(session, merged)
        foreign = _changed_by_others(work, session, [row for row in rows if row.number in chunk.changed], records)
    effects: list[Effect] = list(foreign)
    barred = {clash.number for clash in foreign}
    effects += preparing.effects([row for row in rows if row.number not in barred], records)
    applied: Applied | None = None
    deed = work.deed(MOVED, now, wave=at.wave, attempt=at.attempt)
    with unit_of_work(work.database, deed) as unit:
        applied = apply_effects(unit.session, at, effects, now=now)
        if applied is None or not (applied.moved or applied.held or applied.conflicts):
            raise Unchanged
        unit.deed.facts |= applied.figures() | {
            "rows": len(applied.lines) + applied.held + applied.conflicts,
            "first": rows[0].number,
            "last": rows[-1].number,
            "root": lines_root(applied.lines),
        }
    work.rest()
    if applied is not None:
        again = set(applied.again)
        chunk.changed |= again
        done = {row.number for row in rows} - again
        chunk.rows = [row for row in chunk.rows if row.number not in done]
    return applied


def lines_root(lines: Sequence[tuple[int, str, bytes | None]]) -> str:
    """The Merkle root over lines of the journal in the order of their rows: row, record and what lies there after."""
    leaves = [leaf_hash(framed(number, record, image or b"")) for number, record, image in sorted(lines)]
    return root_hash(leaves).hex()


def _each_record_once(chunk: _Chunk) -> list[ReadRow]:
    seen: set[str] = set()
    rows = []
    for row in chunk.rows:
        name = row.record_id or f"row:{row.number}"
        if name not in seen:
            rows.append(row)
        seen.add(name)
    return rows


def _changed_by_others(
    work: WaveWork, session: Any, rows: Sequence[ReadRow], records: Mapping[str, Mapping[str, Any]]
) -> list[Clash]:
    """Rows whose record was changed while they were prepared, by somebody who is not this job: a person decides."""
    clashes = []
    for row in rows:
        record = records.get(row.record_id or "")
        if record is None:
            continue
        ours = session.execute(
            select(CHANGES.c.after_image).where(
                CHANGES.c.record_id == record["id"],
                CHANGES.c.job == work.job.token,
                CHANGES.c.version_after == record["version"],
                CHANGES.c.undone_at.is_(None),
            )
        ).scalars()
        image = image_of(record)
        if not any(bytes(each) == image for each in ours):
            clashes.append(
                Clash(
                    number=row.number,
                    version=row.version,
                    kind=ConflictKind.RECORD_CHANGED,
                    record_id=record["id"],
                    record_version=record["version"],
                )
            )
    return clashes


def _waiting(work: WaveWork, at: WaveAt, after: int, size: int) -> list[ReadRow]:
    statement = (
        select(ROWS.c.number, ROWS.c.version, ROWS.c.subject_id, ROWS.c.row_cell, ROWS.c.outcome, ROWS.c.target_record)
        .where(
            ROWS.c.job == at.job,
            ROWS.c.wave == at.wave,
            ROWS.c.number > after,
            movable(at.attempt),
        )
        .order_by(ROWS.c.number)
        .limit(size)
    )
    with work.database.read() as session:
        found = session.execute(statement).all()
    return [
        ReadRow(number, version, subject, bytes(cell), outcome, record)
        for number, version, subject, cell, outcome, record in found
    ]
