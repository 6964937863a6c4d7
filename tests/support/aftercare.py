"""After-care for workflow tests: an agreement on record, its follow-ups and tickets, and who answers them."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.contracts.installments import DecideInput
from models.domain.aftercare.clocks import TicketKind
from models.domain.aftercare.follow_ups import FollowUpKind, Occasion
from models.domain.ids import follow_up_workflow_id, ticket_workflow_id
from models.domain.roles import Role
from models.domain.shanghai import shanghai_date
from models.domain.states import OPEN_TASK_STATES, Outcome, TaskType
from models.domain.tokens import new_token, uuid7
from models.operations import follow_ups
from models.operations.decisions import NewDecision, prepare_task_decision
from models.operations.tickets import NewTicket, open_ticket
from models.tables.aftercare import FollowUp
from models.tables.agreements import Agreement, PlanOffer
from models.tables.daily import BusinessDate, Ticket
from models.tables.installments import CaseContact
from models.tables.notices import Notice
from models.tables.staff import Staff
from models.tables.tasks import Task
from tests.support.casework import TENANT, CaseWorld

# Beyond every wall clock on which tests run: the clock of such a ticket does not run out.
FAR: Final = datetime(2090, 1, 1, tzinfo=UTC)
SAID: Final = "扣了两次，请退回"
ANSWER: Final = "已核实并退回多扣的款项"


@dataclass
class Care:
    """One case in service, and its people."""

    world: CaseWorld
    case: str
    agreement_id: str
    officer: Staff
    approver: Staff
    second_approver: Staff

    # -- follow-ups

    async def follow_up(self, kind: FollowUpKind = FollowUpKind.WELCOME, *, start: bool = True) -> str:
        """One that is due today; its id."""
        today = shanghai_date(self.world.clock())
        wanted = Occasion(agreement_id=self.agreement_id, kind=kind, anchor=today, due_on=today)
        with unit_of_work(self.world.database, self._deed("follow-up.planned")) as unit:
            follow_ups.plan(unit.session, [wanted], now=self.world.clock())
            [planned] = unit.session.exec(
                select(FollowUp.id).where(col(FollowUp.case_token) == self.case, col(FollowUp.kind) == kind)
            ).all()
            follow_ups.open_due(unit.session, [planned], now=self.world.clock())
        if start:
            assert await self.world.dispatcher.start(follow_up_workflow_id(self.case, planned))
        return planned

    def open_planned(self, item: str) -> None:
        """Its day has come."""
        with unit_of_work(self.world.database, self._deed("follow-up.opened")) as unit:
            assert follow_ups.open_due(unit.session, [item], now=self.world.clock())[0] == 1

    def log_calls(self, count: int) -> None:
        """So many calls of today that nobody took."""
        self.world.add(
            *(
                CaseContact(
                    id=new_token("con"),
                    tenant=TENANT,
                    case_token=self.case,
                    channel="phone",
                    direction="out",
                    result_code="not-reached",
                    by_staff=self.officer.id,
                    at=self.world.clock(),
                )
                for _ in range(count)
            )
        )

    async def note_on(self, item: str, words: str) -> None:
        """The customer was reached, and the officer wrote something down."""
        task = await self.task(item, TaskType.FOLLOW_UP)
        now = self.world.clock()
        decision = NewDecision(
            id=uuid7(now),
            tenant=TENANT,
            workflow_id=task.workflow_id,
            case_token=self.case,
            outcome=Outcome.REACHED,
            reason_code="in-order",
            staff_id=self.officer.id,
            person_id=self.officer.person_id,
        )
        place = CellAddress(TENANT, "decisions", "note_cell", decision.id, self.world.case(self.case).subject_id)
        decision = replace(decision, note_cell=self.world.vault.seal(place, words))
        with unit_of_work(self.world.database, self._deed("decision.taken")) as unit:
            prepare_task_decision(unit.session, decision, task_id=task.id, expected_version=task.version, now=now)
        await self.world.send(decision.id)

    def words_of(self, contact: CaseContact) -> str:
        """What an entry of the contact log holds."""
        subject = self.world.case(self.case).subject_id
        place = CellAddress(TENANT, "case_contacts", "note_cell", contact.id, subject)
        return self.world.vault.open_text(place, contact.note_cell or b"")

    def follow_ups(self) -> list[FollowUp]:
        """All of them, by attempt."""
        return sorted(self.world.rows(FollowUp, self.case), key=lambda row: (row.due_on, row.attempt))

    def contacts(self) -> list[CaseContact]:
        """The contact log."""
        return self.world.rows(CaseContact, self.case)

    # -- tickets

    async def ticket(
        self, kind: TicketKind = TicketKind.COMPLAINT, *, due_at: datetime = FAR, start: bool = True
    ) -> str:
        """One that came in just now; its id."""
        ticket_id, subject = new_token("tkt"), self.world.case(self.case).subject_id
        cell = self.world.vault.seal(CellAddress(TENANT, "tickets", "text_cell", ticket_id, subject), SAID)
        new = NewTicket(
            id=ticket_id,
            tenant=TENANT,
            case_token=self.case,
            kind=kind,
            channel="link",
            text_cell=cell,
            due_at=due_at,
            opened_by="lnk_x",
            opened_by_person=None,
        )
        with unit_of_work(self.world.database, self._deed("ticket.opened")) as unit:
            open_ticket(unit.session, new, now=self.world.clock())
        if start:
            assert await self.world.dispatcher.start(ticket_workflow_id(self.case, ticket_id))
        return ticket_id

    def ticket_row(self, ticket_id: str) -> Ticket:
        """As the records have it."""
        with self.world.database.read() as session:
            return session.get_one(Ticket, ticket_id)

    def notices(self) -> list[str]:
        """Kinds of what the customer was told."""
        return sorted(notice.kind for notice in self.world.rows(Notice, self.case))

    # -- people

    async def task(self, item: str, task_type: TaskType) -> Task:
        """Wait for the open task of one follow-up or ticket."""

        def find(session: Session) -> Task | None:
            return session.exec(
                select(Task).where(
                    col(Task.workflow_id).endswith(item),
                    col(Task.type) == task_type,
                    col(Task.state).in_(OPEN_TASK_STATES),
                )
            ).first()

        return await self.world.until(find)

    async def decide(self, item: str, task_type: TaskType, by: Staff, outcome: Outcome, **more: Any) -> Any:
        """Both halves of a decision."""
        return await self.world.send(self.world.take(await self.task(item, task_type), by, outcome, **more))

    async def decide_unchecked(self, task: Task, by: Staff, outcome: Outcome, **more: Any) -> Any:
        """Straight to the workflow, past the checks of API and records."""
        fields = {"shown_hash": task.shown_hash} | more
        decision = DecideInput(
            decision_id=uuid7(self.world.clock()),
            task_no=task.task_no,
            outcome=outcome,
            person_id=by.person_id,
            **fields,
        )
        return await self.world.dispatcher.send(task.workflow_id, decision, budget=timedelta(seconds=20))

    async def answer(self, item: str, by: Staff, outcome: Outcome, task_type: TaskType = TaskType.TICKET) -> Any:
        """Answer or reject a ticket."""
        reason = "corrected" if outcome is Outcome.ANSWER else "not-founded"
        return await self.decide(item, task_type, by, outcome, reason_code=reason, note_cell=b"sealed words")

    async def ended(self, workflow_id: str) -> dict[str, Any]:
        """The result of a workflow."""
        result: dict[str, Any] = await self.world.client.get_workflow_handle(workflow_id).result()
        return result

    async def follow_up_ended(self, item: str) -> dict[str, Any]:
        """The result of a follow-up."""
        return await self.ended(follow_up_workflow_id(self.case, item))

    async def ticket_ended(self, item: str) -> dict[str, Any]:
        """The result of a ticket."""
        return await self.ended(ticket_workflow_id(self.case, item))

    def _deed(self, action: str) -> Deed:
        return Deed(tenant=TENANT, action=action, target=self.case, actor="test", at=self.world.clock())


def in_service(world: CaseWorld, **facts: Any) -> Care:
    """A case whose agreement stands in the records; its own workflow does not run."""
    officer = world.hire(Role.CASE_OFFICER)
    case, now = world.apply(by=officer), world.clock()
    offer = PlanOffer(
        id=new_token("plo"),
        tenant=TENANT,
        case_token=case,
        version=1,
        family="fixed-term",
        kind="offer",
        terms={},
        rows=[],
        figures={},
        created_at=now,
    )
    agreement = Agreement(
        id=new_token("agr"),
        tenant=TENANT,
        case_token=case,
        subject_id=world.case(case).subject_id,
        offer_id=offer.id,
        plan_hash="0" * 64,
        currency="CNY",
        principal_minor=100_000,
        start=date(2026, 11, 2),
        terms={},
        signed_at=now,
        created_at=now,
        **({"status": "active", "activated_on": date(2026, 11, 2)} | facts),
    )
    agreement_id = agreement.id
    world.add(offer)
    world.add(agreement, BusinessDate(tenant=TENANT, today=shanghai_date(now), updated_at=now))
    return Care(
        world=world,
        case=case,
        agreement_id=agreement_id,
        officer=officer,
        approver=world.hire(Role.APPROVER),
        second_approver=world.hire(Role.APPROVER),
    )
