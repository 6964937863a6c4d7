"""What a decision about a conflict does to the record: worked out outside of the transaction that writes it."""

from datetime import datetime

from sqlmodel import Session

from compliance.transfers.wave_rows import Preparing, ReadRow
from compliance.vault.keyring import Vault
from models.domain.transfers.conflicts import Choice, ConflictKind
from models.errors import NotFound
from models.operations.transfers.conflict_choices import at_of
from models.operations.transfers.wave_moves import Update, records_by_id
from models.tables.transfer_waves import TransferConflict
from models.tables.transfers import TransferRow


def read_row(session: Session, conflict: TransferConflict) -> ReadRow:
    """The row that waits, as it is moved.

    Raises:
        NotFound: there is none.
    """
    row = session.get(TransferRow, (conflict.job, conflict.row_number))
    if row is None:
        raise NotFound(detail=conflict.id)
    return ReadRow(row.number, row.version, row.subject_id, row.row_cell, str(row.outcome), conflict.record_id)


def effect_of(
    vault: Vault, session: Session, conflict: TransferConflict, choice: Choice, *, now: datetime
) -> Update | None:
    """What the row does to the record if this is decided; None where nothing is moved.

    Raises:
        NotFound: the record is gone.
        CannotOpen, SubjectShredded, KeysUnavailable: row or record does not open.
    """
    if choice is Choice.HOLD or conflict.kind == ConflictKind.UNDO:
        return None
    record = records_by_id(session, [conflict.record_id or ""]).get(conflict.record_id or "")
    if record is None or record["erased_at"] is not None:
        raise NotFound(detail=conflict.id)
    row, preparing = read_row(session, conflict), Preparing(vault=vault, at=at_of(conflict), now=now)
    return preparing.taken(row, record) if choice is Choice.TAKE else preparing.kept(row, record)
