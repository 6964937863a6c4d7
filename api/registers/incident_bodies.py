"""Shapes of security incidents (安全事件): what is recorded, corrected, left out; and how clocks are told."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.bodies import Answer, Body, Instant
from api.installments.bodies import FreeText
from api.registers.text_bodies import ShownBody
from models.domain.incident_clocks import DataClass, Grade, IncidentKind

MAX_PERSONS = 2_000_000_000

DataClasses = Annotated[list[DataClass], Field(max_length=len(DataClass))]
Persons = Annotated[int, Field(ge=0, le=MAX_PERSONS)]
CorrectionReason = Literal["found-earlier", "found-later", "graded-anew", "scope-known", "entered-wrongly"]
NotNeededReason = Literal["harm-averted", "graded-lower", "no-incident", "not-our-authority", "reported-by-group"]


class FactsBody(Body):
    """What the clocks depend on. `publicInterest`: a flaw that touches national security or public interest."""

    grade: Grade
    discovered_at: Instant
    data_classes: DataClasses
    persons: Persons
    critical_infrastructure: bool
    public_interest: bool = False


class IncidentBody(FactsBody):
    """An incident as it is recorded first. `summary` is sealed."""

    kind: IncidentKind
    summary: FreeText


class CorrectionBody(FactsBody):
    """All that is known now, and why it differs; every earlier value stays on record."""

    reason_code: CorrectionReason


class NotNeededBody(Body):
    """Why a report is not needed; `harm-averted` for the persons only (个人信息保护法 Art. 57). `reason` is sealed."""

    reason_code: NotNeededReason
    reason: FreeText


class NotNeededDecisionBody(ShownBody):
    """The second person's word."""


class ProposalAnswer(Answer):
    """A proposal that a report is not needed."""

    reason_code: str
    reason_text: str
    reason: str
    shown_hash: str
    proposed_by: str
    confirmed_by: str | None


class ReportAnswer(Answer):
    """A duty to report, its clock, and how it was met.

    `late`: reported after `dueAt`, or unmet after it. `lateAsRecordedFirst`: the same by the discovery as it was
    recorded first; a correction never hides it. `recordedAt`: when somebody entered here that it was reported.
    `provisional`: the limit was not seen in the text in force.
    """

    clock: str
    clock_text: str
    authority: str
    authority_text: str
    limit_seconds: int
    source: str
    verified: str
    provisional: bool
    due_at: datetime
    first_due_at: datetime
    state: str
    state_text: str
    late: bool
    late_seconds: int
    late_as_recorded_first: bool
    escalated_at: datetime | None
    reported_at: datetime | None
    recorded_at: datetime | None
    reference: str | None
    evidence_ref: str | None
    recorded_by: str | None
    not_needed: ProposalAnswer | None


class RecordedFactsAnswer(Answer):
    """What was known when; `no` 1 is the first record."""

    no: int
    discovered_at: datetime
    grade: str
    data_classes: list[str]
    persons: int
    critical_infrastructure: bool
    public_interest: bool
    reason_code: str
    reason_text: str
    made_by: str
    made_at: datetime


class IncidentItem(Answer):
    """An incident as a list shows it. `nextDueAt`: when the first open clock ends."""

    id: str
    kind: str
    kind_text: str
    grade: str
    grade_text: str
    state: str
    state_text: str
    discovered_at: datetime
    data_classes: list[str]
    persons: int
    critical_infrastructure: bool
    public_interest: bool
    next_due_at: datetime | None
    any_late: bool
    opened_by: str
    closed_by: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class IncidentAnswer(IncidentItem):
    """An incident with its words, its clocks and its history."""

    summary: str
    clocks_version: str
    reports: list[ReportAnswer]
    history: list[RecordedFactsAnswer]


class IncidentPage(Answer):
    """Incidents, newest first; `endCursor` is null on the last page."""

    items: list[IncidentItem]
    end_cursor: str | None
