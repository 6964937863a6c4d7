"""Holding a wave's records against its rows (对账): every row in one state, every record as its row, to the last cell.

Both sides are opened and compared by keyed figures: the checksum of each column and a Merkle root over the rows' names.
Where roots differ, a descent finds the rows. What the journal has of a record and what lies in the book must be the
same bytes, unless somebody has changed the record since, which its version tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select

from activities.transfers.wave_work import WaveWork, beat
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_descent import LeafTree, descend
from compliance.transfers.record_proofs import Named, Proof, ProofKey, differing_columns
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.transfer_rows import open_rows
from models.domain.transfers.images import columns_of, image_of
from models.domain.transfers.states import MoveState, RowOutcome
from models.operations.transfers.wave_moves import CHANGES, ROWS, WaveAt, movable, records_by_id

_PAGE: Final = 500
MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """A row whose record is not what it should be; by number and id, never by value."""

    row: int
    record: str | None
    fault: str
    columns: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As it stands in records and events."""
        told: dict[str, Any] = {"row": self.row, "record": self.record, "fault": self.fault}
        return told | {"columns": list(self.columns)} if self.columns else told


@dataclass(slots=True)
class WaveCheck:
    """What was found: figures of both sides, faults, and records that were changed since by others."""

    rows: Proof = field(default_factory=Proof)
    book: Proof = field(default_factory=Proof)
    moved: int = 0
    merged: int = 0
    changed_since: int = 0
    faults: list[Fault] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        """As it stands with the wave."""
        return {
            "moved": self.moved,
            "merged": self.merged,
            "changedSince": self.changed_since,
            "rows": self.rows.figures(),
            "book": self.book.figures(),
            "faults": [fault.told() for fault in self.faults[:MOST_NAMED]],
            "faultCount": len(self.faults),
        }


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    subject: str
    cell: bytes
    outcome: str
    record_id: str | None


def check_wave(work: WaveWork, at: WaveAt) -> WaveCheck:
    """Open and compare what this attempt of a wave has moved.

    Raises:
        KeysUnavailable, DatabaseBusy: later it may work.
    """
    key, check, after = job_proof_key(work.vault, tenant=work.tenant, job=at.job), WaveCheck(), 0
    check.faults += _not_moved(work, at)
    while True:
        page = _page(work, at, after)
        if page:
            _check_page(work, at, key, check, page)
            after = page[-1].number
        beat()
        if len(page) < _PAGE:
            return check


def _not_moved(work: WaveWork, at: WaveAt) -> list[Fault]:
    statement = (
        select(ROWS.c.number)
        .where(
            ROWS.c.job == at.job,
            ROWS.c.wave == at.wave,
            movable(at.attempt),
        )
        .order_by(ROWS.c.number)
    )
    with work.database.read() as session:
        return [Fault(number, None, "not-moved") for number in session.execute(statement).scalars()]


def _page(work: WaveWork, at: WaveAt, after: int) -> list[_Row]:
    statement = (
        select(ROWS.c.number, ROWS.c.subject_id, ROWS.c.row_cell, ROWS.c.outcome, ROWS.c.target_record)
        .where(
            ROWS.c.job == at.job,
            ROWS.c.wave == at.wave,
            ROWS.c.number > after,
            ROWS.c.move == MoveState.MOVED.value,
        )
        .order_by(ROWS.c.number)
        .limit(_PAGE)
    )
    with work.database.read() as session:
        return [_Row(*row) for row in session.execute(statement)]


def _check_page(work: WaveWork, at: WaveAt, key: ProofKey, check: WaveCheck, page: Sequence[_Row]) -> None:
    lines, newest, records = _journal(work, at, [row.number for row in page])
    accepted = []
    for row in page:
        line = lines.get(row.number)
        fault = _fault_of(row, line, newest, records, check)
        if fault is not None:
            check.faults.append(fault)
        if line is not None:
            check.moved += 1
            if row.outcome == RowOutcome.ACCEPTED:
                accepted.append((row, line))
            else:
                check.merged += 1
    if accepted:
        _compare(work, key, check, accepted)


def _journal(
    work: WaveWork, at: WaveAt, numbers: Sequence[int]
) -> tuple[dict[int, dict[str, Any]], dict[str, tuple[int, bytes]], dict[str, dict[str, Any]]]:
    """The lines of these rows that stand; of each record the newest line, as version and image; the records.

    A line may be of an earlier attempt: its undo was a conflict, and a person decided to leave the record as it was.
    """
    mine = select(CHANGES.c.row_number, CHANGES.c.record_id, CHANGES.c.version_after, CHANGES.c.after_image).where(
        CHANGES.c.job == at.job,
        CHANGES.c.row_number.in_(numbers),
        CHANGES.c.undone_at.is_(None),
    )
    with work.database.read() as session:
        lines = {row["row_number"]: dict(row) for row in session.execute(mine).mappings()}
        ids = sorted({line["record_id"] for line in lines.values()})
        newest = newest_lines(session, at.job, ids)
        return lines, newest, records_by_id(session, ids)


def newest_lines(session: Any, job: str, record_ids: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """Of each record the last version that the job gave it and that stands, with its image."""
    statement = select(CHANGES.c.record_id, CHANGES.c.version_after, CHANGES.c.after_image).where(
        CHANGES.c.record_id.in_(list(record_ids)), CHANGES.c.job == job, CHANGES.c.undone_at.is_(None)
    )
    newest: dict[str, tuple[int, bytes]] = {}
    for record, version, image in session.execute(statement):
        if record not in newest or version > newest[record][0]:
            newest[record] = (version, bytes(image))
    return newest


def _fault_of(
    row: _Row,
    line: Mapping[str, Any] | None,
    newest: Mapping[str, tuple[int, bytes]],
    records: Mapping[str, Mapping[str, Any]],
    check: WaveCheck,
) -> Fault | None:
    if line is None:
        return Fault(row.number, row.record_id, "no-journal")
    record = records.get(line["record_id"])
    if record is None:
        return Fault(row.number, line["record_id"], "record-missing")
    version, image = newest[line["record_id"]]
    if record["version"] > version:
        check.changed_since += 1
        return None
    if image_of(record) != image:
        return Fault(row.number, line["record_id"], "record-altered")
    return None


def _compare(
    work: WaveWork, key: ProofKey, check: WaveCheck, accepted: Sequence[tuple[_Row, Mapping[str, Any]]]
) -> None:
    """Rows that became records: what was read against what lies sealed in the book, under two different keys."""
    names = [f"{row.number:012d}" for row, _ in accepted]
    opened = open_rows(work.vault, tenant=work.tenant, rows=((row.subject, row.cell) for row, _ in accepted))
    read = [Named(name, values) for name, (_, values) in zip(names, opened, strict=True)]
    images = (stored_of(columns_of(line["after_image"])) for _, line in accepted)
    customers = open_customers(work.vault, tenant=work.tenant, stored=images)
    kept = [Named(name, customer.values) for name, customer in zip(names, customers, strict=True)]
    left = LeafTree.of(zip(names, check.rows.extend(key, read), strict=True))
    right = LeafTree.of(zip(names, check.book.extend(key, kept), strict=True))
    found = descend(left, right).found
    if not found:
        return
    of_name = {name: (row, one, other) for name, (row, _), one, other in zip(names, accepted, read, kept, strict=True)}
    for name, _ in found:
        row, one, other = of_name[name]
        columns = differing_columns(key, name, one.values, other.values)
        check.faults.append(Fault(row.number, row.record_id, "values-differ", columns))
