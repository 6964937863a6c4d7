"""What routes of erasure, legal holds and retention take and tell."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from api.bodies import Answer, Body, Sha256Hex
from models.domain.form_base import MAX_NOTE_CHARS
from models.domain.privacy.erasing import ErasureRejectReason, Ground, HoldReason, ReleaseReason

_MATTER: Final = r"\A[A-Z]{1,10}-[0-9]{1,8}\Z"  # too short for a number of a person, since it stands in clear
Matter = Annotated[str, Field(pattern=_MATTER)]


class ErasureBody(Body):
    """Why a person's data shall be erased (个人信息保护法 Art. 47); `note` is sealed and goes with the data."""

    ground: Ground
    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")] | None = None


class ShownBody(Body):
    """What the second person was shown."""

    shown_hash: Sha256Hex


class RejectionBody(ShownBody):
    """Why the second person says no."""

    reason: ErasureRejectReason


class HoldBody(Body):
    """Why a person's data must be kept, and for which matter (`LEGAL-2031`)."""

    reason: HoldReason
    reference: Matter | None = None


class ReleaseBody(Body):
    """Why a hold shall end."""

    reason: ReleaseReason


class ObstacleAnswer(Answer):
    """What stands against erasing a person, and its last day; null while nobody can say."""

    rule: str
    rule_text: str
    until: date | None


class ErasureAnswer(Answer):
    """A request to erase. `subjectId` is null once it is carried out: what is left is the commitment."""

    id: str
    subject_id: str | None
    ground: str
    ground_text: str
    state: str
    state_text: str
    obstacles: list[ObstacleAnswer]
    until: date | None
    reason_code: str | None
    reason_text: str | None
    shown_hash: str
    commitment: str | None
    figures: dict[str, Any]
    requested_by: str
    endorsed_by: str | None
    decided_by: str | None
    requested_at: datetime
    decided_at: datetime | None
    erased_at: datetime | None
    certified_at: datetime | None


class ErasurePage(Answer):
    """Requests, the newest first; `endCursor` is null on the last page."""

    items: list[ErasureAnswer]
    end_cursor: str | None


class HoldAnswer(Answer):
    """A legal hold. `shownHash` and `releaseHash` are what the second persons are bound to."""

    id: str
    subject_id: str
    reason: str
    reason_text: str
    reference: str | None
    state: str
    state_text: str
    stands: bool
    shown_hash: str
    placed_by: str
    confirmed_by: str | None
    release_reason: str | None
    release_hash: str | None
    release_asked_by: str | None
    released_by: str | None
    placed_at: datetime
    ended_at: datetime | None


class HoldPage(Answer):
    """Holds, the newest first; `endCursor` is null on the last page."""

    items: list[HoldAnswer]
    end_cursor: str | None


class PersonalFieldAnswer(Answer):
    """One entry of the catalogue of personal data (个人信息字段目录)."""

    id: str
    name: str
    places: list[str]
    inside: str | None
    inputs: list[str]
    storage: str
    storage_text: str
    data_class: str
    class_text: str
    sensitivity: str
    sensitivity_text: str
    grade: str
    grade_text: str
    mask: str
    mask_text: str
    purpose: str
    purpose_text: str
    retention_rule: str
    retention_years: int
    retention_text: str
    export: str
    export_text: str


class PersonalFieldList(Answer):
    """The whole catalogue, and the versions of the institution's masks and periods."""

    items: list[PersonalFieldAnswer]
    masks_version: str
    retention_version: str


class PeriodAnswer(Answer):
    """A period that runs or ran for a person: from which day, through which; `over` once it has ended."""

    rule: str
    rule_text: str
    event_on: date | None
    until: date | None
    over: bool


class SubjectRetentionAnswer(Answer):
    """How long a person's data are kept, and what stands against erasing them today."""

    subject_id: str
    periods: list[PeriodAnswer]
    obstacles: list[ObstacleAnswer]
    until: date | None
    locked_until: date | None


class RetentionRuleAnswer(Answer):
    """A retention rule (保存期限) as the institution has set it."""

    id: str
    text: str
    anchor: str
    anchor_text: str
    years: int
    default_years: int
    by_law: bool
    source: str


class RetentionReport(Answer):
    """The retention register and where it stands today."""

    version: str
    rules: list[RetentionRuleAnswer]
    proposed: int
    waiting: int
    approved: int
    refused: int
    erased: int
    locked: int
    holds: int
    next_unlock: date | None
