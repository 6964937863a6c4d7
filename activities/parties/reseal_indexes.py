"""The blind indexes of some people's values under the present index key.

An index has no header, so whether it is a present one is known only by computing it afresh; each pass does that. One
that fits no index key at all is named: it finds nobody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from activities.parties.reseal_work import CHUNK, Found, Place, ResealWork
from compliance.audit.unit import Unit
from compliance.vault.cells import RowAddress
from compliance.vault.sealed_places import INDEXES, IndexPlace
from models.errors import CannotOpen, SubjectShredded

RENEWED = "suite-change.indexed"


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that is indexed: in which row its cell lies, and its indexes, the present one first."""

    row: str
    subject: str
    indexes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A present index in the place of an old one; in one row, or wherever that value is named."""

    place: IndexPlace
    row: str | None
    subject: str
    old: bytes
    new: bytes


def reseal_indexes(work: ResealWork, subject_ids: Collection[str], found: Found) -> None:
    """Bring the indexes of these subjects' values to the present key."""
    for place in INDEXES:
        values = _values(work, place, subject_ids, found)
        exchanges = _own(work, place, values, found) if place.is_own else _elsewhere(work, place, values)
        found.touched |= {each.subject for each in exchanges}
        refused = work.in_chunks(exchanges, _exchange, action=RENEWED)
        for each in refused:  # two records of one person, written at once under two index keys
            found.name(Place(place.column.table.name, place.column.name, each.row or ""), each.subject)


def _values(work: ResealWork, place: IndexPlace, subject_ids: Collection[str], found: Found) -> list[_Value]:
    statement = place.cells.rows(tenant=work.tenant).where(place.cells.subject.in_(subject_ids))
    if place.is_own:
        statement = statement.where(place.column.is_not(None))
    with work.database.read() as session:
        rows = session.execute(statement).all()
    values = []
    for each in rows:
        cell = getattr(each, place.cell)
        if cell is None:
            continue
        address = RowAddress(work.tenant, place.cells.name, each.row, each.subject).cell(place.cell)
        try:
            value = work.vault.open_text(address, cell)
            indexes = work.vault.blind_indexes(tenant=work.tenant, field=place.field, value=value)
        except SubjectShredded:
            continue
        except (CannotOpen, ValueError):
            found.name(Place(place.cells.name, place.cell, each.row), each.subject)
            continue
        values.append(_Value(each.row, each.subject, indexes))
    return values


def _own(work: ResealWork, place: IndexPlace, values: Sequence[_Value], found: Found) -> list[_Exchange]:
    by_row = {value.row: value for value in values}
    with work.database.read() as session:
        standing = session.execute(
            select(place.cells.row, place.column).where(place.cells.row.in_(list(by_row)), place.column.is_not(None))
        ).all()
    exchanges = []
    for row, index in standing:
        value = by_row[row]
        if index == value.indexes[0]:
            continue
        if index in value.indexes:
            exchanges.append(_Exchange(place, row, value.subject, index, value.indexes[0]))
        else:
            found.name(Place(place.column.table.name, place.column.name, row), value.subject)
    return exchanges


def _elsewhere(work: ResealWork, place: IndexPlace, values: Sequence[_Value]) -> list[_Exchange]:
    old = {index: value for value in values for index in value.indexes[1:]}
    table, standing = place.column.table, set()
    for first in range(0, len(old), CHUNK):
        some = list(old)[first : first + CHUNK]
        with work.database.read() as session:
            standing |= set(
                session.execute(
                    select(place.column).where(table.c.tenant == work.tenant, place.column.in_(some)).distinct()
                ).scalars()
            )
    return [_Exchange(place, None, old[index].subject, index, old[index].indexes[0]) for index in standing]


def _exchange(unit: Unit, exchanges: Sequence[_Exchange]) -> Mapping[str, int]:
    place = exchanges[0].place
    statement = update(place.column.table).where(place.column == bindparam("b_old"))
    if place.is_own:
        statement = statement.where(place.cells.row == bindparam("b_row"))
    else:
        statement = statement.where(place.column.table.c.tenant == unit.deed.tenant)
    values = [
        {"b_old": each.old, "b_new": each.new, **({"b_row": each.row} if place.is_own else {})} for each in exchanges
    ]
    changed = unit.session.connection().execute(statement.values({place.column.name: bindparam("b_new")}), values)
    unit.deed.facts |= {"table": place.column.table.name}
    return {"indexes": changed.rowcount}
