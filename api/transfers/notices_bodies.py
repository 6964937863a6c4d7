"""Shapes of a job's notices for staff: figures, who is not told yet, one customer's proof. Nothing here says who."""

from datetime import datetime
from typing import Any

from api.bodies import Answer


class NoticeFigure(Answer):
    """How many customers stand so."""

    state: str
    state_text: str
    channel: str | None
    channel_text: str | None
    consent: str | None
    count: int


class FollowUpFigure(Answer):
    """How many follow-ups stand so."""

    kind: str
    kind_text: str
    state: str
    answer: str | None
    count: int


class NoticeFigures(Answer):
    """A job's notices. `left`: customers in no final state, or who have not answered: while there is one, no close.

    `ratings`: how often each score was given.
    """

    customers: int
    told: int
    left: int
    due_at: datetime | None
    published_at: datetime | None
    by_state: list[NoticeFigure]
    follow_ups: list[FollowUpFigure]
    consents: dict[str, int]
    ratings: dict[str, int]


class AttemptAnswer(Answer):
    """One attempt by one channel."""

    number: int
    channel: str
    channel_text: str
    state: str
    reason_code: str | None
    at: datetime
    settled_at: datetime | None


class NoticeAnswer(Answer):
    """One customer's notice: by row of the job, without a name."""

    row: int
    state: str
    state_text: str
    channel: str | None
    consent: str | None
    attempts: int
    due_at: datetime
    told_at: datetime | None


class NoticeProof(NoticeAnswer):
    """With every attempt, and the evidence: which event, of which attempt, in which words (their hash), when."""

    language: str
    text_version: str
    text_hash: str | None
    evidence: dict[str, Any]
    tries: list[AttemptAnswer]


class NoticePage(Answer):
    """Customers who are not told, by row."""

    items: list[NoticeAnswer]
    end_cursor: str | None


class NoticeTextAnswer(Answer):
    """The words of one channel and language, as customers read them."""

    language: str
    channel: str
    version: str
    text_hash: str
    subject: str
    words: str
    published_at: datetime | None


class NoticeTexts(Answer):
    """Every text of a job."""

    items: list[NoticeTextAnswer]
