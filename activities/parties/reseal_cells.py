"""The cells of some people under their new keys: read, open, seal, and exchange where nobody has written meanwhile."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, update

from activities.parties.reseal_work import Found, Place, ResealWork
from compliance.audit.log import leaf_hash, root_hash
from compliance.audit.unit import Unit
from compliance.vault import cells
from compliance.vault.cells import RowAddress
from compliance.vault.framing import framed
from compliance.vault.sealed_places import CELLS, CellPlace
from models.errors import CannotOpen, SubjectShredded

SEALED: Final = "suite-change.sealed"


@dataclass(frozen=True, slots=True)
class _Exchange:
    """New cells of one row, by column, each with the one that it takes the place of."""

    place: CellPlace
    row: str
    subject: str
    columns: Mapping[str, tuple[bytes, bytes]]


def reseal_cells(work: ResealWork, subject_ids: Collection[str], found: Found) -> None:
    """Seal again what lies under other keys than these subjects' present ones; name what does not open."""
    for place in CELLS:
        exchanges = _stale(work, place, subject_ids, found)
        work.in_chunks(exchanges, _exchange, action=SEALED)


def _stale(work: ResealWork, place: CellPlace, subject_ids: Collection[str], found: Found) -> list[_Exchange]:
    with work.database.read() as session:
        rows = session.execute(place.rows(tenant=work.tenant).where(place.subject.in_(subject_ids))).all()
    exchanges = []
    for row, subject, *values in rows:
        sealed = {name: value for name, value in zip(place.columns, values, strict=True) if value is not None}
        try:
            present = work.vault.header_of(tenant=work.tenant, subject_id=subject)
        except SubjectShredded:  # a moment ago: there is nothing left to seal under
            continue
        stale = {name: value for name, value in sealed.items() if cells.key_named(value) != present}
        if not stale:
            continue
        found.touched.add(subject)
        columns = _sealed_again(work, place, RowAddress(work.tenant, place.name, row, subject), stale, found)
        if columns:
            exchanges.append(_Exchange(place, row, subject, columns))
    return exchanges


def _sealed_again(
    work: ResealWork, place: CellPlace, address: RowAddress, stale: Mapping[str, bytes], found: Found
) -> dict[str, tuple[bytes, bytes]]:
    columns = {}
    for name, old in stale.items():
        try:
            columns[name] = (old, work.vault.reseal(address.cell(name), old))
        except SubjectShredded:
            return {}
        except CannotOpen:
            found.name(Place(place.name, name, address.row), address.subject)
    return columns


def _exchange(unit: Unit, exchanges: Sequence[_Exchange]) -> Mapping[str, int]:
    """Compare and set: a cell that somebody has written meanwhile stays theirs."""
    place, figures = exchanges[0].place, 0
    alike: dict[tuple[str, ...], list[_Exchange]] = defaultdict(list)
    for each in exchanges:
        alike[tuple(each.columns)].append(each)
    for columns, rows in alike.items():
        table = place.table
        statement = (
            update(table)
            .where(place.row == bindparam("b_row"), *(table.c[name] == bindparam(f"old_{name}") for name in columns))
            .values({name: bindparam(f"new_{name}") for name in columns})
        )
        values = [
            {
                "b_row": each.row,
                **{f"old_{name}": old for name, (old, _) in each.columns.items()},
                **{f"new_{name}": new for name, (_, new) in each.columns.items()},
            }
            for each in rows
        ]
        figures += unit.session.connection().execute(statement, values).rowcount * len(columns)
    unit.deed.facts |= {"table": place.name, "root": _root(exchanges)}
    return {"cells": figures}


def _root(exchanges: Sequence[_Exchange]) -> str:
    """Over what was to be exchanged, in order: where it lies, and the new cell, which is authentic in itself."""
    return root_hash(
        [
            leaf_hash(framed(each.place.name, each.row, name, new))
            for each in exchanges
            for name, (_, new) in each.columns.items()
        ]
    ).hex()
