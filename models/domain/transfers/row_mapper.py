"""Rows of a foreign book made into fields of a record, as a mapping says.

Compiled once per source: no name is looked up per row.
"""

from collections.abc import Callable, Mapping, Sequence

from models.domain.customers.faults import ROW, Fault
from models.domain.customers.record import FIELDS
from models.domain.tabular.dates import read_day
from models.domain.tabular.rows import ReadRow
from models.domain.transfers.mapping import FieldRule, TransferMapping
from models.errors import FieldFault, FormInvalid

Mapped = tuple[dict[str, str], list[Fault]]
RowMapper = Callable[[ReadRow], Mapped]
_Take = Callable[[Sequence[str]], tuple[str, str | None]]


def compile_mapping(mapping: TransferMapping, header: Sequence[str]) -> RowMapper:
    """The function from rows to fields.

    Raises:
        FormInvalid: columns that the source does not have, or has twice; all of them are named by field.
    """
    places: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        places.setdefault(name.strip(), []).append(place)
    rules = mapping.fields or {name: FieldRule(column=name) for name in FIELDS if name in places}
    faults = []
    for field, rule in rules.items():
        for number, column in enumerate(rule.sources):
            found = places.get(column.strip(), ())
            if len(found) != 1:
                where = f"/mapping/fields/{field}/" + ("column" if rule.column is not None else f"columns/{number}")
                code = "mapping-column-missing" if not found else "mapping-column-twice"
                faults.append(FieldFault(pointer=where, code=code))
    if faults or not rules:
        raise FormInvalid(faults=tuple(faults) or (FieldFault(pointer="/mapping", code="mapping-nothing"),))
    takes: list[tuple[str, _Take]] = []
    plain: list[tuple[str, int]] = []
    fields_of: dict[str, list[str]] = {}
    for field, rule in rules.items():
        at = [places[column.strip()][0] for column in rule.sources]
        for place in at:
            fields_of.setdefault(f"#{place}", []).append(field)
        if len(at) == 1 and not (rule.split or rule.values is not None or rule.date):
            plain.append((field, at[0]))
        else:
            takes.append((field, _take(rule, at)))
    return _mapper(plain, takes, width=len(header), fields_of=fields_of)


def _mapper(
    plain: Sequence[tuple[str, int]],
    takes: Sequence[tuple[str, _Take]],
    *,
    width: int,
    fields_of: Mapping[str, Sequence[str]],
) -> RowMapper:
    def mapped(row: ReadRow) -> Mapped:
        cells, faults = row.cells, []
        if row.faults:
            for fault in row.faults:
                if fault.field == ROW:
                    faults.append(fault)
                else:
                    faults += [Fault(field, fault.rule) for field in fields_of.get(fault.field, ())]
        if not cells:
            return {}, faults
        if len(cells) != width:
            faults.append(Fault(ROW, "row-ragged"))
            cells = [*cells, *[""] * (width - len(cells))]
        values = {field: value for field, place in plain if (value := cells[place])}
        for field, take in takes:
            value, rule = take(cells)
            if value:
                values[field] = value
            if rule is not None:
                faults.append(Fault(field, rule))
        return values, faults

    return mapped


def _take(rule: FieldRule, at: Sequence[int]) -> _Take:
    constant = rule.constant
    if constant is not None:
        return lambda _cells: (constant, None)
    table = None if rule.values is None else {key.strip().upper(): value for key, value in rule.values.items()}

    def take(cells: Sequence[str]) -> tuple[str, str | None]:
        value = rule.join.join(part for place in at if (part := cells[place].strip()))
        if value and rule.split is not None:
            parts = value.split(rule.split)
            place = rule.part - 1 if rule.part > 0 else len(parts) + rule.part
            value = parts[place].strip() if 0 <= place < len(parts) else ""
        if table is not None and value:
            found = table.get(value.upper())
            if found is not None:
                return found, None
            if rule.otherwise == "drop":
                return "", None
            return value, "value-unmapped" if rule.otherwise == "hold" else None
        if rule.date is not None and value:
            # What is no such date goes on as it is: `长期` is a date too, and anything else is found by spelling.
            return read_day(value, rule.date) or value, None
        return value, None

    return take
