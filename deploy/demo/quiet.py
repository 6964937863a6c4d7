"""Which business date is the next on which anything can happen to a tenant's agreements: read from the books alone."""

from datetime import date, timedelta

from sqlmodel import Session, col, func, select

from models.domain.daily import OPEN_ORDERS
from models.domain.servicing.missed import DEFAULT_LADDER
from models.queries.daily import NOT_COLLECTED
from models.tables.agreements import Agreement
from models.tables.daily import DebitOrder


def next_busy_date(session: Session, *, tenant: str, today: date) -> date | None:
    """The open date, or the first after it, on which something happens; None if nothing is ahead.

    A row falls due, a debit is tried again or is under way, or an overdue agreement climbs a rung of the ladder.
    """
    orders = session.exec(
        select(DebitOrder.state, func.min(DebitOrder.next_try_on))
        .where(
            col(DebitOrder.tenant) == tenant,
            col(DebitOrder.state).in_(OPEN_ORDERS) | col(DebitOrder.next_try_on).is_not(None),
        )
        .group_by(col(DebitOrder.state))
    ).all()
    if any(state in OPEN_ORDERS for state, _ in orders):
        return today
    alive = (col(Agreement.tenant) == tenant, col(Agreement.status).not_in(NOT_COLLECTED))
    due = session.exec(select(func.min(Agreement.next_due)).where(*alive)).one()
    late = session.exec(select(col(Agreement.oldest_unpaid_due)).where(*alive).distinct()).all()
    ahead = [on for _, on in orders if on is not None]
    ahead += [due] if due is not None else []
    for since in late:
        if since is not None:
            rungs = (since + timedelta(days=rung.days) for rung in DEFAULT_LADDER.rungs)
            ahead += [rung for rung in rungs if rung >= today]
    return max(today, min(ahead)) if ahead else None
