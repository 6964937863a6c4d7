"""What routes of customers' links take and tell. A link never tells more of a person than the person has just sent."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.bodies import Answer, Body
from api.installments.answers import TermsAnswer
from api.installments.bodies import Branch
from models.domain.application import MAX_LINK_HOURS, LinkPurpose
from models.domain.forms import MAX_AMOUNT_MINOR, MAX_TERM_MONTHS
from models.domain.ids import CASE_TOKEN


class LinkTermsBody(Body):
    """What the bank fills in for the customer beforehand; minor units and months."""

    total_due_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)] | None = None
    amount_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)] | None = None
    term_months: Annotated[int, Field(ge=1, le=MAX_TERM_MONTHS)] | None = None


class NewLinkBody(Body):
    """A link to be made: `caseToken` for progress, `terms` and `branch` for an application."""

    purpose: LinkPurpose
    case_token: Annotated[str, Field(pattern=CASE_TOKEN.pattern)] | None = None
    branch: Branch | None = None
    terms: LinkTermsBody | None = None
    expires_in_hours: Annotated[int, Field(ge=1, le=MAX_LINK_HOURS)] = 72


class LinkAnswer(Answer):
    """A link. Whoever holds the token acts as the customer: hand it to nobody else, write it nowhere."""

    id: str
    purpose: str
    token: str
    path: str
    expires_at: datetime


class NoticeAnswer(Answer):
    """What the customer must be told before they fill anything in (告知)."""

    key: str
    version: str
    text: str


class OpenLinkAnswer(Answer):
    """What a link is for, and what stands filled in."""

    purpose: str
    state: str
    expires_at: datetime
    terms: dict[str, int | str]
    currency: str
    notice: NoticeAnswer


class AppliedAnswer(Answer):
    """The application was taken in; its progress can be seen under the new link."""

    case_token: str
    stage: str
    stage_text: str
    requested: TermsAnswer
    progress_link: LinkAnswer


class ProgressAnswer(Answer):
    """How a case stands, for the customer. `offered`: the bank's counter-offer, while it waits for an answer."""

    stage: str
    stage_text: str
    outcome: str | None
    outcome_text: str | None
    requested: TermsAnswer
    offered: TermsAnswer | None
    granted: TermsAnswer | None
    documents: int
    withdrawal_pending: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
