"""Reads about after-care (贷后关怀): whom to call on a business date, and where a customer stands."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from models.domain.aftercare.education import Situation, situation_of
from models.domain.aftercare.follow_ups import SCHEDULE, FollowUpKind, FollowUpSchedule, Occasion, standing_of
from models.domain.ids import care_item
from models.domain.servicing.events import EventKind
from models.domain.servicing.state import ENDED
from models.domain.states import FollowUpState, TicketState
from models.tables.aftercare import FollowUp
from models.tables.agreements import Agreement, AgreementEvent, AgreementRow, SettlementQuote
from models.tables.daily import Ticket
from models.tables.installments import CaseContact, InstallmentCase

# What was paid early so long ago still says something of the customer's plans.
_EARLY_WITHIN: Final = timedelta(days=30)
_EARLY: Final = (EventKind.PREPAYMENT.value, EventKind.SETTLEMENT.value)
_ENDED: Final = tuple(status.value for status in ENDED)
# Who was called about a missed payment so long ago is not called about its cure any more.
_CURED_WITHIN: Final = timedelta(days=180)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedCall:
    """A follow-up whose day has come. `is_known`: there are talks or open tickets that may stand against a call."""

    follow_up: str
    case_token: str
    is_known: bool


def occasions(session: Session, *, tenant: str, on: date, schedule: FollowUpSchedule = SCHEDULE) -> list[Occasion]:
    """The occasions of a business date that no follow-up stands for yet.

    Each line of the schedule is one read by an index: it costs by what happened, not by the size of the book.
    """
    found: list[Occasion] = []
    for kind, find in _FINDERS.items():
        anchor, due_on = _dates(kind, on=on, days=schedule.rule(kind).days)
        found += [
            Occasion(agreement_id=agreement_id, kind=kind, anchor=anchor, due_on=due_on)
            for agreement_id in find(session, tenant, anchor)
        ]
    return found


def planned_for(session: Session, *, tenant: str, on: date) -> list[PlannedCall]:
    """Follow-ups whose day has come."""
    other = aliased(InstallmentCase)
    talked_to = exists().where(
        col(other.subject_id) == col(InstallmentCase.subject_id), col(CaseContact.case_token) == col(other.token)
    )
    asked = exists().where(col(Ticket.case_token) == col(InstallmentCase.token), col(Ticket.state) == TicketState.OPEN)
    rows = session.exec(
        select(FollowUp.id, FollowUp.case_token, or_(talked_to, asked))
        .join(InstallmentCase, col(InstallmentCase.token) == col(FollowUp.case_token))
        .where(
            col(FollowUp.tenant) == tenant,
            col(FollowUp.state) == FollowUpState.PLANNED,
            col(FollowUp.due_on) <= on,
        )
        .order_by(col(FollowUp.id))
    ).all()
    return [PlannedCall(follow_up=row[0], case_token=row[1], is_known=bool(row[2])) for row in rows]


def follow_ups_of_case(session: Session, case_token: str) -> list[FollowUp]:
    """Every follow-up of a case, in the order of their days."""
    return list(
        session.exec(
            select(FollowUp)
            .where(col(FollowUp.case_token) == case_token)
            .order_by(col(FollowUp.due_on), col(FollowUp.id))
        ).all()
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class CareStanding:
    """Where a follow-up or ticket stands, as a decision's answer tells it."""

    stage: str
    outcome: str | None


def care_standing(session: Session, workflow_id: str) -> CareStanding | None:
    """Of the follow-up or ticket behind a workflow; None if it is another kind of workflow."""
    item = care_item(workflow_id)
    if workflow_id.startswith("aftercare/"):
        follow_up = session.get_one(FollowUp, item)
        return CareStanding(stage=follow_up.state, outcome=follow_up.outcome)
    if workflow_id.startswith("tickets/"):
        ticket = session.get_one(Ticket, item)
        return CareStanding(stage=ticket.stage, outcome=ticket.outcome)
    return None


def situation_of_agreement(session: Session, agreement: Agreement, *, today: date) -> Situation:
    """Where the customer stands, for the education that fits (金融知识教育)."""
    last_due = session.exec(
        select(func.max(AgreementRow.due)).where(col(AgreementRow.agreement_id) == agreement.id)
    ).one()
    return situation_of(
        standing_of(status=agreement.status, days_past_due=agreement.days_past_due),
        last_due=last_due,
        prepays=_prepays(session, agreement, today=today),
        today=today,
    )


def _prepays(session: Session, agreement: Agreement, *, today: date) -> bool:
    quoted = select(SettlementQuote.id).where(
        col(SettlementQuote.agreement_id) == agreement.id,
        col(SettlementQuote.valid_until) >= today,
        col(SettlementQuote.redeemed_by_event).is_(None),
    )
    paid = select(AgreementEvent.id).where(
        col(AgreementEvent.agreement_id) == agreement.id,
        col(AgreementEvent.kind).in_(_EARLY),
        col(AgreementEvent.value_date) >= today - _EARLY_WITHIN,
    )
    return session.exec(quoted.limit(1)).first() is not None or session.exec(paid.limit(1)).first() is not None


def _dates(kind: FollowUpKind, *, on: date, days: int) -> tuple[date, date]:
    """The date of the occasion and of the call, of what is found on `on`."""
    if kind is FollowUpKind.LAST_ROW:
        return on + timedelta(days=days), on
    if kind is FollowUpKind.CURED:  # noticed today, called about later
        return on, on + timedelta(days=days)
    return on - timedelta(days=days), on


def _none_yet(kind: FollowUpKind) -> ColumnElement[bool]:
    stands = aliased(FollowUp)
    return ~exists().where(col(stands.agreement_id) == col(Agreement.id), col(stands.kind) == kind)


def _on(kind: FollowUpKind, column: Any) -> Callable[[Session, str, date], list[str]]:
    """Agreements of which one date is the anchor."""

    def find(session: Session, tenant: str, anchor: date) -> list[str]:
        query = select(Agreement.id).where(col(Agreement.tenant) == tenant, col(column) == anchor, _none_yet(kind))
        return list(session.exec(query.order_by(col(Agreement.id))).all())

    return find


def _last_rows(session: Session, tenant: str, anchor: date) -> list[str]:
    later = aliased(AgreementRow)
    query = (
        select(Agreement.id)
        .join(AgreementRow, col(Agreement.id) == col(AgreementRow.agreement_id))
        .where(
            col(AgreementRow.tenant) == tenant,
            col(AgreementRow.due) == anchor,
            col(Agreement.status).not_in(_ENDED),
            ~exists().where(
                col(later.agreement_id) == col(AgreementRow.agreement_id), col(later.no) > col(AgreementRow.no)
            ),
            _none_yet(FollowUpKind.LAST_ROW),
        )
    )
    return list(session.exec(query.order_by(col(Agreement.id))).all())


def _cured(session: Session, tenant: str, anchor: date) -> list[str]:
    """Agreements whose missed payment somebody was to call about, and that owe nothing now."""
    query = (
        select(Agreement.id)
        .join(FollowUp, col(Agreement.id) == col(FollowUp.agreement_id))
        .where(
            col(FollowUp.tenant) == tenant,
            col(FollowUp.state).in_((FollowUpState.OPEN, FollowUpState.DONE)),
            col(FollowUp.due_on).between(anchor - _CURED_WITHIN, anchor - timedelta(days=1)),
            col(FollowUp.kind) == FollowUpKind.MISSED,
            col(FollowUp.attempt) == 1,
            col(Agreement.oldest_unpaid_due).is_(None),
            col(Agreement.status).not_in(_ENDED),
            _none_yet(FollowUpKind.CURED),
        )
    )
    return list(session.exec(query.order_by(col(Agreement.id))).all())


_FINDERS: Final[dict[FollowUpKind, Callable[[Session, str, date], list[str]]]] = {
    FollowUpKind.WELCOME: _on(FollowUpKind.WELCOME, Agreement.activated_on),
    FollowUpKind.MISSED: _on(FollowUpKind.MISSED, Agreement.oldest_unpaid_due),
    FollowUpKind.CURED: _cured,
    FollowUpKind.LAST_ROW: _last_rows,
    FollowUpKind.CLOSED: _on(FollowUpKind.CLOSED, Agreement.closed_on),
}
