"""An order's money moves, and comes back (入账、退回): booking and funding together, once each. Over a session."""

from datetime import date, datetime

from sqlmodel import Session

from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.postings import returned_legs, returned_posting, settled_legs, settled_posting
from models.operations.batches.entries import post_entries
from models.operations.batches.funding import give_back, use
from models.tables.batch_runs import BatchOrder, BatchRun


def book_settled(session: Session, run: BatchRun, order: BatchOrder, *, value_date: date, now: datetime) -> bool:
    """An order's money has moved: book it, and use what is held for it of the client's funding. False: done already.

    Orders of the daily run are booked with their agreements, and never here.
    """
    assert order.debit_order is None
    booked = post_entries(
        session,
        settled_posting(order.id),
        settled_legs(KINDS[KindName(run.kind)].direction, order.amount_minor),
        tenant=run.tenant,
        run=run.token,
        order_id=order.id,
        value_date=value_date,
        now=now,
    )
    if booked and KINDS[KindName(run.kind)].needs_funding:
        use(session, run.token, amount_minor=order.amount_minor, now=now)
    return booked


def book_returned(session: Session, run: BatchRun, order: BatchOrder, *, value_date: date, now: datetime) -> bool:
    """What had moved has come back: book it, and give the client's funding back. False: done already."""
    assert order.debit_order is None
    booked = post_entries(
        session,
        returned_posting(order.id),
        returned_legs(KINDS[KindName(run.kind)].direction, order.amount_minor),
        tenant=run.tenant,
        run=run.token,
        order_id=order.id,
        value_date=value_date,
        now=now,
    )
    if booked and KINDS[KindName(run.kind)].needs_funding:
        give_back(session, run.token, amount_minor=order.amount_minor, now=now)
    return booked
