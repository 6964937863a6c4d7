"""An order's money moves, and comes back (入账、退回): booking and funding together, once each. Over a session."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from sqlmodel import Session

from models.domain.batches.kinds import KINDS, BatchKind, KindName
from models.domain.batches.postings import Leg, returned_legs, returned_posting, settled_legs, settled_posting
from models.operations.batches.entries import Posting, post_all
from models.operations.batches.funding import give_back, use
from models.tables.batch_runs import BatchOrder, BatchRun

Moved = Sequence[tuple[BatchOrder, date]]
"""Orders, each once, with the day on which their money moved."""


def book_settled(session: Session, run: BatchRun, order: BatchOrder, *, value_date: date, now: datetime) -> bool:
    """An order's money has moved: book it, and use what is held for it of the client's funding. False: done already."""
    return book_all_settled(session, run, [(order, value_date)], now=now) > 0


def book_returned(session: Session, run: BatchRun, order: BatchOrder, *, value_date: date, now: datetime) -> bool:
    """What had moved has come back: book it, and give the client's funding back. False: done already."""
    return book_all_returned(session, run, [(order, value_date)], now=now) > 0


def book_all_settled(session: Session, run: BatchRun, moved: Moved, *, now: datetime) -> int:
    """As `book_settled`, for many orders of one run; returns how many were not booked before.

    Orders of the daily run are booked with their agreements, and never here.

    Raises:
        FundingShort: the run holds less than they come to.
    """
    booked = _book(session, run, moved, settled_posting, settled_legs, now=now)
    if booked and KINDS[KindName(run.kind)].needs_funding:
        use(session, run.token, amount_minor=sum(order.amount_minor for order in booked), now=now)
    return len(booked)


def book_all_returned(session: Session, run: BatchRun, moved: Moved, *, now: datetime) -> int:
    """As `book_returned`, for many orders of one run; returns how many were not booked before."""
    booked = _book(session, run, moved, returned_posting, returned_legs, now=now)
    if booked and KINDS[KindName(run.kind)].needs_funding:
        give_back(session, run.token, amount_minor=sum(order.amount_minor for order in booked), now=now)
    return len(booked)


def _book(
    session: Session,
    run: BatchRun,
    moved: Moved,
    key_of: Callable[[str], str],
    legs_of: Callable[[BatchKind, int], Sequence[Leg]],
    *,
    now: datetime,
) -> list[BatchOrder]:
    """The orders that were not booked under their key before."""
    assert all(order.debit_order is None for order, _ in moved)
    kind = KINDS[KindName(run.kind)]
    postings = [
        Posting(
            key=key_of(order.id),
            legs=legs_of(kind, order.amount_minor),
            order_id=order.id,
            value_date=value_date,
        )
        for order, value_date in moved
    ]
    new = post_all(session, postings, tenant=run.tenant, run=run.token, now=now)
    return [order for order, _ in moved if key_of(order.id) in new]
