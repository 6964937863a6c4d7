"""Shapes of sources, previews and rows of a transfer job. Answers show people masked."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.bodies import Answer, Body, Sha256Hex
from models.domain.customers.record import FIELDS
from models.domain.transfer_row_forms import DiscardReason

MOST_VALUE = 400

Value = Annotated[str, Field(max_length=MOST_VALUE)]
"""As somebody typed it; empty takes the value away."""


class SourcePlace(Body):
    """Which source: a file by its name in the exchange directory, a database by the name of its connection."""

    kind: Literal["csv", "xlsx", "sql", "book"]
    place: Annotated[str, Field(min_length=1, max_length=200)]
    mapping: Annotated[str, Field(max_length=256 * 1024)] | None = None  # TOML; of a suggestion only how to read


class PreviewBody(SourcePlace):
    """A source with its mapping, and how many rows to show."""

    rows: Annotated[int, Field(ge=1, le=200)] = 20
    sample: Annotated[int, Field(ge=1, le=5_000)] = 1_000  # rows over which faults are counted


class RowValues(Body):
    """Fields of one customer as they were told (电话、邮件)."""

    customer_no: Value | None = None
    name: Value | None = None
    id_type: Value | None = None
    id_number: Value | None = None
    id_valid_until: Value | None = None
    mobile: Value | None = None
    email: Value | None = None
    account: Value | None = None
    sex: Value | None = None
    birth_date: Value | None = None
    nationality: Value | None = None
    occupation: Value | None = None
    employer: Value | None = None
    employer_uscc: Value | None = None
    address: Value | None = None
    postcode: Value | None = None
    language: Value | None = None

    def given(self) -> dict[str, str]:
        """What was sent, by field."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None}


class EntryBody(Body):
    """One row entered by hand."""

    channel: Literal["phone", "mail", "counter"]
    values: RowValues


class CorrectionBody(Body):
    """What is to be changed; the other fields stay."""

    values: RowValues


class DecisionBody(Body):
    """The second person's word on what they were shown."""

    shown_hash: Sha256Hex


class RefusalBody(DecisionBody):
    """Why not."""

    reason_code: Literal["evidence-missing", "still-wrong", "other-person"]


class DiscardBody(Body):
    """A row is rejected for good."""

    reason_code: DiscardReason


class SourceAnswer(Answer):
    """A source as it is registered."""

    id: str
    number: int
    kind: str
    place: str
    mapping_hash: str
    digest: str | None
    read_rows: int
    left_out: dict[str, int]
    finished_at: datetime | None


class SourcesAnswer(Answer):
    """All sources of a job, and whether what they gave adds up."""

    items: list[SourceAnswer]
    conservation: dict[str, int]
    holds: bool


class SuggestionAnswer(Answer):
    """Where one field seems to come from."""

    field: str
    column: str | None
    constant: str | None
    confidence: int  # thousandths
    by: list[str]


class SuggestionsAnswer(Answer):
    """A draft of a mapping file."""

    columns: list[str]
    encoding: str | None
    delimiter: str | None
    fields: list[SuggestionAnswer]
    missing: list[str]  # required fields that no column seems to hold
    mapping: str


class FaultAnswer(Answer):
    """One broken rule, in words."""

    field: str
    field_name: str
    rule: str
    severity: str
    title: str
    fix: str


class PreviewRow(Answer):
    """A row as it would come in, masked."""

    line: int
    values: dict[str, str]
    faults: list[FaultAnswer]
    outcome: str


class RuleCount(Answer):
    """How many rows of the sample break a rule."""

    field: str
    rule: str
    severity: str
    title: str
    rows: int


class PreviewAnswer(Answer):
    """The first rows, and what is wrong in the sample."""

    encoding: str | None
    delimiter: str | None
    sampled: int
    outcomes: dict[str, int]
    left_out: dict[str, int]
    rules: list[RuleCount]
    rows: list[PreviewRow]


class CorrectionAnswer(Answer):
    """One correction of a row; what it changes is shown masked."""

    id: str
    state: str
    fields: list[str]
    values: dict[str, str]
    shown_hash: str
    made_by: str
    decided_by: str | None
    reason_code: str | None
    created_at: datetime
    decided_at: datetime | None


class RowAnswer(Answer):
    """One row, masked."""

    number: int
    source: str
    line: int
    outcome: str | None
    reason_code: str | None
    values: dict[str, str]
    faults: list[FaultAnswer]
    version: int
    corrections: list[CorrectionAnswer] = Field(default_factory=list)


class RowPage(Answer):
    """Rows by number, a page at a time."""

    items: list[RowAnswer]
    end_cursor: str | None


class QualityAnswer(Answer):
    """The data-quality reports of a job: counts only."""

    before: dict[str, object] | None
    after: dict[str, object] | None
