"""After-care for customers, through their progress link: they ask, object or complain, read the answer, and learn."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.aftercare.bodies import EducationAnswer, LinkTicketAnswer, LinkTicketBody, LinkTicketList
from api.aftercare.intake import Incoming, take_ticket
from api.aftercare.views import education_answer, link_ticket_answer
from api.agreements.access import open_date
from api.audit.readings import note_words_read
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored
from api.in_thread import in_thread
from api.links.intake import case_of_link, usable_link
from api.wording import worded
from compliance.vault.link_tokens import PATH
from models.domain.aftercare.education import Situation
from models.domain.application import Channel, LinkPurpose
from models.operations.idempotency import KeySlot
from models.queries.aftercare import situation_of_agreement
from models.queries.agreements import agreement_of_case
from models.queries.tickets import tickets_of_case
from models.tables.daily import Ticket
from models.tables.installments import InstallmentCase
from models.tables.tasks import Decision

_PUBLIC = {"public": True}  # the token in the path is what is asked for instead of a log-in


class LinkCareController(Controller):
    """What a customer does about their plan beside paying it."""

    path = f"{PATH}/{{token:str}}"
    tags = ("Links",)

    @post("/tickets", opt=_PUBLIC, operation_id="OpenTicketThroughLink")
    async def open_ticket(
        self,
        token: FromPath[str],
        data: JSONBody[LinkTicketBody],
        deps: Deps,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[LinkTicketAnswer]:
        """Ask, object or complain (咨询、异议、投诉); the answer says until when the bank will have answered."""
        link = await in_thread(usable_link, deps, token, purpose=LinkPurpose.PROGRESS)
        case = await in_thread(case_of_link, deps, link)
        incoming = Incoming(
            case=case,
            kind=data.kind,
            text=data.text,
            channel=Channel.LINK,
            actor=link.id,
            person_id=None,
            slot=KeySlot(tenant=link.tenant, principal=link.id, route="links.open-ticket", key=idempotency_key),
        )

        def rebuild(ticket_id: str) -> Stored:
            with deps.database.read() as session:
                ticket = session.get_one(Ticket, ticket_id)
            answer = link_ticket_answer(deps, ticket, None, subject=case.subject_id, locale=locale)
            headers = {"Location": "tickets"}  # relative, since answers are stored and tokens are not
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await take_ticket(deps, incoming, data, rebuild=rebuild)

    @get("/tickets", opt=_PUBLIC, sync_to_thread=True, operation_id="ListTicketsThroughLink")
    def list_tickets(self, token: FromPath[str], deps: Deps, locale: Locale) -> LinkTicketList:
        """The customer's tickets with their answers; their own words are not told again."""
        link = usable_link(deps, token, purpose=LinkPurpose.PROGRESS)
        case = case_of_link(deps, link)
        with deps.database.read() as session:
            found = tickets_of_case(session, case.token)
            decisions = {
                row.id: session.get(Decision, row.answer_decision_id)
                for row in found
                if row.answer_decision_id is not None
            }
        items = [
            link_ticket_answer(deps, row, decisions.get(row.id), subject=case.subject_id, locale=locale)
            for row in found
        ]
        note_words_read(
            deps,
            "ticket.read",
            tenant=link.tenant,
            actor=link.id,
            target=case.token,
            count=sum(item.answer is not None for item in items),
        )
        return LinkTicketList(
            items=items,
            notice=worded("link-notice.ticket", locale),
        )

    @get("/education", opt=_PUBLIC, sync_to_thread=True, operation_id="GetEducationThroughLink")
    def education(self, token: FromPath[str], deps: Deps, locale: Locale) -> EducationAnswer:
        """What fits the customer's present situation (金融知识教育)."""
        case = case_of_link(deps, usable_link(deps, token, purpose=LinkPurpose.PROGRESS))
        return education_answer(_situation(deps, case), locale=locale, hardship=case.hardship_code)


def _situation(deps: ApiDeps, case: InstallmentCase) -> Situation:
    """Before an agreement is in force nothing is missed."""
    with deps.database.read() as session:
        agreement = agreement_of_case(session, case_token=case.token)
        if agreement is None:
            return Situation.IN_TIME
        today = open_date(session, tenant=case.tenant, clock=deps.clock)
        return situation_of_agreement(session, agreement, today=today)
