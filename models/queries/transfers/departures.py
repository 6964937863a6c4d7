"""Reads of records that moved out: with which job, and when."""

from typing import NoReturn

from sqlmodel import Session, col, select

from models.domain.shanghai import shanghai_date
from models.errors import CustomerMovedOut
from models.tables.customers import CustomerRecord
from models.tables.transfer_departures import TransferDeparture


def departure_of(session: Session, record_id: str) -> TransferDeparture | None:
    """How a record left the book, if it has; the newest, if it left more than once."""
    return session.exec(
        select(TransferDeparture)
        .where(col(TransferDeparture.record_id) == record_id, col(TransferDeparture.back_at).is_(None))
        .order_by(col(TransferDeparture.left_at).desc())
        .limit(1)
    ).first()


def refuse_moved_out(session: Session, record: CustomerRecord) -> NoReturn:
    """Say why nobody writes to a record that has moved out.

    Raises:
        CustomerMovedOut: always.
    """
    left = departure_of(session, record.id)
    at = record.updated_at if left is None else left.left_at
    job = "-" if left is None else left.job.rpartition(".")[2][-6:]
    raise CustomerMovedOut(params={"since": shanghai_date(at).isoformat(), "job": job})
