"""How a transfer job's rows (迁移行) lie sealed: all fields of a row in one packed cell under the row's own subject.

The address of a row is its subject: each row has one of its own, in the receiving tenant. What could not be spelled
canonically lies there as it was read; `TransferRow.faults` says which fields those are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from compliance.vault.records import Keys, Record, RecordLayout, RecordVault, SealedRecord
from models.domain.customers.record import FIELDS
from models.errors import SubjectShredded

ROW_TABLE: Final = "transfer_rows"
ROW_COLUMN: Final = "row_cell"
# Stands in every row, so that one of which nothing could be read has a cell too.
MARK: Final = "row"
ROW_LAYOUT: Final = RecordLayout(table=ROW_TABLE, cells=(), packed=(*FIELDS, MARK), packed_into=ROW_COLUMN)
# What a correction changes, under the row's subject; its address is the correction's id.
CORRECTION_LAYOUT: Final = RecordLayout(
    table="transfer_corrections", cells=(), packed=(*FIELDS, MARK), packed_into="changes_cell"
)


def seal_rows(
    vault: Keys, *, tenant: str, rows: Iterable[tuple[str, Mapping[str, str]]], create: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Seal rows given as subject and fields, 500 at a time; gives subject and `row_cell` in the same order.

    Args:
        vault: the vault.
        tenant: who receives.
        rows: fields by their names in `models.domain.customers.record.FIELDS`; absent ones have no entry.
        create: give each subject its key, committed before its cell is handed out.

    Raises:
        SubjectShredded, KeysUnavailable: as `RecordVault.seal`.
    """
    sealing = RecordVault(vault, tenant=tenant, layout=ROW_LAYOUT)
    records = (Record(subject, subject, {**values, MARK: ""}) for subject, values in rows)
    for sealed in sealing.seal(records, create=create):
        yield sealed.subject, sealed.cells[ROW_COLUMN]


def open_living(
    vault: Keys, *, tenant: str, rows: Sequence[tuple[str, bytes]]
) -> list[tuple[str, dict[str, str] | None]]:
    """As `open_rows`; None stands for a row whose person was erased, and the others are opened all the same.

    Raises:
        CannotOpen, KeysUnavailable: as `RecordVault.open`.
    """
    try:
        return [(subject, values) for subject, values in open_rows(vault, tenant=tenant, rows=rows)]
    except SubjectShredded:
        if len(rows) == 1:
            return [(rows[0][0], None)]
    half = len(rows) // 2
    return [
        *open_living(vault, tenant=tenant, rows=rows[:half]),
        *open_living(vault, tenant=tenant, rows=rows[half:]),
    ]


def open_rows(vault: Keys, *, tenant: str, rows: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, dict[str, str]]]:
    """Open rows given as subject and `row_cell`; gives subject and fields in the same order.

    Raises:
        CannotOpen, SubjectShredded, KeysUnavailable: as `RecordVault.open`.
    """
    opening = RecordVault(vault, tenant=tenant, layout=ROW_LAYOUT)
    for record in opening.open(SealedRecord(subject, subject, {ROW_COLUMN: cell}) for subject, cell in rows):
        yield record.subject, {name: str(value) for name, value in record.values.items() if name != MARK}
