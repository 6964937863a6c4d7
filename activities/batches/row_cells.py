"""Sealed rows of an import (导入行): opened for one judgement or one order, and nothing of it kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from activities.batches.judging import OpenedRows
from compliance.vault.batch_rows import CELL, row_address
from compliance.vault.keyring import Vault
from models.errors import SubjectShredded
from models.queries.batches.candidates import MandatesOfRows
from models.tables.agreements import Mandate
from models.tables.batch_imports import BatchRow


@dataclass(frozen=True, slots=True)
class SealedRows(OpenedRows):
    """Opens rows with the vault."""

    vault: Vault = field(repr=False)

    def __call__(self, tenant: str, rows: Sequence[BatchRow]) -> Mapping[int, Mapping[str, str]]:
        """The fields of each row by its number; rows of erased persons are left out."""
        found = {}
        self.vault.load_subjects(tenant, [row.subject_id for row in rows])  # one by one is most of the work
        for row in rows:
            try:
                clear = self.vault.open_many_text(row_address(tenant, row.subject_id), {CELL: row.row_cell})[CELL]
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
        # Reading spells references in capitals; ids of ours have none.
        named = {number: said.get("mandate", "").lower() for number, said in opened(tenant, rows).items()}
        known = set(
            session.exec(
                select(Mandate.id).where(col(Mandate.tenant) == tenant, col(Mandate.id).in_(set(named.values())))
            )
        )
        return {number: mandate for number, mandate in named.items() if mandate in known}

    return mandates_of
