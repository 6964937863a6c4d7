"""Writes of a chunk of rows that move: records, journal, rows and figures of the wave, in one transaction.

What is written was worked out before, outside of the transaction. So everything it rests on is asked again here: the
wave still moves in this attempt, the row still waits in the version that was read, the record is bit for bit the one
that was read, the number is free. What does not hold is given back; nothing is overwritten.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, and_, bindparam, exists, or_, select, update
from sqlmodel import Session, col

from models.database.bulk import insert_many, update_many
from models.domain.tokens import named_token
from models.domain.transfers.conflicts import ConflictKind
from models.domain.transfers.images import image_of
from models.domain.transfers.states import MoveState, RowOutcome, WaveState
from models.operations.transfers.conflicts import NewConflict, open_conflicts
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferChange, TransferJob, TransferRow, TransferWave

RECORDS: Final[Table] = CustomerRecord.__table__  # type: ignore[attr-defined]
ROWS: Final[Table] = TransferRow.__table__  # type: ignore[attr-defined]
CHANGES: Final[Table] = TransferChange.__table__  # type: ignore[attr-defined]
RECORD_COLUMNS: Final = tuple(column.name for column in RECORDS.columns)
# For SQLite: without statistics it would walk over a whole job to find the lines of some records.
BY_RECORD: Final = "INDEXED BY ix_transfer_changes_record"
MOVING_OUTCOMES: Final = (RowOutcome.ACCEPTED.value, RowOutcome.MERGED.value)
_MILLE: Final = 1000
_ID: Final = RECORD_COLUMNS.index("id")
_OVERWRITE: Final = (
    update(RECORDS)
    .where(RECORDS.c.id == bindparam("b_id"))
    .values({name: bindparam(f"n_{name}") for name in RECORD_COLUMNS if name != "id"})
)
_MOVE: Final = (
    update(ROWS)
    .where(ROWS.c.job == bindparam("b_job"), ROWS.c.number == bindparam("b_number"))
    .values(
        move=bindparam("n_move"),
        target_record=bindparam("n_record"),
        reason_code=bindparam("n_reason"),
        version=ROWS.c.version + 1,
    )
)


@dataclass(frozen=True, slots=True)
class WaveAt:
    """Which attempt of which wave of which job."""

    tenant: str
    job: str
    wave: int
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What one row does. `version` is the one in which the row was read."""

    number: int
    version: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Insert(Effect):
    """The row becomes a record: every column of it.

    Attributes:
        other_numbers: the indexes of its customer number under other index keys, under which the book may have it.
    """

    record: Mapping[str, Any]
    other_numbers: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Update(Effect):
    """The row is merged into a record: every column before and after; the same, if nothing survives of the row."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clash(Effect):
    """The row waits for a person."""

    kind: ConflictKind
    record_id: str | None
    record_version: int | None = None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold(Effect):
    """The row cannot move; `reason` is a code."""

    reason: str


@dataclass(slots=True)
class Applied:
    """What of a chunk was written.

    Attributes:
        lines: row number, record and image after, of each line of the journal.
        again: rows whose record was another one than the one read; they were not touched.
        stopped: the error budget is spent with this chunk.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    held: int = 0
    conflicts: int = 0
    lines: list[tuple[int, str, bytes]] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    stopped: bool = False

    @property
    def moved(self) -> int:
        """Rows that have reached the book."""
        return self.inserted + self.updated + self.unchanged

    def figures(self) -> dict[str, int]:
        """For the event."""
        return {
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "held": self.held,
            "conflicts": self.conflicts,
        }


def movable(attempt: int) -> ColumnElement[bool]:
    """Rows that this attempt has still to move. One that was put back in this very attempt is not moved by it again."""
    line = exists().where(
        CHANGES.c.job == ROWS.c.job, CHANGES.c.row_number == ROWS.c.number, CHANGES.c.attempt == attempt
    )
    return and_(
        ROWS.c.outcome.in_(MOVING_OUTCOMES),
        or_(
            ROWS.c.move == MoveState.WAITING.value,
            and_(ROWS.c.move == MoveState.UNDONE.value, ~line),
        ),
    )


def change_id(job: str, number: int, attempt: int) -> str:
    """The name of a line of the journal."""
    return named_token("tch", f"{job}/{number}/{attempt}")


def hold_wave(session: Session, at: WaveAt) -> TransferWave | None:
    """The wave, locked until the end of the transaction; None if it is in another attempt by now."""
    wave = session.get(TransferWave, (at.job, at.wave), with_for_update=True, populate_existing=True)
    return wave if wave is not None and wave.attempt == at.attempt else None


def apply_effects(session: Session, at: WaveAt, effects: Sequence[Effect], *, now: datetime) -> Applied | None:
    """Write what holds of a chunk; None if the wave no longer moves in this attempt.

    Args:
        session: of the unit.
        at: the wave.
        effects: each record and each row at most once.
        now: when.
    """
    wave = hold_wave(session, at)
    if wave is None or wave.state != WaveState.MOVING:
        return None
    standing = _standing(session, at, effects)
    return write_effects(session, at, wave, [each for each in effects if each.number in standing], now=now)


def write_effects(
    session: Session, at: WaveAt, wave: TransferWave, effects: Sequence[Effect], *, now: datetime
) -> Applied:
    """As `apply_effects`, of rows that were looked at and a wave that is held."""
    applied, clashes = Applied(), [each for each in effects if isinstance(each, Clash)]
    updates = _still_as_read(session, [each for each in effects if isinstance(each, Update)], applied)
    inserts = _with_free_numbers(session, at, [each for each in effects if isinstance(each, Insert)], clashes)
    holds = [each for each in effects if isinstance(each, Hold)]
    _write_records(session, inserts, updates, applied)
    _write_journal(session, at, inserts, updates, applied, now=now)
    moved = {each.number: each.record["id"] for each in inserts} | {each.number: each.after["id"] for each in updates}
    _write_rows(session, at, moved, clashes)
    set_rows_aside(session, at.job, {each.number: each.reason for each in holds})
    open_conflicts(
        session,
        [
            NewConflict(
                at.tenant, at.job, at.wave, at.attempt, each.number, each.kind, each.record_id, each.record_version,
                each.fields,
            )
            for each in clashes
        ],
        now=now,
    )  # fmt: skip
    applied.held, applied.conflicts = len(holds), len(clashes)
    wave.moved += applied.moved
    wave.failed += len(holds)
    wave.conflicts += len(clashes)
    wave.version += 1
    if holds and wave.state == WaveState.MOVING and _spent(session, wave):
        wave.state, applied.stopped = WaveState.STOPPED.value, True
    session.add(wave)
    session.flush()
    return applied


def _spent(session: Session, wave: TransferWave) -> bool:
    budget = session.get_one(TransferJob, wave.job).error_budget
    return wave.failed * _MILLE > budget * wave.rows


def _standing(session: Session, at: WaveAt, effects: Sequence[Effect]) -> set[int]:
    """Rows that still wait, in the version that was read."""
    read = {each.number: each.version for each in effects}
    statement = (
        select(ROWS.c.number, ROWS.c.version)
        .where(
            ROWS.c.job == at.job,
            ROWS.c.number.in_(list(read)),
            ROWS.c.wave == at.wave,
            movable(at.attempt),
        )
        .order_by(ROWS.c.number)
        .with_for_update()
    )
    return {number for number, version in session.execute(statement) if read[number] == version}


def records_by_id(session: Session, ids: Iterable[str], *, lock: bool = False) -> dict[str, dict[str, Any]]:
    """Whole records as they lie there."""
    statement = select(*RECORDS.c).where(RECORDS.c.id.in_(list(ids))).order_by(RECORDS.c.id)
    if lock:
        statement = statement.with_for_update()
    return {row[_ID]: dict(zip(RECORD_COLUMNS, row, strict=True)) for row in session.connection().execute(statement)}


def _still_as_read(session: Session, updates: Sequence[Update], applied: Applied) -> list[Update]:
    if not updates:
        return []
    present = records_by_id(session, [each.before["id"] for each in updates], lock=True)
    kept = []
    for each in updates:
        record = present.get(each.before["id"])
        if record is not None and image_of(record) == image_of(each.before):
            kept.append(each)
        else:
            applied.again.append(each.number)
    return kept


def _with_free_numbers(session: Session, at: WaveAt, inserts: Sequence[Insert], clashes: list[Clash]) -> list[Insert]:
    if not inserts:
        return []
    wanted = [index for each in inserts for index in _numbers(each)]
    statement = select(RECORDS.c.customer_no_index, RECORDS.c.id).where(
        RECORDS.c.tenant == at.tenant, RECORDS.c.customer_no_index.in_(wanted)
    )
    taken = {bytes(index): record for index, record in session.execute(statement)}
    kept = []
    for each in inserts:
        holder = next((taken[index] for index in _numbers(each) if index in taken), None)
        if holder is not None:
            clashes.append(
                Clash(
                    number=each.number,
                    version=each.version,
                    kind=ConflictKind.NUMBER_TAKEN,
                    record_id=holder,
                    fields=("customer_no",),
                )
            )
        else:
            taken[each.record["customer_no_index"]] = each.record["id"]
            kept.append(each)
    return kept


def _numbers(insert: Insert) -> tuple[bytes, ...]:
    return (insert.record["customer_no_index"], *insert.other_numbers)


def _write_records(session: Session, inserts: Sequence[Insert], updates: Sequence[Update], applied: Applied) -> None:
    insert_many(session, RECORDS, [each.record for each in inserts])
    changed = [each for each in updates if each.before["version"] != each.after["version"]]
    overwrite_records(session, [each.after for each in changed])
    applied.inserted, applied.updated = len(inserts), len(changed)
    applied.unchanged = len(updates) - len(changed)


def overwrite_records(session: Session, records: Sequence[Mapping[str, Any]]) -> None:
    """Give records, which are held, all these columns."""
    names = [name for name in RECORD_COLUMNS if name != "id"]
    values = [{"b_id": each["id"], **{f"n_{name}": each[name] for name in names}} for each in records]
    update_many(session, _OVERWRITE, values)


def _write_journal(
    session: Session,
    at: WaveAt,
    inserts: Sequence[Insert],
    updates: Sequence[Update],
    applied: Applied,
    *,
    now: datetime,
) -> None:
    lines = [_line(at, each.number, None, each.record, now=now) for each in inserts]
    lines += [_line(at, each.number, each.before, each.after, now=now) for each in updates]
    insert_many(session, CHANGES, lines)
    applied.lines += [(line["row_number"], line["record_id"], line["after_image"]) for line in lines]


def _line(
    at: WaveAt, number: int, before: Mapping[str, Any] | None, after: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    return {
        "id": change_id(at.job, number, at.attempt),
        "tenant": at.tenant,
        "job": at.job,
        "wave": at.wave,
        "attempt": at.attempt,
        "row_number": number,
        "record_id": after["id"],
        "kind": "insert" if before is None else "update",
        "before_image": None if before is None else image_of(before),
        "after_image": image_of(after),
        "version_before": None if before is None else before["version"],
        "version_after": after["version"],
        "at": now,
        "undone_at": None,
        "conflict": False,
    }


def _write_rows(session: Session, at: WaveAt, moved: Mapping[int, str], clashes: Sequence[Clash]) -> None:
    """Rows that have moved, with their records, and rows that wait for a person."""
    state = MoveState.MOVED.value
    values = [
        {"b_job": at.job, "b_number": number, "n_move": state, "n_record": record, "n_reason": None}
        for number, record in moved.items()
    ]
    update_many(session, _MOVE, values)
    wait = update(ROWS).where(ROWS.c.job == at.job, ROWS.c.number.in_([each.number for each in clashes]))
    if clashes:
        session.execute(wait.values(move=MoveState.CONFLICT.value, version=ROWS.c.version + 1))


def set_rows_aside(session: Session, job: str, reasons: Mapping[int, str]) -> None:
    """Rows that cannot move are held, each with its reason: conservation still adds up."""
    for number, reason in reasons.items():
        session.execute(
            update(ROWS)
            .where(ROWS.c.job == job, ROWS.c.number == number)
            .values(
                outcome=RowOutcome.HELD.value,
                move=MoveState.WAITING.value,
                reason_code=reason,
                version=ROWS.c.version + 1,
            )
        )


def move_of(session: Session, job: str, number: int) -> TransferRow | None:
    """One row, locked."""
    return session.get(TransferRow, (job, number), with_for_update=True, populate_existing=True)


def changes_of_record(session: Session, job: str, record_id: str) -> list[TransferChange]:
    """What a job did to a record, newest first."""
    statement = select(TransferChange).where(col(TransferChange.job) == job, col(TransferChange.record_id) == record_id)
    found = session.execute(statement).scalars().all()
    return sorted(found, key=lambda each: (each.at, each.version_after), reverse=True)
