"""How a customer's record (客户信息) lies in `customer_records`, and the two calls that seal and open many of them.

Values are keyed by the fields of `models.domain.customers.record` and are canonical already; an absent one is None or
missing. What lies in the clear beside the cells (kind of document, language) goes in and comes out with them, so a
record that was opened is the record that was sealed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import RowMapping

from compliance.vault.blind import BlindField
from compliance.vault.records import Indexed, Keys, Record, RecordLayout, RecordVault, SealedRecord
from models.domain.customers.record import CELL_FIELDS, CLEAR_FIELDS, FIELDS, PACKED_FIELDS, REQUIRED_FIELDS
from models.tables.customers import CustomerRecord

PACKED_COLUMN: Final = "packed_cell"
# Field → the column of its cell. Packed fields stand in the packed cell under their own names.
CELL_COLUMNS: Final[Mapping[str, str]] = {name: f"{name}_cell" for name in CELL_FIELDS}
CUSTOMER_LAYOUT: Final = RecordLayout(
    table="customer_records",
    cells=tuple(CELL_COLUMNS.values()),
    packed=PACKED_FIELDS,
    packed_into=PACKED_COLUMN,
    indexes={
        "customer_no_index": Indexed("customer_no_cell", BlindField.CUSTOMER_NO),
        "id_index": Indexed("id_number_cell", BlindField.ID_NUMBER),
        "mobile_index": Indexed("mobile_cell", BlindField.MOBILE),
        "account_index": Indexed("account_cell", BlindField.ACCOUNT),
    },
)
SEALED_COLUMNS: Final = (*CELL_COLUMNS.values(), PACKED_COLUMN)
# All columns that `seal_customers` gives and that `open_customers` needs, indexes apart, which nothing opens.
STORED_COLUMNS: Final = (*SEALED_COLUMNS, *CUSTOMER_LAYOUT.indexes, *CLEAR_FIELDS)
DEFAULT_LANGUAGE: Final = str(CustomerRecord.model_fields["language"].default)

_FIELD_OF: Final = {column: name for name, column in CELL_COLUMNS.items()}
_KNOWN: Final = frozenset(FIELDS)


class Customer(NamedTuple):
    """One record in clear.

    Attributes:
        id: the row's id (cus_…), to which every cell is bound.
        subject: whose key seals it.
        values: by field.
    """

    id: str
    subject: str
    values: Mapping[str, str | None]

    def __repr__(self) -> str:
        return f"Customer(id={self.id!r}, subject={self.subject!r})"


class StoredCustomer(NamedTuple):
    """One record as it lies in the table: every one of `STORED_COLUMNS`, absent ones as None."""

    id: str
    subject: str
    columns: Mapping[str, Any]


def as_stored(values: Mapping[str, str | None]) -> dict[str, str]:
    """The values that are there once a record was stored and opened again: none that is None, and a language.

    Both sides of a comparison go through this, so that a row that names no language equals the record it became.

    Raises:
        ValueError: a field that no record has; its name is said, its value is not.
    """
    if not values.keys() <= _KNOWN:
        raise ValueError(f"a customer's record has no field {min(values.keys() - _KNOWN)}")
    kept = {name: value for name, value in values.items() if value is not None}
    kept.setdefault("language", DEFAULT_LANGUAGE)
    return kept


def seal_customers(
    vault: Keys,
    *,
    tenant: str,
    customers: Iterable[Customer],
    create: bool = False,
    layout: RecordLayout = CUSTOMER_LAYOUT,
) -> Iterator[StoredCustomer]:
    """Seal records with their indexes, in chunks, as they come.

    Args:
        vault: the keys.
        tenant: whose book.
        customers: taken from as far as the chunk under way.
        create: give a key to a subject who has none, committed before the first of the chunk is handed out.
        layout: another one only where nobody searches, with fewer indexes.

    Raises:
        ValueError: an unknown field, one of `REQUIRED_FIELDS` is missing, or a value is empty; never with the value.
        SubjectShredded: a subject of the chunk was shredded.
        KeysUnavailable: a subject of the chunk has no key, or the key store does not answer.
    """
    clear: dict[str, dict[str, str]] = {}

    def records() -> Iterator[Record]:
        for customer in customers:
            record, beside = _split(customer)
            clear[customer.id] = beside
            yield record

    for sealed in RecordVault(vault, tenant=tenant, layout=layout).seal(records(), create=create):
        cells: dict[str, Any] = dict.fromkeys(STORED_COLUMNS)
        cells |= sealed.cells
        cells |= sealed.indexes
        cells |= clear.pop(sealed.row)
        yield StoredCustomer(sealed.row, sealed.subject, cells)


def open_customers(
    vault: Keys, *, tenant: str, stored: Iterable[StoredCustomer], fields: Collection[str] | None = None
) -> Iterator[Customer]:
    """Open records, in chunks, in their order.

    Args:
        vault: the keys.
        tenant: whose book.
        stored: as `seal_customers` gives them or `stored_of` makes them of rows.
        fields: only these, so that no more is opened than is needed; all, if not given.

    Raises:
        CannotOpen: a cell was altered, moved, or sealed under a key or a layout that is not here.
        SubjectShredded: as `seal_customers`.
        KeysUnavailable: as `seal_customers`.
    """
    wanted = _KNOWN if fields is None else frozenset(fields)
    columns = tuple(column for name, column in CELL_COLUMNS.items() if name in wanted)
    if wanted & frozenset(PACKED_FIELDS):
        columns = (*columns, PACKED_COLUMN)
    beside = tuple(name for name in CLEAR_FIELDS if name in wanted)
    clear: dict[str, dict[str, str]] = {}

    def sealed() -> Iterator[SealedRecord]:
        for row, subject, found in stored:
            clear[row] = {name: found[name] for name in beside if found[name] is not None}
            cells = {column: bytes(found[column]) for column in columns if found[column] is not None}
            yield SealedRecord(row, subject, cells)

    for record in RecordVault(vault, tenant=tenant, layout=CUSTOMER_LAYOUT).open(sealed()):
        values: dict[str, str | None] = {
            name: str(value)
            for column, value in record.values.items()
            if (name := _FIELD_OF.get(column, column)) in wanted
        }
        values |= clear.pop(record.row)
        yield Customer(record.row, record.subject, values)


def stored_of(row: CustomerRecord | Mapping[str, Any] | RowMapping) -> StoredCustomer:
    """A row of the table, as a record, a mapping of its columns, or as a statement gives it, for `open_customers`."""
    if isinstance(row, CustomerRecord):
        return StoredCustomer(row.id, row.subject_id, {column: getattr(row, column) for column in STORED_COLUMNS})
    return StoredCustomer(row["id"], row["subject_id"], {column: row[column] for column in STORED_COLUMNS})


def customer_tokens(vault: Keys, *, tenant: str, index: str, values: Iterable[str]) -> list[tuple[bytes, ...]]:
    """By what values are looked up in an index of the table (`customer_no_index`, `id_index`, …), in their order.

    Of each value the present token first, then those of older index keys that open; a value may stand under any.

    Raises:
        ValueError: there is no such index, or a value is empty.
    """
    return RecordVault(vault, tenant=tenant, layout=CUSTOMER_LAYOUT).tokens(index, values)


def _split(customer: Customer) -> tuple[Record, dict[str, str]]:
    values = as_stored(customer.values)
    lacking = REQUIRED_FIELDS - values.keys()
    if lacking:
        raise ValueError(f"record {customer.id} lacks {', '.join(sorted(lacking))}")
    empty = [name for name, value in values.items() if not value]
    if empty:
        raise ValueError(f"record {customer.id} has an empty {min(empty)}: an absent value is None")
    sealed = {CELL_COLUMNS.get(name, name): value for name, value in values.items() if name not in CLEAR_FIELDS}
    return Record(customer.id, customer.subject, sealed), {name: values[name] for name in CLEAR_FIELDS}
