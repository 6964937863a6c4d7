"""Telling downstream who was erased (下游删除通知): every consumer that was given a record, once, without a value.

What has to be erased (PIPL 47) has to be erased in every system that holds it. A part of erasures stands behind the
parts that told of the records; what it holds is fixed in SQL before its first byte. A record that was taken back
already, as brought by a job that was rolled back, is not told of again.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Select, exists, select
from sqlmodel import Session, col

from activities.transfers.downstream import PART, new_part, tells_of_erasures
from activities.transfers.downstream_content import ChangedRecord
from activities.transfers.wave_work import WaveWork
from compliance.audit.unit import Unchanged, unit_of_work
from models.domain.transfers.consumers import Consumer
from models.operations.transfers.wave_moves import CHANGES, RECORDS
from models.tables.transfer_waves import TransferHandover
from models.tables.transfers import TransferWave

ERASED: Final = "erased"
_BROUGHT: Final = CHANGES.c.before_image.is_(None).label("brought")


class _Attempt(NamedTuple):
    wave: int
    attempt: int


def jobs_with_erasures() -> Select[str]:
    """Jobs that have handed something on and have changed a record that was erased."""
    # From the records, of which few are erased; a join over all parts would look at each change once for every part.
    return (
        select(CHANGES.c.job)
        .join(RECORDS, RECORDS.c.id == CHANGES.c.record_id)
        .where(RECORDS.c.erased_at.is_not(None), exists().where(col(TransferHandover.job) == CHANGES.c.job))
        .distinct()
    )


def fix_erasures(work: WaveWork, consumer: Consumer, told: Sequence[TransferHandover]) -> None:
    """Name whom a consumer was told of and who was erased since, once.

    Args:
        work: the job.
        consumer: who was told.
        told: its parts that are no reversals, as they stand.
    """
    with work.database.read() as session:
        if not _due(session, work, consumer, told):
            return
    deed = work.deed("transfer.erasures-fixed", work.clock(), consumer=consumer.name)
    with unit_of_work(work.database, deed) as unit:
        # Two of us do not fix the same: the waves are held, in their order.
        for wave in sorted({part.wave for part in told}):
            unit.session.get_one(TransferWave, (work.job.token, wave), with_for_update=True, populate_existing=True)
        due = _due(unit.session, work, consumer, told)
        if not due:
            raise Unchanged
        for where, rows in due.items():
            parts = _parts(unit.session, work, consumer)
            number = 1 + max(each.number for each in parts if (each.wave, each.attempt) == where)
            for first in range(0, len(rows), PART):
                chunk = rows[first : first + PART]
                unit.session.add(new_part(work, work.at(*where), consumer, number, chunk, erasure=True))
                number += 1
        unit.session.flush()
        deed.facts |= {"records": sum(map(len, due.values()))}


def _parts(session: Session, work: WaveWork, consumer: Consumer) -> Sequence[TransferHandover]:
    return session.scalars(
        select(TransferHandover)
        .where(col(TransferHandover.job) == work.job.token, col(TransferHandover.consumer) == consumer.name)
        .order_by(col(TransferHandover.wave), col(TransferHandover.attempt), col(TransferHandover.number))
    ).all()


def _due(
    session: Session, work: WaveWork, consumer: Consumer, told: Sequence[TransferHandover]
) -> Mapping[_Attempt, list[int]]:
    """Rows of erased records, by the attempt that has told of them; each record once, however often it was told."""
    lines = session.execute(
        select(CHANGES.c.wave, CHANGES.c.attempt, CHANGES.c.row_number, CHANGES.c.record_id, _BROUGHT)
        .join(RECORDS, RECORDS.c.id == CHANGES.c.record_id)
        .where(CHANGES.c.job == work.job.token, RECORDS.c.erased_at.is_not(None))
        .order_by(CHANGES.c.wave, CHANGES.c.attempt, CHANGES.c.row_number)
    ).all()
    if not lines:
        return {}
    parts = [part for part in _parts(session, work, consumer) if part.rows is not None]
    said = {part.id for part in told}
    rows = {part.id: {(part.wave, part.attempt, row) for row in part.rows or []} for part in parts}
    given = set().union(*(rows[part.id] for part in parts if part.id in said))
    told_erased = set().union(*(rows[part.id] for part in parts if tells_of_erasures(part)))
    taken_back = set().union(*(rows[part.id] for part in parts if part.reversal and not tells_of_erasures(part)))
    done = {
        line.record_id
        for line in lines
        if (place := tuple(line[:3])) in told_erased or (place in taken_back and line.brought)
    }
    due: dict[_Attempt, list[int]] = {}
    for line in lines:
        if tuple(line[:3]) in given and line.record_id not in done:
            due.setdefault(_Attempt(line.wave, line.attempt), []).append(line.row_number)
            done.add(line.record_id)
    return due


def erased_records(work: WaveWork, part: TransferHandover) -> list[tuple[int, ChangedRecord]]:
    """What a consumer is told of a part: that a record is erased, and when."""
    statement = (
        select(CHANGES.c.row_number, CHANGES.c.record_id, CHANGES.c.version_after, RECORDS.c.erased_at)
        .join(RECORDS, RECORDS.c.id == CHANGES.c.record_id)
        .where(CHANGES.c.job == part.job, CHANGES.c.attempt == part.attempt, CHANGES.c.row_number.in_(part.rows or []))
        .order_by(CHANGES.c.row_number)
    )
    with work.database.read() as session:
        return [
            (row, ChangedRecord(record, ERASED, version, at, {}))
            for row, record, version, at in session.execute(statement)
        ]
