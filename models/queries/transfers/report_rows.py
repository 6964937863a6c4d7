"""Populations and single rows of a job, for the auditor's sample."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlmodel import Session, col, select

from models.domain.transfers.states import RowOutcome
from models.tables.customers import CustomerRecord
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferChange, TransferPair, TransferRow

# Rows are sampled by where they ended: a fault among ten rejected rows must not drown in a million accepted ones.
STRATA: Final = tuple(sorted(outcome.value for outcome in RowOutcome))
_CHUNK: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class SampledRow:
    """A sampled row with everything on record about it; cells are sealed still."""

    row: TransferRow
    record: CustomerRecord | None
    changes: tuple[TransferChange, ...]
    notice: TransferNotice | None
    pairs: tuple[TransferPair, ...]


def rows_of_stratum(session: Session, job: str, outcome: str) -> Iterator[int]:
    """The numbers of the rows that ended so, ascending."""
    found = session.exec(
        select(TransferRow.number)
        .where(TransferRow.job == job, TransferRow.outcome == outcome)
        .order_by(col(TransferRow.number))
        .execution_options(yield_per=5000)
    )
    yield from found


def sampled_rows(session: Session, job: str, numbers: Sequence[int]) -> Iterator[SampledRow]:
    """The rows of these numbers with their records, journal lines, notices and pairs, in order of the numbers."""
    for begin in range(0, len(numbers), _CHUNK):
        yield from _chunk(session, job, numbers[begin : begin + _CHUNK])


def _chunk(session: Session, job: str, numbers: Sequence[int]) -> Iterator[SampledRow]:
    rows = session.exec(
        select(TransferRow)
        .where(TransferRow.job == job, col(TransferRow.number).in_(numbers))
        .order_by(col(TransferRow.number))
    ).all()
    records = _records(session, {row.target_record for row in rows if row.target_record is not None})
    changes: dict[int, list[TransferChange]] = {}
    lines = select(TransferChange).where(TransferChange.job == job, col(TransferChange.row_number).in_(numbers))
    for change in session.exec(lines.order_by(col(TransferChange.attempt))):
        changes.setdefault(change.row_number, []).append(change)
    told = select(TransferNotice).where(TransferNotice.job == job, col(TransferNotice.row_number).in_(numbers))
    notices = {notice.row_number: notice for notice in session.exec(told)}
    pairs: dict[int, list[TransferPair]] = {}
    matched = select(TransferPair).where(TransferPair.job == job, col(TransferPair.row_number).in_(numbers))
    for pair in session.exec(matched.order_by(col(TransferPair.id))):
        pairs.setdefault(pair.row_number, []).append(pair)
    for row in rows:
        yield SampledRow(
            row=row,
            record=records.get(row.target_record or ""),
            changes=tuple(changes.get(row.number, ())),
            notice=notices.get(row.number),
            pairs=tuple(pairs.get(row.number, ())),
        )


def _records(session: Session, ids: Collection[str]) -> dict[str, CustomerRecord]:
    found = session.exec(select(CustomerRecord).where(col(CustomerRecord.id).in_(sorted(ids)))).all()
    return {record.id: record for record in found}
