"""Rows of a batch's file as they are kept (导入行): sealed under subjects of their own; as read, or as corrected."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from compliance.vault.batch_quarantine import original_of, records_of, texts_of
from compliance.vault.blind import BlindField
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.domain.batches.files.canonical import row_fields
from models.domain.batches.files.cleaner import key_of
from models.domain.batches.files.layout import Layout
from models.domain.batches.files.rows import CleanRow, HeldRow, Value
from models.domain.batches.kinds import KindName
from models.domain.tokens import named_token
from models.tables.batch_imports import BatchImport, BatchRow

CELL: Final = "row_cell"


def row_subject(import_id: str, line: int, attempt: int) -> str:
    """The subject of a row: its own, and nobody else's."""
    return named_token("sub", f"{import_id}/{line}/{attempt}")


def row_address(tenant: str, subject: str) -> RowAddress:
    """Under what a row is sealed."""
    return RowAddress(tenant=tenant, table="batch_rows", row=subject, subject=subject)


def seal_row(vault: Vault, tenant: str, subject: str, document: Mapping[str, object]) -> bytes:
    """Seal what a line says; its subject has its key already."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace").decode()
    return vault.seal_many(row_address(tenant, subject), {CELL: text})[CELL]


def texts_of_row(vault: Vault, row: BatchRow) -> dict[str, str]:
    """What a held row says, by field of its layout, in clear: what a person corrects.

    Raises:
        CannotOpen, SubjectShredded: it cannot be opened any more.
    """
    clear = vault.open_many_text(row_address(row.tenant, row.subject_id), {CELL: row.row_cell})[CELL]
    return texts_of(clear.encode())


def kept_row(
    vault: Vault, taken: BatchImport, layout: Layout, row: CleanRow | HeldRow, *, number: int = 0, attempt: int = 1
) -> BatchRow:
    """A row as it is written down, not judged yet; the key of its subject is there."""
    document: dict[str, Any]
    faults: list[dict[str, Any]] = []
    amount, key, subject = None, None, row_subject(taken.id, row.line, attempt)
    if isinstance(row, CleanRow):
        document = {**row_fields(row.values)}
        total = row.values.get(layout.total_field or "")
        amount = total if isinstance(total, int) else None
        key = _key(vault, taken.tenant, layout, row.values)
    else:
        document = json.loads(original_of(row))
        faults = [{"field": each.field, "rule": each.rule, "masked": each.masked} for each in records_of(row)]
    return BatchRow(
        import_id=taken.id,
        number=number,
        tenant=taken.tenant,
        line=row.line,
        attempt=attempt,
        subject_id=subject,
        row_cell=seal_row(vault, taken.tenant, subject, document),
        amount_minor=amount,
        natural_key=key,
        faults=faults,
    )


def _key(vault: Vault, tenant: str, layout: Layout, values: Mapping[str, Value]) -> bytes:
    """What a claim goes by: of a wage the person, whatever number the sender has given the row."""
    if layout.kind == KindName.PAYROLL and "idNumber" in values:
        return vault.blind_index(tenant=tenant, field=BlindField.ID_NUMBER, value=str(values["idNumber"]))
    # Hashed first: the index folds spellings together, and two references are not the same for a hyphen.
    told = hashlib.sha256(json.dumps([layout.name, *key_of(layout, values)]).encode()).hexdigest()
    return vault.blind_index(tenant=tenant, field=BlindField.CUSTOMER_NO, value=told)
