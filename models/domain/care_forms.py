"""Decision forms of after-care (贷后关怀): follow-up calls and tickets, with their closed sets of reasons."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from models.domain.aftercare.follow_ups import MAX_NEXT_CONTACT_DAYS
from models.domain.form_base import MAX_NOTE_CHARS, Checked, Form, Plain

SituationReason = Literal[
    "in-order", "new-hardship", "income-recovered", "wants-to-prepay", "has-question", "complains", "disputes-the-debt"
]
NotReachedReason = Literal["no-answer", "wrong-person", "number-out-of-use", "refused-to-talk", "call-back-asked"]
ResolvedReason = Literal["explained", "corrected", "compensated", "plan-to-be-changed", "customer-asked-to-stop"]
TicketRejectReason = Literal["not-founded", "answered-before", "not-with-this-bank", "no-evidence"]
TicketReturnReason = Literal["facts-incomplete", "rejection-not-justified", "answer-not-clear"]
TicketExtendReason = Literal["facts-complex", "third-party-awaited", "customer-evidence-awaited"]


class _NextContact(BaseModel):
    next_contact_days: Annotated[int, Field(ge=1, le=MAX_NEXT_CONTACT_DAYS)] | None = None


class FollowUpReached(_NextContact, Form):
    """The customer was reached; the reason is the situation they are in (回访情况)."""

    outcome: Literal["reached"]
    reason_code: SituationReason


class FollowUpNotReached(_NextContact, Form):
    """The customer was not reached; there is another attempt, up to a limit."""

    outcome: Literal["not-reached"]
    reason_code: NotReachedReason


class _Answering(Plain):
    """Words for the customer, who reads them through their link; there is no other remark."""

    answer: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")]


class TicketAnswer(_Answering):
    """The customer gets what they asked for, or an explanation (答复)."""

    outcome: Literal["answer"]
    reason_code: ResolvedReason


class TicketReject(_Answering):
    """The request is refused, in words for the customer (驳回)."""

    outcome: Literal["reject"]
    reason_code: TicketRejectReason


class TicketExtend(Form):
    """More time is needed; the customer is told until when (延期)."""

    outcome: Literal["extend"]
    reason_code: TicketExtendReason


class TicketCheckConfirm(Checked):
    """A second person agrees with the rejection (复核同意)."""

    outcome: Literal["confirm"]


class TicketCheckReturn(Checked):
    """A second person does not: it is to be handled again."""

    outcome: Literal["return"]
    reason_code: TicketReturnReason
