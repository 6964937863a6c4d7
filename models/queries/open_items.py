"""What the reconcilers look at: everything that a running workflow should know, with the last write about it."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from models.contracts.platform import Fence
from models.domain.ids import follow_up_workflow_id, ticket_workflow_id
from models.domain.states import FollowUpState, TicketState
from models.tables.aftercare import FollowUp
from models.tables.daily import Ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenItem:
    """A case, follow-up or ticket that has not ended, and the fence of the last write about it."""

    workflow_id: str
    case_token: str
    last: Fence


def open_care_items(session: Session, *, before: datetime) -> list[OpenItem]:
    """Every open follow-up and ticket that nothing was written about since `before`."""
    follow_ups = session.exec(
        select(FollowUp).where(col(FollowUp.state) == FollowUpState.OPEN, col(FollowUp.updated_at) <= before)
    ).all()
    tickets = session.exec(
        select(Ticket).where(col(Ticket.state) == TicketState.OPEN, col(Ticket.updated_at) <= before)
    ).all()
    return [
        *(_care_item(follow_up_workflow_id(row.case_token, row.id), row) for row in follow_ups),
        *(_care_item(ticket_workflow_id(row.case_token, row.id), row) for row in tickets),
    ]


def _care_item(workflow_id: str, row: FollowUp | Ticket) -> OpenItem:
    return OpenItem(workflow_id=workflow_id, case_token=row.case_token, last=Fence(epoch=row.epoch, seq=row.seq))
