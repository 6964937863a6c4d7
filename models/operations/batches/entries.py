"""The books of batches: bookings that add up to zero, each once under its business key. Functions over a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Table
from sqlmodel import Session

from models.database.bulk import insert_new
from models.domain.batches.postings import Leg, balanced
from models.domain.tokens import named_token
from models.tables.batch_books import BatchEntry

_ENTRIES: Final[Table] = BatchEntry.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """One booking.

    Attributes:
        key: the business key under which it is booked once.
        legs: that add up to zero.
        order_id: whose money it is, where that is known.
    """

    key: str
    legs: Sequence[Leg]
    order_id: str | None
    value_date: date


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
    one = Posting(key=posting, legs=legs, order_id=order_id, value_date=value_date)
    return bool(post_all(session, [one], tenant=tenant, run=run, now=now))


def post_all(session: Session, postings: Sequence[Posting], *, tenant: str, run: str | None, now: datetime) -> set[str]:
    """Book many at once, each key among them once.

    Returns:
        Keys of those that were not booked before.

    Raises:
        ValueError: the legs of one do not add up to zero.
    """
    rows: list[dict[str, Any]] = []
    for posting in postings:
        if not balanced(posting.legs):
            raise ValueError(posting.key)
        rows += [
            {
                "id": named_token("ben", f"{posting.key}/{number}"),
                "tenant": tenant,
                "run": run,
                "order_id": posting.order_id,
                "posting": posting.key,
                "leg": number,
                "account": leg.account.value,
                "amount_minor": leg.amount_minor,
                "currency": "CNY",
                "value_date": posting.value_date,
                "at": now,
            }
            for number, leg in enumerate(posting.legs, start=1)
        ]
    new = insert_new(session, _ENTRIES, rows)
    return {row["posting"] for row in rows if row["id"] in new}
