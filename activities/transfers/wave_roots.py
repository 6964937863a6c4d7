"""The root of what a wave touches of the target's book, bit by bit.

Leaves are the records that the wave's rows become or are merged into, in the order of their ids, each with the image of
all its stored columns, or with none where there is no such record. Rows of other waves and people who work beside them
change nothing of it; before the wave, and after its undo, it must be the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session

from activities.transfers.wave_work import WaveWork, beat
from compliance.audit.log import Edge, leaf_hash
from compliance.vault.framing import framed
from models.domain.transfers.images import image_of
from models.operations.transfers.wave_moves import RECORD_COLUMNS, RECORDS, ROWS, WaveAt, records_by_id

_PAGE: Final = 500
_NAMED_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class BookRoot:
    """A root and over how many records. `present`: of those that are there, by id, the beginning of the leaf."""

    root: str
    records: int
    present: dict[str, str] = field(default_factory=dict)


def record_leaf(record_id: str, image: bytes | None) -> bytes:
    """The leaf of one place of the book."""
    return leaf_hash(framed(record_id, b"" if image is None else image))


def touched(work: WaveWork, at: WaveAt) -> list[str]:
    """The ids of the records that the wave's rows become or are merged into, in order."""
    statement = (
        select(ROWS.c.target_record)
        .where(ROWS.c.job == at.job, ROWS.c.wave == at.wave, ROWS.c.target_record.is_not(None))
        .distinct()
    )
    with work.database.read() as session:
        return sorted(session.execute(statement).scalars())


def wave_root(work: WaveWork, at: WaveAt, *, known: Mapping[str, bytes] | None = None) -> BookRoot:
    """The root as the book is now.

    Args:
        work: the job.
        at: the wave.
        known: leaves of records that were looked at a moment ago, by id; the others are read.
    """
    edge, present = Edge(), dict[str, str]()
    ids = touched(work, at)
    for first in range(0, len(ids), _PAGE):
        page = ids[first : first + _PAGE]
        there = {each: leaf for each in page if (leaf := (known or {}).get(each)) is not None}
        there |= _read_leaves(work, [each for each in page if each not in there])
        edge.extend([there[each] if each in there else record_leaf(each, None) for each in page])
        present |= {each: there[each][:_NAMED_BYTES].hex() for each in page if each in there}
        beat()
    return BookRoot(edge.root().hex(), len(ids), present)


def _read_leaves(work: WaveWork, ids: list[str]) -> dict[str, bytes]:
    if not ids:
        return {}
    with work.database.read() as session:
        records = records_by_id(session, ids)
    return {each: record_leaf(each, image_of(record)) for each, record in records.items()}


@dataclass(frozen=True, slots=True)
class WalkedRecord:
    """One record of a book, as it lies there."""

    id: str
    version: int
    image: bytes


def walk_book(work: WaveWork, *, beside: Callable[[Session, str, Sequence[WalkedRecord], bool], None]) -> BookRoot:
    """The root over every record of the receiving tenant, as they lie there.

    Args:
        work: the job.
        beside: told of each page in the same snapshot: the id behind which it begins, its records by id, and whether
            it is the last.
    """
    edge, after = Edge(), ""
    while True:
        statement = (
            select(*RECORDS.c).where(RECORDS.c.tenant == work.tenant, RECORDS.c.id > after).order_by(RECORDS.c.id)
        )
        with work.database.read() as session:
            found = session.connection().execute(statement.limit(_PAGE)).all()
            page = [_walked(row) for row in found]
            is_last = len(page) < _PAGE
            beside(session, after, page, is_last)
        edge.extend([record_leaf(each.id, each.image) for each in page])
        beat()
        if is_last:
            return BookRoot(edge.root().hex(), edge.size)
        after = page[-1].id


def whole_book_root(work: WaveWork) -> BookRoot:
    """The root over every record of the receiving tenant, as they lie there."""
    return walk_book(work, beside=lambda *_: None)


def _walked(row: Sequence[Any]) -> WalkedRecord:
    record = dict(zip(RECORD_COLUMNS, row, strict=True))
    return WalkedRecord(record["id"], record["version"], image_of(record))
