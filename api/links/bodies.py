"""What routes of customers' links take and tell. A link never tells more of a person than the person has just sent."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.agreements.answers import RepaymentAnswer
from api.bodies import Answer, Body, Sha256Hex, Token
from api.installments.answers import TermsAnswer
from api.installments.bodies import Branch
from models.domain.application import MAX_LINK_HOURS, LinkPurpose
from models.domain.forms import MAX_AMOUNT_MINOR, MAX_TERM_MONTHS
from models.domain.ids import CASE_TOKEN
from models.domain.mandates import ACCOUNT_PATTERN, BANK_CODE_PATTERN


class LinkTermsBody(Body):
    """What the bank fills in for the customer beforehand; minor units and months."""

    total_due_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)] | None = None
    amount_minor: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)] | None = None
    term_months: Annotated[int, Field(ge=1, le=MAX_TERM_MONTHS)] | None = None


class NewLinkBody(Body):
    """A link to be made: `caseToken` for progress, `terms` and `branch` for an application."""

    purpose: Literal[LinkPurpose.APPLICATION, LinkPurpose.PROGRESS]  # a signing link goes to the customer alone
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


class SigningDocumentAnswer(Answer):
    """A document to be read before signing; `digest` is the archived file's."""

    id: str
    kind: str
    kind_text: str
    size_bytes: int
    digest: str
    reading_seconds: int
    opened_at: datetime | None
    confirmed_at: datetime | None


class MandateTermsAnswer(Answer):
    """What the customer authorises, if they have the rows debited; account and bank are theirs to name."""

    payee_name: str
    purpose: str
    purpose_text: str
    cycle: str
    cycle_text: str
    limit_minor: int
    valid_to: date


class SigningAnswer(Answer):
    """What is to be signed. `state`: open, pending (a signature is under way), signed, closed."""

    state: str
    state_text: str
    shown_hash: str | None
    plan_hash: str
    plan: dict[str, Any]
    documents: list[SigningDocumentAnswer]
    mandate: MandateTermsAnswer
    currency: str
    expires_at: datetime


class ReadingBody(Body):
    """A document was read to its end; `seconds` as the page has counted them."""

    document_id: Token
    seconds: Annotated[int, Field(ge=0, le=86_400)]


class ReadingAnswer(Answer):
    """For how long the document counts as read: the smaller of what the page and the server have counted."""

    document_id: str
    seconds: int
    confirmed_at: datetime


class CodeSentAnswer(Answer):
    """A one-time code is on its way by this channel."""

    channel: str
    valid_seconds: int


class MandateBody(Body):
    """The customer's authority to debit their own account (代扣授权)."""

    account: Annotated[str, Field(pattern=ACCOUNT_PATTERN)]
    bank_code: Annotated[str, Field(pattern=BANK_CODE_PATTERN)] | None = None
    holder_is_customer: Literal[True]


class SignatureBody(Body):
    """The customer signs what they were shown. Without `mandate` they pay by transfer."""

    code: Annotated[str, Field(pattern=r"\A[0-9]{6}\Z")]
    shown_hash: Sha256Hex
    cost_confirmed: Literal[True]
    mandate: MandateBody | None = None


class LetterAnswer(Answer):
    """A document that the customer may fetch."""

    id: str
    kind: str
    kind_text: str
    size_bytes: int
    digest: str


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
    repayment: RepaymentAnswer | None  # once the agreement is in force
    letters: list[LetterAnswer]  # sealed agreement and letter of settlement, once they are there
    withdrawal_pending: bool
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
