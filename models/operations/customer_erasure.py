"""Erasing a person who is a customer's record, or a row of a transfer that has become none: what goes with the keys."""

from datetime import datetime

from sqlmodel import Session

from models.operations.customers import erase_customer_tokens
from models.operations.transfers.erased_rows import rows_of_person, set_erased_aside
from models.operations.transfers.links import unlink_record
from models.tables.customer_holders import Holder, subjects_under


def erase_holder(session: Session, holder: Holder, *, now: datetime) -> dict[str, int]:
    """Remove what finds the person without a key; rows of jobs are set aside. Repeatable. Returns how much it was."""
    subjects = subjects_under(session, holder)
    record = None if holder.record is None else holder.record.id
    rows = rows_of_person(session, tenant=holder.tenant, subjects=subjects, record=record)
    if record is not None:
        unlink_record(session, record)
    records = (
        0 if holder.record is None else erase_customer_tokens(session, holder.subject_id, tenant=holder.tenant, now=now)
    )
    return {"customers": records, "rowsHeld": set_erased_aside(session, rows, now=now)}


def held_of(session: Session, holder: Holder) -> dict[str, int]:
    """How much lies under the person's keys: for the certificate."""
    subjects = subjects_under(session, holder)
    record = None if holder.record is None else holder.record.id
    rows = rows_of_person(session, tenant=holder.tenant, subjects=subjects, record=record)
    return {"customers": int(holder.record is not None), "rows": len(rows)}
