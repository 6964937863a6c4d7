"""A ticket (工单) comes in, by staff or through a customer's link: its words are sealed, its clock begins."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from litestar import Response
from pydantic import BaseModel

from api.deps import ApiDeps
from api.idempotency import Stored, fingerprint, once
from api.in_thread import in_thread
from api.traceparent import current_traceparent
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.aftercare.clocks import MAX_OPEN_THROUGH_LINK, TicketKind, due_at
from models.domain.application import Channel
from models.domain.ids import ticket_workflow_id
from models.domain.tokens import new_token
from models.errors import TooManyTickets
from models.operations.idempotency import KeySlot, open_key
from models.operations.tickets import NewTicket, open_ticket
from models.queries.bank_days import bank_days_of
from models.queries.tickets import count_open
from models.tables.installments import InstallmentCase

TICKETS: Final = "/v1/tickets"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Incoming:
    """What the customer says, and who brings it.

    Attributes:
        actor: staff id, or link id.
        person_id: None for the customer.
    """

    case: InstallmentCase
    kind: TicketKind
    text: str
    channel: Channel
    actor: str
    person_id: str | None
    slot: KeySlot


async def take_ticket(
    deps: ApiDeps, incoming: Incoming, body: BaseModel, *, rebuild: Callable[[str], Stored]
) -> Response[Any]:
    """Commit a ticket, start its workflow, answer; the same key gives the same answer.

    Raises:
        TooManyTickets: the customer has as many open as they may.
    """
    digest = await in_thread(fingerprint, deps, incoming.slot, body)
    made: list[str] = []

    def act() -> str:
        made.append(_open(deps, incoming, digest))
        return made[0]

    answer = await once(deps, incoming.slot, fingerprint=digest, act=act, rebuild=rebuild)
    for ticket_id in made:
        # If nobody answers, the relay starts it.
        await deps.dispatcher.start(ticket_workflow_id(incoming.case.token, ticket_id))
    return answer


def _open(deps: ApiDeps, incoming: Incoming, digest: str) -> str:
    case, now, ticket_id = incoming.case, deps.clock(), new_token("tkt")
    with deps.database.read() as session:
        days = bank_days_of(session, case.tenant, otherwise=deps.is_bank_day)
    address = CellAddress(case.tenant, "tickets", "text_cell", ticket_id, case.subject_id)
    ticket = NewTicket(
        id=ticket_id,
        tenant=case.tenant,
        case_token=case.token,
        kind=incoming.kind,
        channel=incoming.channel.value,
        text_cell=deps.vault.seal(address, incoming.text),
        due_at=due_at(incoming.kind, opened_at=now, extensions=0, is_working_day=days),
        opened_by=incoming.actor,
        opened_by_person=incoming.person_id,
        traceparent=current_traceparent(),
    )
    deed = Deed(
        tenant=case.tenant,
        action="ticket.opened",
        target=case.token,
        actor=incoming.actor,
        at=now,
        facts={
            "ticket": ticket_id,
            "kind": incoming.kind.value,
            "channel": ticket.channel,
            "dueAt": ticket.due_at.isoformat(),
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session,
            incoming.slot,
            fingerprint=digest,
            resource_id=ticket_id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        by_customer = incoming.channel is Channel.LINK
        if by_customer and count_open(unit.session, case.token, channel=Channel.LINK) >= MAX_OPEN_THROUGH_LINK:
            raise TooManyTickets(params={"limit": MAX_OPEN_THROUGH_LINK})
        open_ticket(unit.session, ticket, now=now)
    return ticket_id
