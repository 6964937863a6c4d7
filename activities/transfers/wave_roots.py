"""The root of what a wave touches of the target's book, bit by bit.

Leaves are the records that the wave's rows become or are merged into, in the order of their ids, each with the image of
all its stored columns, or with none where there is no such record. Rows of other waves and people who work beside them
change nothing of it; before the wave, and after its undo, it must be the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from activities.transfers.wave_work import WaveWork, beat
from compliance.audit.log import Edge, leaf_hash
from compliance.vault.framing import framed
from models.domain.transfers.images import image_of
from models.operations.transfers.wave_moves import RECORDS, ROWS, WaveAt, records_by_id

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


def wave_root(work: WaveWork, at: WaveAt) -> BookRoot:
    """The root as the book is now."""
    return _root(work, touched(work, at))


def _root(work: WaveWork, ids: list[str]) -> BookRoot:
    edge = Edge()
    present: dict[str, str] = {}
    for first in range(0, len(ids), _PAGE):
        page = ids[first : first + _PAGE]
        with work.database.read() as session:
            records = records_by_id(session, page)
        leaves = [_leaf(each, records.get(each)) for each in page]
        edge.extend(leaves)
        present |= {each: leaf[:_NAMED_BYTES].hex() for each, leaf in zip(page, leaves, strict=True) if each in records}
        beat()
    return BookRoot(edge.root().hex(), len(ids), present)


def _leaf(record_id: str, record: dict[str, object] | None) -> bytes:
    return record_leaf(record_id, None if record is None else image_of(record))


def whole_book_root(work: WaveWork) -> BookRoot:
    """The root over every record of the receiving tenant, as they lie there."""
    edge, after = Edge(), ""
    while True:
        statement = (
            select(*RECORDS.c).where(RECORDS.c.tenant == work.tenant, RECORDS.c.id > after).order_by(RECORDS.c.id)
        )
        with work.database.read() as session:
            page = session.execute(statement.limit(_PAGE)).mappings().all()
        edge.extend(list(_leaves(dict(row) for row in page)))
        beat()
        if len(page) < _PAGE:
            return BookRoot(edge.root().hex(), edge.size)
        after = page[-1]["id"]


def _leaves(records: Iterable[dict[str, object]]) -> Iterable[bytes]:
    return (_leaf(str(record["id"]), record) for record in records)
