"""Who somebody is that may be erased and has no row in `subjects`: a customer's record, or a row of a transfer job.

The record is its own subject, and so is each row; all keys under which something of a person lies go together. Both
queries and operations ask this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from models.domain.transfers.states import ERASED_ROW
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferRow

_SOME_TIME = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose data they are.

    Attributes:
        record: of the book; None of a row that has become no record.
        erased_at: when they were erased, or that they were, where no instant is on record.
    """

    subject_id: str
    tenant: str
    record: CustomerRecord | None
    row: TransferRow | None
    erased_at: datetime | None


def holder_of(session: Session, subject_id: str, *, lock: bool = False) -> Holder | None:
    """The customer whose own key has this name; None if it is nobody of the book and no row of a job."""
    wanted = select(CustomerRecord).where(col(CustomerRecord.subject_id) == subject_id)
    record = session.exec(wanted.with_for_update() if lock else wanted).first()
    if record is not None:
        return Holder(subject_id, record.tenant, record, None, record.erased_at)
    of_row = select(TransferRow).where(col(TransferRow.subject_id) == subject_id)
    row = session.exec(of_row.with_for_update() if lock else of_row).first()
    if row is None:
        return None
    gone = row.reason_code == ERASED_ROW
    moment = session.get(CustomerRecord, row.target_record) if gone and row.target_record is not None else None
    erased_at = (moment.erased_at if moment is not None else None) or (_SOME_TIME if gone else None)
    return Holder(subject_id, row.tenant, None, row, erased_at)


def subject_of_row(session: Session, row: TransferRow) -> str:
    """Whose erasure a row's customer asks for: the record that it became, or the row itself."""
    record = session.get(CustomerRecord, row.target_record) if row.target_record is not None else None
    return row.subject_id if record is None or record.tenant != row.tenant else record.subject_id


def subjects_under(session: Session, holder: Holder) -> Sequence[str]:
    """Every key under which something of this person lies: a record's own, and those of the rows that became it."""
    if holder.record is None:
        return [holder.subject_id]
    rows = session.exec(
        select(TransferRow.subject_id).where(
            col(TransferRow.tenant) == holder.tenant, col(TransferRow.target_record) == holder.record.id
        )
    )
    return sorted({holder.subject_id, *rows.all()})
