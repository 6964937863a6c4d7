"""Changes to a tenant's book of customers. Values come in sealed, under committed keys."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, Table, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from models.domain.customers.showing import CustomerState
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferToken

MOST_ROWS: Final = 500  # of one transaction
_INDEX_BYTES: Final = 32
_TABLE: Final = cast("Table", CustomerRecord.__table__)  # type: ignore[attr-defined]
# Whoever was first under a customer number stays; the same file loaded again adds nothing.
_ADD: Final[dict[str, Any]] = {
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.id),
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing().returning(_TABLE.c.id),
}


def add_customers(
    session: Session, rows: Sequence[Mapping[str, Any]], *, tenant: str, origin: str | None, now: datetime
) -> int:
    """Put records on the book.

    Args:
        session: the session.
        rows: `id`, `subject_id` and the stored columns (`compliance.vault.customer_layout.STORED_COLUMNS`); at most
            `MOST_ROWS`.
        tenant: whose book.
        origin: the job that brings them, if one does.
        now: when.

    Returns:
        How many were added; the others have a customer number that the book knows.
    """
    if not rows:
        return 0
    beside = {
        "tenant": tenant,
        "origin": origin,
        "state": CustomerState.ACTIVE.value,
        "person_link": None,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "erased_at": None,
    }
    statement = _ADD[session.get_bind().dialect.name]
    return len(session.execute(statement, [{**beside, **row} for row in rows]).all())


def erase_customer_tokens(session: Session, subject_id: str, *, tenant: str, now: datetime) -> int:
    """Remove what finds the record of a person without a key, and mark it erased; what is sealed stays unreadable.

    Returns:
        How many records held a token; 0 the second time.
    """
    of_subject = select(CustomerRecord.id).where(
        col(CustomerRecord.tenant) == tenant, col(CustomerRecord.subject_id) == subject_id
    )
    session.execute(delete(TransferToken).where(col(TransferToken.record).in_(of_subject)))
    row = os.urandom(2 * _INDEX_BYTES)
    erased = session.execute(
        update(CustomerRecord)
        .where(
            col(CustomerRecord.tenant) == tenant,
            col(CustomerRecord.subject_id) == subject_id,
            col(CustomerRecord.erased_at).is_(None),
        )
        # Random bytes: the columns stay filled, the number unique, and both find nobody.
        .values(
            customer_no_index=row[:_INDEX_BYTES],
            id_index=row[_INDEX_BYTES:],
            mobile_index=None,
            account_index=None,
            person_link=None,
            erased_at=now,
            updated_at=now,
            # It is another record now: what was read before is not written, and no proof takes it for a forgery.
            version=CustomerRecord.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", erased).rowcount
