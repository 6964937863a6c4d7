"""Holding a wave's records against its rows (对账): every row in one state, every record as its row, to the last cell.

Both sides are opened and compared by keyed figures: the checksum of each column and a Merkle root over the rows' names.
Where roots differ, a descent finds the rows. What the journal has of a record and what lies in the book must be the
same bytes, unless somebody has changed the record since, which its version tells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from activities.transfers.wave_roots import record_leaf
from activities.transfers.wave_work import WaveWork, beat
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_descent import LeafTree, descend
from compliance.transfers.record_proofs import Proof, ProofKey, differing_columns, extend_both
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.transfer_rows import open_rows
from models.domain.transfers.images import columns_of, image_of
from models.domain.transfers.states import MoveState, RowOutcome
from models.operations.transfers.wave_moves import BY_RECORD, CHANGES, ROWS, WaveAt, movable, records_by_id

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
    """What was found: figures of both sides, faults, and records that were changed since by others.

    Attributes:
        leaves: of each record that was looked at, by id, as it lies in the book: what its root is made of.
    """

    rows: Proof = field(default_factory=Proof)
    book: Proof = field(default_factory=Proof)
    moved: int = 0
    merged: int = 0
    changed_since: int = 0
    faults: list[Fault] = field(default_factory=list)
    leaves: dict[str, bytes] = field(default_factory=dict)

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
    journal = _journal(work, at, [row.number for row in page])
    accepted = []
    for row in page:
        line = journal.lines.get(row.number)
        fault = _fault_of(row, line, journal, check)
        if fault is not None:
            check.faults.append(fault)
        if line is not None:
            check.moved += 1
            record = journal.records.get(line.record)
            erased = record is not None and record["erased_at"] is not None
            if row.outcome != RowOutcome.ACCEPTED:
                check.merged += 1
            elif not erased:  # of who was erased since neither side opens
                accepted.append((row, line))
    if accepted:
        _compare(work, key, check, journal, accepted)


class _Line(NamedTuple):
    """A line of the journal that stands: which record, the version that it gave it, and its image after."""

    record: str
    version: int
    image: bytes


@dataclass(frozen=True, slots=True)
class _Journal:
    """The lines of some rows by number; of each of their records the newest line, what lies there, and its image."""

    lines: Mapping[int, _Line]
    newest: Mapping[str, _Line]
    records: Mapping[str, Mapping[str, Any]]
    images: Mapping[str, bytes]

    def columns(self, line: _Line) -> Mapping[str, Any]:
        """What the line has of its record: what lies there, if that is the same, bit by bit."""
        return self.records[line.record] if self.images.get(line.record) == line.image else columns_of(line.image)


def _journal(work: WaveWork, at: WaveAt, numbers: Sequence[int]) -> _Journal:
    """What the journal has of these rows.

    A line may be of an earlier attempt: its undo was a conflict, and a person decided to leave the record as it was.
    """
    columns = (CHANGES.c.record_id, CHANGES.c.version_after, CHANGES.c.after_image)
    standing = (CHANGES.c.job == at.job, CHANGES.c.undone_at.is_(None))
    mine = select(CHANGES.c.row_number, *columns).where(*standing, CHANGES.c.row_number.in_(numbers))
    newest: dict[str, _Line] = {}
    with work.database.read() as session:
        connection = session.connection()
        lines = {row[0]: _Line(row[1], row[2], bytes(row[3])) for row in connection.execute(mine)}
        for line in lines.values():
            _keep_newest(newest, line)
        others = (
            select(*columns)
            .where(CHANGES.c.record_id.in_(list(newest)), *standing, CHANGES.c.row_number.not_in(numbers))
            .with_hint(CHANGES, BY_RECORD, "sqlite")
        )
        for other in connection.execute(others):
            _keep_newest(newest, _Line(other[0], other[1], bytes(other[2])))
        records = records_by_id(session, sorted(newest))
    return _Journal(lines, newest, records, {name: image_of(record) for name, record in records.items()})


def _keep_newest(newest: dict[str, _Line], line: _Line) -> None:
    known = newest.get(line.record)
    if known is None or line.version > known.version:
        newest[line.record] = line


def _fault_of(row: _Row, line: _Line | None, journal: _Journal, check: WaveCheck) -> Fault | None:
    if line is None:
        return Fault(row.number, row.record_id, "no-journal")
    image = journal.images.get(line.record)
    if image is None:
        return Fault(row.number, line.record, "record-missing")
    check.leaves[line.record] = record_leaf(line.record, image)
    newest = journal.newest[line.record]
    if journal.records[line.record]["version"] > newest.version:
        check.changed_since += 1
        return None
    if image != newest.image:
        return Fault(row.number, line.record, "record-altered")
    return None


def _compare(
    work: WaveWork, key: ProofKey, check: WaveCheck, journal: _Journal, accepted: Sequence[tuple[_Row, _Line]]
) -> None:
    """Rows that became records: what was read against what lies sealed in the book, under two different keys."""
    names = [f"{row.number:012d}" for row, _ in accepted]
    opened = open_rows(work.vault, tenant=work.tenant, rows=((row.subject, row.cell) for row, _ in accepted))
    read = [values for _, values in opened]
    stored = (stored_of(journal.columns(line)) for _, line in accepted)
    kept = [customer.values for customer in open_customers(work.vault, tenant=work.tenant, stored=stored)]
    left, right = extend_both(key, check.rows, check.book, zip(names, read, kept, strict=True))
    if left == right:
        return
    of_name = {name: (row, one, other) for name, (row, _), one, other in zip(names, accepted, read, kept, strict=True)}
    for name, _ in descend(
        LeafTree.of(zip(names, left, strict=True)), LeafTree.of(zip(names, right, strict=True))
    ).found:
        row, one, other = of_name[name]
        columns = differing_columns(key, name, one, other)
        check.faults.append(Fault(row.number, row.record_id, "values-differ", columns))
