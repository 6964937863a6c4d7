"""The giving company's records after the cut-over (转出): what has moved is marked there, chunk after chunk.

The book is that of the job's source tenant, where it is kept in this installation; a record is found by the customer
number of its row, under that company's own index. What has moved and is not known there is noted as such.
"""

from typing import Final

from sqlalchemy import select

from activities.transfers.wave_work import CHUNK, WaveWork
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.departures import MOVED_OUT, departure_deed
from compliance.vault.customer_layout import customer_tokens
from compliance.vault.transfer_rows import open_living
from models.operations.transfers.departures import Leaving, depart
from models.operations.transfers.wave_moves import RECORDS, ROWS
from models.queries.customers import ids_by_number
from models.tables.transfer_scopes import not_departed

_NUMBER: Final = "customer_no"
_Row = tuple[int, str, bytes]


def mark_departed(work: WaveWork, *, wave: int | None = None) -> int:
    """Mark the records of everything that has moved and is not marked yet; of one wave, or of the whole job.

    Returns:
        How many records left.
    """
    source = work.job.source_tenant
    if source is None or not _has_book(work, source):
        return 0
    left, after = 0, 0
    while rows := _moved(work, wave, after):
        after = rows[-1][0]
        left += _chunk(work, source, rows)
        work.rest()
    return left


def _chunk(work: WaveWork, source: str, rows: list[_Row]) -> int:
    leaving, now = _leaving(work, source, rows), work.clock()
    departed = None
    with unit_of_work(work.database, departure_deed(work.job, MOVED_OUT, actor="workflow", now=now)) as unit:
        departed = depart(unit.session, leaving, job=work.job.token, tenant=source, now=now)
        if not departed.rows:
            raise Unchanged
        unit.deed.facts |= {
            "rows": departed.rows,
            "records": departed.records,
            "unknown": departed.unknown,
            "first": rows[0][0],
            "last": rows[-1][0],
        }
    return 0 if departed is None else departed.records


def _leaving(work: WaveWork, source: str, rows: list[_Row]) -> list[Leaving]:
    numbers = _numbers(work, rows)
    tokens = customer_tokens(work.vault, tenant=source, index="customer_no_index", values=numbers.values())
    of_row = dict(zip(numbers, tokens, strict=True))
    wanted = sorted({token for found in tokens for token in found})
    with work.database.read() as session:
        records = ids_by_number(session, tenant=source, tokens=wanted)
    return [
        Leaving(number, next((records[token] for token in of_row.get(number, ()) if token in records), None))
        for number, _, _ in rows
    ]


def _numbers(work: WaveWork, rows: list[_Row]) -> dict[int, str]:
    """The customer number of each row. Of a row whose person was erased since it moved nobody knows it any more."""
    opened = open_living(work.vault, tenant=work.tenant, rows=[(subject, cell) for _, subject, cell in rows])
    return {
        number: values[_NUMBER]
        for (number, _, _), (_, values) in zip(rows, opened, strict=True)
        if values is not None and values.get(_NUMBER)
    }


def _moved(work: WaveWork, wave: int | None, after: int) -> list[_Row]:
    statement = (
        select(ROWS.c.number, ROWS.c.subject_id, ROWS.c.row_cell)
        .where(*not_departed(work.job.token), ROWS.c.number > after)
        .order_by(ROWS.c.number)
        .limit(CHUNK)
    )
    if wave is not None:
        statement = statement.where(ROWS.c.wave == wave)
    with work.database.read() as session:
        return [(number, subject, bytes(cell)) for number, subject, cell in session.execute(statement)]


def _has_book(work: WaveWork, source: str) -> bool:
    with work.database.read() as session:
        return session.execute(select(RECORDS.c.id).where(RECORDS.c.tenant == source).limit(1)).first() is not None
