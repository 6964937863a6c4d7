"""Sealed rows of an import (导入行): opened for one judgement or one order, and nothing of it kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session, col, select

from activities.batches.judging import OpenedRows
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.errors import SubjectShredded
from models.queries.batches.candidates import MandatesOfRows
from models.tables.agreements import Mandate
from models.tables.batch_imports import BatchRow

_CELL: Final = "row_cell"


def row_address(tenant: str, subject: str) -> RowAddress:
    """Under what a row is sealed: its subject is its own, and nobody else's."""
    return RowAddress(tenant=tenant, table="batch_rows", row=subject, subject=subject)


def seal_row(vault: Vault, tenant: str, subject: str, document: Mapping[str, object]) -> bytes:
    """Seal what a line says; its subject has its key already."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="backslashreplace").decode()
    return vault.seal_many(row_address(tenant, subject), {_CELL: text})[_CELL]


@dataclass(frozen=True, slots=True)
class SealedRows(OpenedRows):
    """Opens rows with the vault."""

    vault: Vault = field(repr=False)

    def __call__(self, tenant: str, rows: Sequence[BatchRow]) -> Mapping[int, Mapping[str, str]]:
        """The fields of each row by its number; rows of erased persons are left out."""
        found = {}
        for row in rows:
            try:
                clear = self.vault.open_many_text(row_address(tenant, row.subject_id), {_CELL: row.row_cell})[_CELL]
            except SubjectShredded:
                continue
            found[row.number] = {name: text for name, text in json.loads(clear).items() if isinstance(text, str)}
        return found


def named_mandates(opened: OpenedRows) -> MandatesOfRows:
    """Which mandate each row of a file names; one of another tenant is none."""

    def mandates_of(session: Session, rows: Sequence[BatchRow]) -> Mapping[int, str]:
        if not rows:
            return {}
        tenant = rows[0].tenant
        named = {number: said.get("mandate", "") for number, said in opened(tenant, rows).items()}
        known = set(
            session.exec(
                select(Mandate.id).where(col(Mandate.tenant) == tenant, col(Mandate.id).in_(set(named.values())))
            )
        )
        return {number: mandate for number, mandate in named.items() if mandate in known}

    return mandates_of
