"""Shapes of impact assessments (个人信息保护影响评估)."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.bodies import Answer, Body, ShortCode
from api.registers.text_bodies import ShownBody
from models.domain.assessments import AssessmentTrigger, Conclusion

MAX_SECTION = 6_000  # characters

Section = Annotated[str, Field(min_length=1, max_length=MAX_SECTION, pattern=r"\S")]
"""Words of an assessor; sealed before they are kept."""
AssessmentReturn = Literal["necessity-not-shown", "risk-incomplete", "measures-insufficient", "dates-wrong"]


class AssessmentBody(Body):
    """An assessment: what is assessed and why, the three parts of 个人信息保护法 Art. 56, and what it comes to.

    `activity`: the processing; `affordability-model` answers rule PIPL-55. `validUntil`: the last day it is good.
    """

    activity: ShortCode
    triggers: Annotated[list[AssessmentTrigger], Field(min_length=1, max_length=len(AssessmentTrigger))]
    necessity: Section
    risk: Section
    measures: Section
    conclusion: Conclusion
    valid_until: date


class AssessmentReturnBody(ShownBody):
    """Why it goes back to its makers."""

    reason_code: AssessmentReturn


class TriggerAnswer(Answer):
    """An occasion of 个人信息保护法 Art. 55."""

    code: str
    text: str


class AssessmentItem(Answer):
    """An assessment as a list shows it. `inForce`: approved, allowing, and good today."""

    id: str
    activity: str
    triggers: list[TriggerAnswer]
    conclusion: str
    conclusion_text: str
    state: str
    state_text: str
    in_force: bool
    expired: bool
    valid_until: date
    approved_at: datetime | None
    kept_until: date | None
    drafted_by: str
    decided_by: str | None
    return_reason: str | None
    return_reason_text: str | None
    shown_hash: str | None
    content_hash: str
    revision: int
    created_at: datetime
    updated_at: datetime


class AssessmentAnswer(AssessmentItem):
    """An assessment with its words; null where they are kept on paper."""

    necessity: str | None
    risk: str | None
    measures: str | None


class AssessmentPage(Answer):
    """Assessments, newest first; `endCursor` is null on the last page."""

    items: list[AssessmentItem]
    end_cursor: str | None
