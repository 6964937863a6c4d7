"""What a customer reads and says through the link of a transfer's notice."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.bodies import Answer, Body, Sha256Hex
from models.domain.transfers.follow_ups import FollowUpKind
from models.operations.transfers.consents import Answer as ConsentWord

MAX_TEXT = 2_000


class TransferConsentBody(Body):
    """The customer's answer, bound to the words that they read (`textHash`)."""

    answer: ConsentWord
    text_hash: Sha256Hex


class TransferRequestBody(Body):
    """What the customer asks for, in their own words: they are sealed."""

    kind: Literal[FollowUpKind.OBJECTION, FollowUpKind.CORRECTION, FollowUpKind.ERASURE]
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]


class TransferRatingBody(Body):
    """How satisfied the customer is, 1 to 5. It is kept without anything of theirs."""

    score: Annotated[int, Field(ge=1, le=5)]


class LinkFollowUpAnswer(Answer):
    """One request of the customer and what became of it."""

    kind: str
    kind_text: str
    state: str
    answer: str | None
    answer_text: str | None
    opened_at: datetime
    due_at: datetime
    done_at: datetime | None


class LinkTransferAnswer(Answer):
    """What the customer is told, what is asked of them, and what they have asked for."""

    subject: str
    text: str
    text_version: str
    text_hash: str
    consent: str
    requests: list[LinkFollowUpAnswer]
    rated: bool
    expires_at: datetime
