"""Tickets (工单) in the records: opened by staff or customer, extended, escalated, closed; fenced as a case is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import tuple_
from sqlmodel import Session, col, update

from models.contracts.platform import Fence
from models.domain.aftercare.clocks import CLOCKS_VERSION, TicketKind
from models.domain.ids import start_key, ticket_workflow_id
from models.domain.states import OutboxKind, TicketOutcome, TicketStage, TicketState
from models.operations import outbox
from models.tables.daily import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTicket:
    """A ticket to be opened.

    Attributes:
        text_cell: the customer's words, sealed.
        due_at: the first moment at which an answer is late.
        opened_by: staff id, or link id.
        opened_by_person: None for the customer.
    """

    id: str
    tenant: str
    case_token: str
    kind: TicketKind
    channel: str
    text_cell: bytes
    due_at: datetime
    opened_by: str
    opened_by_person: str | None
    traceparent: str | None = None


def open_ticket(session: Session, ticket: NewTicket, *, now: datetime) -> Ticket:
    """The row, and the start that the relay repeats until its workflow runs."""
    row = Ticket(
        id=ticket.id,
        tenant=ticket.tenant,
        case_token=ticket.case_token,
        kind=ticket.kind,
        state=TicketState.OPEN,
        stage=TicketStage.HANDLING,
        channel=ticket.channel,
        text_cell=ticket.text_cell,
        due_at=ticket.due_at,
        clock_version=CLOCKS_VERSION,
        opened_by=ticket.opened_by,
        opened_by_person=ticket.opened_by_person,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    workflow_id = ticket_workflow_id(ticket.case_token, ticket.id)
    outbox.enqueue(
        session,
        tenant=ticket.tenant,
        kind=OutboxKind.START,
        business_key=start_key(workflow_id),
        workflow_id=workflow_id,
        traceparent=ticket.traceparent,
        now=now,
    )
    session.flush()
    return row


def move_ticket(session: Session, ticket_id: str, *, fence: Fence, now: datetime, **values: Any) -> bool:
    """Write where an open ticket stands.

    Returns:
        False if a newer write stood there already, or the ticket is closed.
    """
    written = session.exec(
        update(Ticket)
        .where(
            col(Ticket.id) == ticket_id,
            col(Ticket.state) == TicketState.OPEN,
            tuple_(col(Ticket.epoch), col(Ticket.seq)) < tuple_(fence.epoch, fence.seq),
        )
        .values(epoch=fence.epoch, seq=fence.seq, version=Ticket.version + 1, updated_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)


def close_ticket(
    session: Session, ticket_id: str, *, outcome: TicketOutcome, fence: Fence, now: datetime, **values: Any
) -> bool:
    """Close a ticket; False if it was closed before."""
    return move_ticket(
        session,
        ticket_id,
        fence=fence,
        now=now,
        state=TicketState.DONE,
        stage=TicketStage.ENDED,
        outcome=outcome,
        done_at=now,
        **values,
    )
