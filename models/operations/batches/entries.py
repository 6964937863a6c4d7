"""The books of batches: bookings that add up to zero, each once under its business key. Functions over a session."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import Table
from sqlmodel import Session

from models.database.bulk import insert_new
from models.domain.batches.postings import Leg, balanced
from models.domain.tokens import named_token
from models.tables.batch_books import BatchEntry

_ENTRIES: Final[Table] = BatchEntry.__table__  # type: ignore[attr-defined]


def post_entries(
    session: Session,
    posting: str,
    legs: Sequence[Leg],
    *,
    tenant: str,
    run: str | None,
    order_id: str | None,
    value_date: date,
    now: datetime,
) -> bool:
    """Book what a business key stands for.

    Returns:
        False: it is booked already, and nothing was written.

    Raises:
        ValueError: the legs do not add up to zero.
    """
    if not balanced(legs):
        raise ValueError(posting)
    rows = [
        {
            "id": named_token("ben", f"{posting}/{number}"),
            "tenant": tenant,
            "run": run,
            "order_id": order_id,
            "posting": posting,
            "leg": number,
            "account": leg.account.value,
            "amount_minor": leg.amount_minor,
            "currency": "CNY",
            "value_date": value_date,
            "at": now,
        }
        for number, leg in enumerate(legs, start=1)
    ]
    return insert_new(session, _ENTRIES, rows) > 0
