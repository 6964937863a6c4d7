"""What routes of after-care take and tell: tickets, follow-up calls, education."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from api.bodies import Answer, Body
from models.domain.aftercare.clocks import TicketKind
from models.domain.form_base import MAX_NOTE_CHARS
from models.domain.ids import CASE_TOKEN

Words = Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")]
"""What the customer says; sealed before it is kept."""


class LinkTicketBody(Body):
    """A customer asks, objects or complains (工单)."""

    kind: TicketKind
    text: Words


class NewTicketBody(Body):
    """The same, taken in by staff for a customer."""

    case_token: Annotated[str, Field(pattern=CASE_TOKEN.pattern)]
    kind: TicketKind
    text: Words


class ClockAnswer(Answer):
    """How long the bank has, and by which law or policy; `days` count from the day after the ticket came in."""

    version: str
    days: int
    unit: str
    unit_text: str
    source: str
    basis: str


class TicketItem(Answer):
    """A ticket in a list. `overdue`: the clock has run out and the customer still waits."""

    id: str
    case_token: str
    kind: str
    kind_text: str
    state: str
    state_text: str
    stage: str
    stage_text: str
    channel: str
    channel_text: str
    due_at: datetime
    overdue: bool
    extensions: int
    escalated_at: datetime | None
    outcome: str | None
    outcome_text: str | None
    reason_code: str | None
    reason_text: str | None
    opened_by: str
    created_at: datetime
    done_at: datetime | None
    version: int


class TicketPage(Answer):
    """Tickets, newest first; `endCursor` is null on the last page."""

    items: list[TicketItem]
    end_cursor: str | None


class TicketList(Answer):
    """Every ticket of a case, oldest first."""

    items: list[TicketItem]


class TicketAnswer(TicketItem):
    """A ticket with its words.

    `answer` is what the customer reads once the ticket is closed; while a rejection is being checked, what they would
    read. Words are null when the subject's keys were destroyed.
    """

    text: str | None
    answer: str | None
    clock: ClockAnswer


class LinkTicketAnswer(Answer):
    """A ticket as the customer sees it: until when they have an answer, and what it is."""

    id: str
    kind: str
    kind_text: str
    state: str
    state_text: str
    due_at: datetime
    outcome: str | None
    outcome_text: str | None
    answer: str | None
    created_at: datetime
    done_at: datetime | None


class LinkTicketList(Answer):
    """The tickets of the customer's case, oldest first, and what they must be told."""

    items: list[LinkTicketAnswer]
    notice: str


class FollowUpAnswer(Answer):
    """A follow-up call (回访). `situation` is what was found, or why nobody was reached or asked."""

    id: str
    kind: str
    kind_text: str
    anchor: date
    due_on: date
    attempt: int
    schedule_version: str
    state: str
    state_text: str
    outcome: str | None
    outcome_text: str | None
    situation: str | None
    situation_text: str | None
    contact_id: str | None
    done_at: datetime | None


class FollowUpList(Answer):
    """Every follow-up of a case, planned ones too, by date."""

    items: list[FollowUpAnswer]


class TopicAnswer(Answer):
    """One text to read."""

    topic: str
    title: str
    body: str


class EducationAnswer(Answer):
    """Education material (金融知识教育) for a situation."""

    situation: str
    situation_text: str
    version: str
    locale: str
    topics: list[TopicAnswer]
