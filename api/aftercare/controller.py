"""After-care (贷后关怀) for staff: tickets with their clocks, follow-up calls of a case, education material."""

from http import HTTPStatus
from typing import Annotated, Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.aftercare.bodies import (
    EducationAnswer,
    FollowUpList,
    NewTicketBody,
    TicketAnswer,
    TicketList,
    TicketPage,
)
from api.aftercare.intake import TICKETS, Incoming, take_ticket
from api.aftercare.views import education_answer, follow_up_answer, ticket_answer, ticket_item
from api.audit.readings import note_words_read
from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.etags import etag
from api.idempotency import KeyHeader, Stored, key_slot
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.installments.access import PATH, case_for
from api.installments.controller import cursor_of, position_of
from api.paging import DEFAULT_LIMIT, After, Limit
from models.domain.aftercare.clocks import TicketKind
from models.domain.aftercare.education import Situation
from models.domain.application import Channel
from models.domain.roles import Permission
from models.domain.states import TicketState
from models.errors import NotFound
from models.queries.aftercare import follow_ups_of_case
from models.queries.tickets import TicketFilter, search_tickets, tickets_of_case, visible_ticket
from models.tables.tasks import Decision


class TicketController(Controller):
    """Tickets of the caller's branch."""

    path = TICKETS
    tags = ("After-care",)

    @post("/", guards=[requires(Permission.TICKETS_OPEN)], operation_id="OpenTicket")
    async def open_one(
        self,
        data: JSONBody[NewTicketBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[TicketAnswer]:
        """Take in what a customer asks, objects to or complains about; its clock begins (工单登记)."""
        case = await in_thread(case_for, deps, principal, data.case_token)
        incoming = Incoming(
            case=case,
            kind=data.kind,
            text=data.text,
            channel=Channel.STAFF,
            actor=principal.staff_id,
            person_id=principal.person_id,
            slot=key_slot(principal, route="tickets.open", key=idempotency_key),
        )

        def rebuild(ticket_id: str) -> Stored:
            answer = _read(deps, principal, ticket_id, locale=locale)
            if answer.answer is not None:  # asked again later; the words of the ticket are the caller's own
                _note_reading(deps, principal, answer)
            headers = {"Location": f"{TICKETS}/{ticket_id}"}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await take_ticket(deps, incoming, data, rebuild=rebuild)

    @get("/", guards=[requires(Permission.TICKETS_READ)], sync_to_thread=True, operation_id="ListTickets")
    def list_tickets(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        stands: Annotated[TicketState | None, QueryParameter(name="state")] = None,
        kind: Annotated[TicketKind | None, QueryParameter(name="kind")] = None,
        overdue: Annotated[bool, QueryParameter(name="overdue")] = False,
    ) -> TicketPage:
        """Tickets, newest first, a page at a time; `overdue=true`: open ones whose clock has run out."""
        now, start = deps.clock(), position_of(after, kind="tickets")
        wanted = TicketFilter(state=stands, kind=kind, overdue_at=now if overdue else None)
        with deps.database.read() as session:
            found = search_tickets(
                session,
                tenant=principal.tenant,
                branch=principal.branch,
                filter=wanted,
                after=start,
                limit=limit + 1,
            )
        page = found[:limit]
        return TicketPage(
            items=[ticket_item(row, locale=locale, now=now) for row in page],
            end_cursor=cursor_of("tickets", page[-1].created_at, page[-1].id) if len(found) > limit else None,
        )

    @get(
        "/{ticket_id:str}",
        guards=[requires(Permission.TICKETS_READ)],
        sync_to_thread=True,
        operation_id="GetTicket",
    )
    def get_one(
        self, ticket_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[TicketAnswer]:
        """A ticket with the customer's words and the answer; that they were read is recorded."""
        answer = _read(deps, principal, known_token(ticket_id), locale=locale)
        _note_reading(deps, principal, answer)
        return Response(answer, headers={"ETag": etag(answer.version)})


class CaseCareController(Controller):
    """After-care of one case."""

    path = f"{PATH}/{{case_token:str}}"
    tags = ("After-care",)

    @get("/tickets", guards=[requires(Permission.TICKETS_READ)], sync_to_thread=True, operation_id="ListCaseTickets")
    def tickets(self, case_token: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> TicketList:
        """Every ticket of the case, oldest first."""
        case, now = case_for(deps, principal, case_token), deps.clock()
        with deps.database.read() as session:
            found = tickets_of_case(session, case.token)
        return TicketList(items=[ticket_item(row, locale=locale, now=now) for row in found])

    @get("/follow-ups", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="ListFollowUps")
    def follow_ups(self, case_token: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> FollowUpList:
        """Every follow-up call of the case (回访), planned ones too."""
        case = case_for(deps, principal, case_token)
        with deps.database.read() as session:
            found = follow_ups_of_case(session, case.token)
        return FollowUpList(items=[follow_up_answer(row, locale=locale) for row in found])


class EducationController(Controller):
    """Education material, the same that customers read."""

    path = "/v1/education"
    tags = ("After-care",)

    @get("/", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="GetEducation")
    def read(
        self,
        situation: Annotated[Situation, QueryParameter(name="situation")],
        locale: Locale,
        wanted: Annotated[Literal["zh-CN", "en"] | None, QueryParameter(name="locale")] = None,
    ) -> EducationAnswer:
        """What there is to read in a situation (金融知识教育), in the language named, else in the reader's."""
        return education_answer(situation, locale=wanted or locale)


def _read(deps: ApiDeps, principal: Principal, ticket_id: str, *, locale: str) -> TicketAnswer:
    with deps.database.read() as session:
        found = visible_ticket(session, ticket_id, tenant=principal.tenant, branch=principal.branch)
        if found is None:
            raise NotFound
        ticket, case = found
        decision = session.get(Decision, ticket.answer_decision_id) if ticket.answer_decision_id is not None else None
    return ticket_answer(deps, ticket, decision, subject=case.subject_id, locale=locale, now=deps.clock())


def _note_reading(deps: ApiDeps, principal: Principal, ticket: TicketAnswer) -> None:
    note_words_read(
        deps,
        "ticket.read",
        tenant=principal.tenant,
        actor=principal.staff_id,
        target=ticket.case_token,
        count=sum(words is not None for words in (ticket.text, ticket.answer)),
        ticket=ticket.id,
    )
