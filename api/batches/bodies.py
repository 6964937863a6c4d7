"""Shapes of batches (批量业务): what is sent, and what is told. No cell of a person stands in any of them."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.bodies import Answer, BasisPoints, Body, Minor, Sha256Hex, Token
from api.tasks.views import PermitAnswer
from models.domain.batches.kinds import KindName, MemberSource
from models.domain.batches.settings import MOST_AT_ONCE, MOST_CHUNK_ROWS


class PreviewBody(Body):
    """Criteria of a cohort out of the book (`models.domain.batches.cohort_filter`)."""

    kind: KindName
    criteria: dict[str, Any] = Field(default_factory=dict)


class SettingsBody(Body):
    """How a run is executed (`models.domain.batches.settings`); what is left out is as usual."""

    failure_bps: BasisPoints | None = None
    at_least: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    amount_minor: Minor | None = None
    chunk_rows: Annotated[int, Field(ge=1, le=MOST_CHUNK_ROWS)] | None = None
    window: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] | None = None
    cut_off: Annotated[str, Field(pattern=r"\A([01][0-9]|2[0-3]):[0-5][0-9]\Z")] | None = None
    return_days: Annotated[int, Field(ge=0, le=60)] | None = None
    answer_days: Annotated[int, Field(ge=0, le=60)] | None = None


class NewRunBody(Body):
    """A run to be begun. Rows are of the book by `criteria`, or of a file that is sent afterwards (`source`)."""

    kind: KindName
    source: MemberSource | None = None
    business_date: date | None = None
    criteria: dict[str, Any] = Field(default_factory=dict)
    settings: SettingsBody | None = None
    client: Token | None = None
    funding_account: Token | None = None
    rule_set: Annotated[str, Field(pattern=r"\A[a-z][a-z0-9_-]{0,39}\Z")] | None = None


class CriteriaBody(Body):
    """Other criteria, in place of those that were sent back."""

    criteria: dict[str, Any]


class CancelBody(Body):
    """Why."""

    reason_code: Literal["error-rate", "rules-unsuitable", "cohort-wrong", "batch-called-off"]


class SumAnswer(Answer):
    """How many, and their sum in minor units."""

    count: int
    amount_minor: int


class CohortAnswer(Answer):
    """The cohort of the present revision; without `cohortHash` it is still being chosen."""

    members: int
    excluded: int
    amount_minor: int
    cohort_hash: str | None
    frozen_at: datetime | None


class ImportAnswer(Answer):
    """The file of a run: read = accepted + held + rejected + replaced, once all of it is judged."""

    id: str
    layout: str
    layout_version: str
    size_bytes: int
    control_count: int | None
    control_minor: int | None
    read_rows: int
    problem: str | None
    finished_at: datetime | None
    created_at: datetime


class RunItem(Answer):
    """A run in a list."""

    run: str
    kind: str
    kind_text: str
    origin: str
    business_date: date
    stage: str
    stage_text: str
    outcome: str | None
    paused: bool
    tripped: str | None
    created_at: datetime
    ended_at: datetime | None


class RunAnswer(RunItem):
    """A run as it stands. `allowedActions` says what the caller may do, and why not."""

    source: str
    revision: int
    criteria: dict[str, Any]
    settings: dict[str, Any]
    rule_version: str | None
    shown_hash: str | None
    reason_code: str | None
    cancel_asked: bool
    awaits_file: bool
    client: str | None
    funding_account: str | None
    file: ImportAnswer | None
    cohort: CohortAnswer | None
    counts: dict[str, Any]
    created_by: str
    updated_at: datetime
    version: int
    allowed_actions: dict[str, PermitAnswer]


class RunPage(Answer):
    """Runs, newest first; `endCursor` is null on the last page."""

    items: list[RunItem]
    end_cursor: str | None


class RunProgress(Answer):
    """How far a run is: its stage among those its kind has, its orders by state."""

    run: str
    stage: str
    outcome: str | None
    paused: bool
    awaits_file: bool
    tripped: str | None
    stages_done: int
    stages: int
    expected: dict[str, SumAnswer]
    orders: dict[str, SumAnswer]


class OrderAnswer(Answer):
    """One order and what became of it. Of the claim only its end is told (掩码)."""

    order: str
    member: int
    attempt: int
    claim_end: str
    amount_minor: int
    currency: str
    state: str
    state_text: str
    final_state: str | None
    reason_code: str | None
    rule_id: str | None
    requested_on: date
    settled_on: date | None
    next_try_on: date | None


class OrderPage(Answer):
    """Orders by member and attempt; `endCursor` is null on the last page."""

    items: list[OrderAnswer]
    end_cursor: str | None


class ClassAnswer(Answer):
    """Rows of one class by type, amount and cycle."""

    type_class: str
    amount_class: str
    cycle_class: str
    rows: int
    amount_minor: int


class SampleAnswer(Answer):
    """One row of a preview: no person, no account, of the claim its end alone."""

    claim_end: str
    amount_minor: int
    type_class: str
    amount_class: str
    cycle_class: str
    exclusion: str | None
    rule_id: str | None


class ExclusionAnswer(Answer):
    """Why rows would be left out, in words, with the rule and where it stands in the law, and how many they are."""

    reason: str
    title: str
    rule_id: str
    citation: str
    rows: int


class PreviewAnswer(Answer):
    """What a cohort would be; nothing was written. `exclusions`: rows by reason; `reasons` says the same in words."""

    business_date: date
    members: int
    excluded: int
    amount_minor: int
    classes: list[ClassAnswer]
    exclusions: dict[str, int]
    reasons: list[ExclusionAnswer]
    sample: list[SampleAnswer]


class FaultAnswer(Answer):
    """What is wrong with one field, by rule; what stands in it is not told."""

    field: str
    rule: str
    title: str


class RowCorrectionBody(Body):
    """What a quarantined row should say, by field of its layout; the other fields stay."""

    values: Annotated[dict[str, Annotated[str, Field(max_length=400)]], Field(min_length=1, max_length=200)]


class RowCorrectionDecisionBody(Body):
    """The second person's word on what they were shown."""

    shown_hash: Sha256Hex


class RowCorrectionAnswer(Answer):
    """A correction that waits for its second person; what it says is told by its showing alone."""

    id: str
    fields: list[str]
    shown_hash: str
    made_by: str
    created_at: datetime


class CorrectedFieldAnswer(Answer):
    """A field in clear, as it was read and as it should be."""

    field: str
    before: str | None
    after: str


class CorrectionShownAnswer(Answer):
    """What a correction says, shown once to whom confirms or refuses it. `eventId` is the record of this."""

    shown_hash: str
    fields: list[CorrectedFieldAnswer]
    event_id: str


class RowAnswer(Answer):
    """A row of a file, by line; without a state it is not judged yet. Nobody's data."""

    number: int
    line: int
    attempt: int
    amount_minor: int | None
    state: str | None
    faults: list[FaultAnswer]
    reason_code: str | None
    version: int


class CorrectableRowAnswer(Answer):
    """A row with the correction of it that waits."""

    row: RowAnswer
    correction: RowCorrectionAnswer | None


class RowPage(Answer):
    """Rows by number; `endCursor` is null on the last page."""

    items: list[RowAnswer]
    end_cursor: str | None
