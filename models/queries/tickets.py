"""Reads about tickets (工单), as staff see those of their branch and a customer those of their case."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select

from models.domain.states import TicketState
from models.domain.viewer import ANY_BRANCH
from models.queries.case_file import Position
from models.tables.daily import Ticket
from models.tables.installments import InstallmentCase


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFilter:
    """What a list of tickets is narrowed to; None narrows nothing. `overdue_at`: open ones that are late then."""

    state: str | None = None
    kind: str | None = None
    case_token: str | None = None
    overdue_at: datetime | None = None


def visible_ticket(
    session: Session, ticket_id: str, *, tenant: str, branch: str
) -> tuple[Ticket, InstallmentCase] | None:
    """A ticket of the tenant in the caller's branch with its case; any other is the same None."""
    ticket = session.get(Ticket, ticket_id)
    if ticket is None or ticket.tenant != tenant:
        return None
    case = session.get_one(InstallmentCase, ticket.case_token)
    return (ticket, case) if branch in (ANY_BRANCH, case.branch) else None


def search_tickets(
    session: Session, *, tenant: str, branch: str, filter: TicketFilter, after: Position | None, limit: int
) -> list[Ticket]:
    """Tickets the caller may see, newest first; at most `limit`."""
    query = select(Ticket).where(col(Ticket.tenant) == tenant)
    if branch != ANY_BRANCH:
        query = query.join(InstallmentCase, col(InstallmentCase.token) == col(Ticket.case_token)).where(
            col(InstallmentCase.branch) == branch
        )
    if filter.state is not None:
        query = query.where(col(Ticket.state) == filter.state)
    if filter.kind is not None:
        query = query.where(col(Ticket.kind) == filter.kind)
    if filter.case_token is not None:
        query = query.where(col(Ticket.case_token) == filter.case_token)
    if filter.overdue_at is not None:
        query = query.where(col(Ticket.state) == TicketState.OPEN, col(Ticket.due_at) <= filter.overdue_at)
    if after is not None:
        query = query.where(tuple_(col(Ticket.created_at), col(Ticket.id)) < tuple_(*after))
    ordered = query.order_by(col(Ticket.created_at).desc(), col(Ticket.id).desc())
    return list(session.exec(ordered.limit(limit)).all())


def tickets_of_case(session: Session, case_token: str) -> list[Ticket]:
    """Every ticket of a case, oldest first."""
    return list(
        session.exec(
            select(Ticket).where(col(Ticket.case_token) == case_token).order_by(col(Ticket.created_at), col(Ticket.id))
        ).all()
    )


def count_open(session: Session, case_token: str, *, channel: str) -> int:
    """Open tickets of a case that came in by one way."""
    return session.exec(
        select(func.count()).where(
            col(Ticket.case_token) == case_token, col(Ticket.state) == TicketState.OPEN, col(Ticket.channel) == channel
        )
    ).one()


def has_open(session: Session, case_token: str, *, kind: str) -> bool:
    """Whether a ticket of a kind is open on a case."""
    return (
        session.exec(
            select(Ticket.id)
            .where(
                col(Ticket.case_token) == case_token, col(Ticket.kind) == kind, col(Ticket.state) == TicketState.OPEN
            )
            .limit(1)
        ).first()
        is not None
    )
