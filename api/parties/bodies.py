"""What routes of subjects take. Numbers stand in bodies, never in an address."""

from typing import Annotated, Final

from pydantic import Field

from api.bodies import Answer, Body
from api.parties.views import MaskedSubjectAnswer
from models.domain.application import RevealField, RevealReason

_TICKET: Final = r"\A[A-Z]{1,10}-[0-9]{1,8}\Z"  # too short for a number of a person, since it stands in the log


class SubjectSearchBody(Body):
    """Exactly one of the two, as typed."""

    id_number: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    mobile: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class RevealBody(Body):
    """Which field is to be shown, why, and for which ticket (`ABC-123`).

    `record`: the case whose `hardshipNote`, or the contact whose `contactNote` is meant; not for other fields.
    """

    field: RevealField
    reason: RevealReason
    ticket: Annotated[str, Field(pattern=_TICKET)] | None = None
    record: Annotated[str, Field(max_length=64)] | None = None


class FoundSubjectAnswer(Answer):
    """A person who was found, masked, with their cases in the caller's branch, newest first."""

    subject: MaskedSubjectAnswer
    case_tokens: list[str]


class FoundSubjectsAnswer(Answer):
    """Everyone under this number; a family may share a mobile."""

    items: list[FoundSubjectAnswer]


class RevealAnswer(Answer):
    """One clear value, shown once; null if there is none on record. `eventId` is the record of this."""

    field: str
    value: str | None
    event_id: str
