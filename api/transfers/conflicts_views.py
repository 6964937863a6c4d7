"""How a conflict is shown: what differs, masked on both sides, and what may be decided."""

from collections.abc import Mapping

from api.deps import ApiDeps
from api.transfers.masking import masked_fields
from api.transfers.waves_bodies import ConflictAnswer
from api.wording import worded
from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.transfer_rows import open_rows
from models.domain.transfers.conflicts import CHOICES, ConflictKind, ConflictState
from models.errors import SubjectShredded
from models.operations.transfers.wave_moves import records_by_id
from models.queries.products import masks_of
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferRow

Shown = Mapping[str, str | None]


def conflict_answer(
    conflict: TransferConflict, *, locale: str, row: Shown | None = None, record: Shown | None = None
) -> ConflictAnswer:
    """A conflict, with masked values where they are given."""
    is_open = conflict.state != ConflictState.DECIDED
    return ConflictAnswer(
        id=conflict.id,
        wave=conflict.wave,
        attempt=conflict.attempt,
        row=conflict.row_number,
        record=conflict.record_id,
        kind=conflict.kind,
        kind_text=worded(f"transfer-conflict.{conflict.kind}", locale),
        fields=list(conflict.fields),
        state=conflict.state,
        proposal=conflict.proposal,
        choice=conflict.choice,
        choices=[choice.value for choice in CHOICES[ConflictKind(conflict.kind)]] if is_open else [],
        reason_code=conflict.reason_code,
        decided_by=conflict.decided_by,
        second_by=conflict.second_by,
        task_id=conflict.task_id,
        opened_at=conflict.opened_at,
        decided_at=conflict.decided_at,
        row_values=None if row is None else dict(row),
        record_values=None if record is None else dict(record),
    )


def opened_conflict(deps: ApiDeps, conflict: TransferConflict, *, locale: str) -> ConflictAnswer:
    """A conflict with both sides opened and masked; blocking, outside of any transaction."""
    with deps.database.read() as session:
        masks = masks_of(session, conflict.tenant)
        row = session.get(TransferRow, (conflict.job, conflict.row_number))
        record = records_by_id(session, [conflict.record_id or ""]).get(conflict.record_id or "")
    row_values: Shown | None = None
    record_values: Shown | None = None
    try:
        if row is not None:
            [(_, values)] = open_rows(deps.vault, tenant=conflict.tenant, rows=[(row.subject_id, row.row_cell)])
            row_values = masked_fields(values, masks)
        if record is not None:
            [customer] = open_customers(deps.vault, tenant=conflict.tenant, stored=[stored_of(record)])
            record_values = masked_fields(customer.values, masks)
    except SubjectShredded:  # one of the two was erased meanwhile: what is left of the other decides nothing
        row_values = record_values = None
    return conflict_answer(conflict, locale=locale, row=row_values, record=record_values)
