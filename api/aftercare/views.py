"""How after-care is told: codes with words in the reader's language; sealed words are opened for who may read them."""

from datetime import datetime
from typing import Any

from api.aftercare.bodies import (
    ClockAnswer,
    EducationAnswer,
    FollowUpAnswer,
    LinkTicketAnswer,
    TicketAnswer,
    TicketItem,
    TopicAnswer,
)
from api.deps import ApiDeps
from api.wording import worded
from compliance.vault.cells import CellAddress
from models.domain.aftercare.clocks import CLOCKS, TicketKind
from models.domain.aftercare.education import EDUCATION_VERSION, TOPICS, Situation
from models.domain.notices import education_for
from models.domain.states import TicketState
from models.errors import SubjectShredded
from models.tables.aftercare import FollowUp
from models.tables.daily import Ticket
from models.tables.tasks import Decision


def ticket_item(row: Ticket, *, locale: str, now: datetime) -> TicketItem:
    """A ticket as a list shows it."""
    return TicketItem(**_fields(row, locale, now))


def ticket_answer(
    deps: ApiDeps, row: Ticket, decision: Decision | None, *, subject: str, locale: str, now: datetime
) -> TicketAnswer:
    """A ticket with its words; blocking. `decision`: whose words answer it."""
    clock = CLOCKS[TicketKind(row.kind)]
    return TicketAnswer(
        **_fields(row, locale, now),
        text=_opened(deps, CellAddress(row.tenant, "tickets", "text_cell", row.id, subject), row.text_cell),
        answer=answer_words(deps, decision, subject=subject),
        clock=ClockAnswer(
            version=row.clock_version,
            days=clock.days[min(row.extensions, len(clock.days) - 1)],
            unit=clock.unit,
            unit_text=worded(f"clock-unit.{clock.unit}", locale),
            source=clock.source,
            basis=clock.basis,
        ),
    )


def link_ticket_answer(
    deps: ApiDeps, row: Ticket, decision: Decision | None, *, subject: str, locale: str
) -> LinkTicketAnswer:
    """A ticket for the customer; blocking. An answer is theirs to read once it stands."""
    done = row.state == TicketState.DONE
    return LinkTicketAnswer(
        id=row.id,
        kind=row.kind,
        kind_text=worded(f"ticket-kind.{row.kind}", locale),
        state=row.state,
        state_text=worded(f"ticket-state.{row.state}", locale),
        due_at=row.due_at,
        outcome=row.outcome,
        outcome_text=_named("ticket-outcome", row.outcome, locale),
        answer=answer_words(deps, decision, subject=subject) if done else None,
        created_at=row.created_at,
        done_at=row.done_at,
    )


def answer_words(deps: ApiDeps, decision: Decision | None, *, subject: str) -> str | None:
    """The words of a decision that answers the customer; blocking."""
    if decision is None:
        return None
    place = CellAddress(decision.tenant, "decisions", "note_cell", decision.id, subject)
    return _opened(deps, place, decision.note_cell)


def follow_up_answer(row: FollowUp, *, locale: str) -> FollowUpAnswer:
    """One follow-up."""
    return FollowUpAnswer(
        id=row.id,
        kind=row.kind,
        kind_text=worded(f"follow-up-kind.{row.kind}", locale),
        anchor=row.anchor,
        due_on=row.due_on,
        attempt=row.attempt,
        schedule_version=row.schedule_version,
        state=row.state,
        state_text=worded(f"follow-up-state.{row.state}", locale),
        outcome=row.outcome,
        outcome_text=_named("outcome", row.outcome, locale),
        situation=row.reason_code,
        situation_text=_named("reason", row.reason_code, locale),
        contact_id=row.contact_id,
        done_at=row.done_at,
    )


def education_answer(situation: Situation, *, locale: str, hardship: str | None = None) -> EducationAnswer:
    """What there is to read in a situation; with a hardship, the advice for it too, while something is still to pay."""
    topics = [
        TopicAnswer(
            topic=topic,
            title=worded(f"education.{topic}.title", locale),
            body=worded(f"education.{topic}.body", locale),
        )
        for topic in TOPICS[situation]
    ]
    if hardship is not None and situation in (Situation.IN_TIME, Situation.MISSED):
        kind = education_for(hardship)
        topics.append(
            TopicAnswer(
                topic=kind.removeprefix("education-"),
                title=worded(f"notice.{kind}.subject", locale),
                body=worded(f"notice.{kind}.body", locale),
            )
        )
    return EducationAnswer(
        situation=situation,
        situation_text=worded(f"education-situation.{situation}", locale),
        version=EDUCATION_VERSION,
        locale=locale,
        topics=topics,
    )


def _fields(row: Ticket, locale: str, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "case_token": row.case_token,
        "kind": row.kind,
        "kind_text": worded(f"ticket-kind.{row.kind}", locale),
        "state": row.state,
        "state_text": worded(f"ticket-state.{row.state}", locale),
        "stage": row.stage,
        "stage_text": worded(f"ticket-stage.{row.stage}", locale),
        "channel": row.channel,
        "channel_text": worded(f"ticket-channel.{row.channel}", locale),
        "due_at": row.due_at,
        "overdue": row.state == TicketState.OPEN and row.due_at <= now,
        "extensions": row.extensions,
        "escalated_at": row.escalated_at,
        "outcome": row.outcome,
        "outcome_text": _named("ticket-outcome", row.outcome, locale),
        "reason_code": row.reason_code,
        "reason_text": _named("reason", row.reason_code, locale),
        "opened_by": row.opened_by,
        "created_at": row.created_at,
        "done_at": row.done_at,
        "version": row.version,
    }


def _named(prefix: str, code: str | None, locale: str) -> str | None:
    return None if code is None else worded(f"{prefix}.{code}", locale)


def _opened(deps: ApiDeps, place: CellAddress, cell: bytes | None) -> str | None:
    if cell is None:
        return None
    try:
        return deps.vault.open_text(place, cell)
    except SubjectShredded:
        return None
