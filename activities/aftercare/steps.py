"""The steps of follow-ups and tickets over SQL. A decision and all that it changes is one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select
from temporalio import activity

from activities.support import contact_gate
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.contracts.aftercare import (
    DropCareInput,
    EscalateTicketInput,
    ReadTicketInput,
    RecordFollowUpInput,
    SettleTicketInput,
    TicketFacts,
    TicketSettled,
)
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.aftercare.clocks import CLOCKS, TicketKind, WorkingDay, can_extend, due_at
from models.domain.application import ContactChannel, ContactDirection, ContactResult
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.notices import NoticeChannel, NoticeKind, case_tail
from models.domain.rule_words import ContactPurpose
from models.domain.shanghai import shanghai_date
from models.domain.states import DecisionState, Outcome, TicketOutcome, TicketStage
from models.domain.tokens import named_token, new_token
from models.errors import WrongState
from models.operations import decisions, follow_ups, projection, tickets
from models.operations.agreements import business_date
from models.operations.cases import NewContact, add_contact
from models.operations.notices import NewNotice, queue_notice
from models.queries.bank_days import bank_days_of
from models.tables.aftercare import FollowUp
from models.tables.daily import Ticket
from models.tables.installments import InstallmentCase
from models.tables.tasks import Decision
from workflows.ports.aftercare import AftercarePort

# What the contact log says of a call by why nobody was reached; anything else was a call nobody took.
_RESULTS: Final = {
    "wrong-person": ContactResult.WRONG_PERSON,
    "refused-to-talk": ContactResult.REFUSED_TO_TALK,
    "call-back-asked": ContactResult.CALL_BACK,
}


@dataclass(slots=True)
class SqlAftercare(AftercarePort):
    """The adapter that every worker registers. `is_working_day`: the calendar of periods in working days."""

    database: Database
    vault: Vault
    clock: Clock
    is_working_day: WorkingDay

    @activity.defn(name="aftercare.record_follow_up", no_thread_cancel_exception=True)
    def record_follow_up(self, input: RecordFollowUpInput) -> Done:
        """Write what a follow-up brought, in one transaction (回访记录)."""
        now = self.clock()
        contact, words = self._contact(input)
        deed = _deed(input.case_token, "follow-up.recorded", now)
        with unit_of_work(self.database, deed) as unit:
            session = unit.session
            was_applied = _is_applied(session, input.decision_id)
            decisions.settle_applied(session, decision_id=input.decision_id, now=now)
            projection.close_task(
                session, workflow_id=input.workflow_id, task_no=input.task_no, fence=input.fence, now=now
            )
            outcome = Outcome(input.outcome)
            found = follow_ups.Found(
                outcome=outcome,
                reason_code=input.reason_code,
                next_contact_days=input.next_contact_days,
                contact_id=contact.id,
                today=business_date(session, tenant=contact.tenant) or shanghai_date(now),
            )
            against: list[str] = []
            if follow_ups.record(session, input.item, found, fence=input.fence, now=now):
                against = _put_on_record(session, contact, words, now=now)
            elif was_applied:
                raise Unchanged
            unit.deed.facts = {
                "followUp": input.item,
                "decision": input.decision_id,
                "outcome": input.outcome,
                "reason": input.reason_code,
                "contact": contact.id,
                "against": against,
            }
        return Done()

    @activity.defn(name="aftercare.read_ticket", no_thread_cancel_exception=True)
    def read_ticket(self, input: ReadTicketInput) -> TicketFacts:
        """Read a ticket's clock."""
        with self.database.read() as session:
            ticket = session.get_one(Ticket, input.item)
        kind = TicketKind(ticket.kind)
        return TicketFacts(kind=kind, due_at=ticket.due_at, checked_rejection=CLOCKS[kind].checked_rejection)

    @activity.defn(name="aftercare.settle_ticket", no_thread_cancel_exception=True)
    def settle_ticket(self, input: SettleTicketInput) -> TicketSettled:
        """Write what a decision changes of a ticket, and tell the customer, in one transaction."""
        now = self.clock()
        deed = _deed(input.case_token, "ticket.decided", now)
        with unit_of_work(self.database, deed) as unit:
            session = unit.session
            was_applied = _is_applied(session, input.decision_id)
            decisions.settle_applied(session, decision_id=input.decision_id, now=now)
            projection.close_task(
                session, workflow_id=input.workflow_id, task_no=input.task_no, fence=input.fence, now=now
            )
            ticket = session.get_one(Ticket, input.item)
            if was_applied and (ticket.epoch, ticket.seq) >= (input.fence.epoch, input.fence.seq):
                settled = TicketSettled(due_at=ticket.due_at)
                raise Unchanged
            self._move(session, ticket, input, now=now)
            session.refresh(ticket)
            settled = TicketSettled(due_at=ticket.due_at)
            unit.deed.facts = {
                "ticket": input.item,
                "kind": ticket.kind,
                "decision": input.decision_id,
                "outcome": input.outcome,
                "reason": input.reason_code,
                "stage": input.next_stage,
                "dueAt": ticket.due_at.isoformat(),
            }
        return settled

    @activity.defn(name="aftercare.escalate_ticket", no_thread_cancel_exception=True)
    def escalate_ticket(self, input: EscalateTicketInput) -> Done:
        """Flag a ticket whose clock has run out (超时升级)."""
        now = self.clock()
        deed = _deed(input.case_token, "ticket.escalated", now)
        with unit_of_work(self.database, deed) as unit:
            session = unit.session
            ticket = session.get_one(Ticket, input.item)
            if not tickets.move_ticket(session, input.item, fence=input.fence, now=now, escalated_at=now):
                raise Unchanged
            if ticket.stage == TicketStage.HANDLING:
                projection.cancel_open_tasks(session, workflow_id=input.workflow_id, fence=input.fence, now=now)
            unit.deed.facts = {"ticket": input.item, "kind": ticket.kind, "dueAt": ticket.due_at.isoformat()}
        return Done()

    @activity.defn(name="aftercare.drop", no_thread_cancel_exception=True)
    def drop(self, input: DropCareInput) -> Done:
        """Close what is open of a workflow that was cancelled."""
        now = self.clock()
        deed = _deed(input.case_token, "aftercare.dropped", now)
        deed.facts = {"item": input.item}
        with unit_of_work(self.database, deed) as unit:
            session, fence = unit.session, input.fence
            projection.cancel_open_tasks(session, workflow_id=input.workflow_id, fence=fence, now=now)
            if session.get(FollowUp, input.item) is not None:
                dropped = follow_ups.drop(session, input.item, fence=fence, now=now)
            else:
                dropped = tickets.close_ticket(session, input.item, outcome=TicketOutcome.DROPPED, fence=fence, now=now)
            if not dropped:
                raise Unchanged
        return Done()

    def _contact(self, input: RecordFollowUpInput) -> tuple[NewContact, str | None]:
        """The entry of the contact log, and the officer's words, which are sealed anew under their new place."""
        with self.database.read() as session:
            case = session.get_one(InstallmentCase, input.case_token)
            decision = session.get_one(Decision, input.decision_id)
        contact_id, note = named_token("con", f"follow-up/{decision.id}"), None
        words: str | None = None
        if decision.note_cell is not None:
            said = CellAddress(case.tenant, "decisions", "note_cell", decision.id, case.subject_id)
            kept = CellAddress(case.tenant, "case_contacts", "note_cell", contact_id, case.subject_id)
            words = self.vault.open_text(said, decision.note_cell)
            note = self.vault.seal(kept, words)
        reached = input.outcome == Outcome.REACHED
        contact = NewContact(
            id=contact_id,
            tenant=case.tenant,
            case_token=case.token,
            channel=ContactChannel.PHONE,
            direction=ContactDirection.OUT,
            result=ContactResult.REACHED
            if reached
            else _RESULTS.get(input.reason_code or "", ContactResult.NOT_REACHED),
            note_cell=note,
            by_staff=decision.staff_id or "",
            at=decision.created_at,
            purpose=ContactPurpose.SERVICE_REMINDER,
        )
        return contact, words

    def _move(self, session: Session, ticket: Ticket, input: SettleTicketInput, *, now: datetime) -> None:
        values: dict[str, Any] = {}
        outcome = Outcome(input.outcome)
        if outcome in (Outcome.ANSWER, Outcome.REJECT):
            values |= {"answer_decision_id": input.decision_id, "reason_code": input.reason_code}
        if input.ticket_outcome is not None:
            tickets.close_ticket(
                session, ticket.id, outcome=TicketOutcome(input.ticket_outcome), fence=input.fence, now=now, **values
            )
            _tell(session, ticket, NoticeKind.TICKET_ANSWERED, key="answered", now=now)
            return
        if outcome is Outcome.EXTEND:
            until = self._extended(session, ticket)
            values |= {"due_at": until, "extensions": ticket.extensions + 1}
            told = {"until": shanghai_date(until).isoformat()}
            _tell(session, ticket, NoticeKind.TICKET_EXTENDED, key=f"extended/{ticket.extensions + 1}", now=now, **told)
        tickets.move_ticket(session, ticket.id, fence=input.fence, now=now, stage=input.next_stage, **values)

    def _extended(self, session: Session, ticket: Ticket) -> datetime:
        kind = TicketKind(ticket.kind)
        if not can_extend(kind, extensions=ticket.extensions):
            raise WrongState(detail=ticket.id, params={"state": "extended"})
        return due_at(
            kind,
            opened_at=ticket.created_at,
            extensions=ticket.extensions + 1,
            is_working_day=bank_days_of(session, ticket.tenant, otherwise=self.is_working_day),
        )


def _put_on_record(session: Session, contact: NewContact, words: str | None, *, now: datetime) -> list[str]:
    """The call as it happened, and the rules that stand against it: a log that refuses the truth would hide them."""
    case = session.get_one(InstallmentCase, contact.case_token)
    verdicts = contact_gate.verdicts_on_call(session, case, at=contact.at, words=words)
    session.add_all(contact_gate.kept(verdicts, case, key=f"contact/{contact.id}", now=now))
    add_contact(session, contact)
    return contact_gate.against(verdicts)


def _tell(session: Session, ticket: Ticket, kind: NoticeKind, *, key: str, now: datetime, **params: str) -> None:
    case = session.get_one(InstallmentCase, ticket.case_token)
    notice = NewNotice(
        id=new_token("ntc"),
        tenant=ticket.tenant,
        subject_id=case.subject_id,
        case_token=case.token,
        business_key=f"ticket/{ticket.id}/{key}",
        kind=kind,
        channel=NoticeChannel.SMS,
        params={"case": case_tail(case.token), "kind": ticket.kind, **params},
    )
    queue_notice(session, notice, now=now)


def _is_applied(session: Session, decision_id: str) -> bool:
    state = session.exec(select(Decision.state).where(col(Decision.id) == decision_id)).one_or_none()
    return state == DecisionState.APPLIED


def _deed(case_token: str, action: str, now: datetime) -> Deed:
    return Deed(tenant=tenant_of_case(case_token), action=action, target=case_token, actor="workflow", at=now)
