"""Shapes of rule sets of batches (规则集): drafts, samples, proposals, decisions."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.bodies import Answer, Body, Minor, Sha256Hex
from models.domain.batches.kinds import KindName

Slug = Annotated[str, Field(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]


class NewVersionBody(Body):
    """A draft: the rules as `models.domain.batches.rulesets.version.RuleSet` has them, without name and version."""

    name: Slug
    kind: KindName
    rules: dict[str, Any]


class RuleTestRow(Body):
    """One row of a sample; no person."""

    row: Annotated[str, Field(pattern=r"\A[A-Za-z0-9._/-]{1,60}\Z")]
    product: Slug = "card"
    risk: Slug = "normal"
    term_months: Annotated[int, Field(ge=0, le=600)] = 12
    days_past_due: Annotated[int, Field(ge=0, le=36_600)] = 0
    penalty_minor: Minor = 0
    fee_minor: Minor = 0
    interest_minor: Minor = 0
    principal_minor: Minor = 0
    balance_minor: Minor = 0


class RuleTestBody(Body):
    """A sample, and how many rows each rule or tier should take."""

    rows: Annotated[list[RuleTestRow], Field(min_length=1, max_length=300)]
    expected: Annotated[dict[str, int], Field(min_length=1, max_length=200)]
    on: date | None = None


class VersionDecisionBody(Body):
    """A second person's word on what they were shown."""

    outcome: Literal["approve", "refuse"]
    shown_hash: Sha256Hex
    reason_code: Literal["rules-unsuitable", "figures-unclear", "outside-policy"] | None = None


class MissAnswer(Answer):
    """A rule that took another number of rows than expected."""

    rule: str
    expected: int
    found: int
    rows: list[str]


class RuleTestAnswer(Answer):
    """How a sample went; a version with misses is not proposed."""

    passed: bool
    hits: dict[str, int]
    barred: dict[str, int]
    misses: list[MissAnswer]


class VersionAnswer(Answer):
    """A version. `shownHash` is what its approval is bound to."""

    name: str
    number: int
    kind: str
    state: str
    rules: dict[str, Any]
    body_hash: str
    shown_hash: str
    expected: dict[str, Any]
    valid_from: date
    valid_to: date | None
    made_by: str
    decided_by: str | None
    reason_code: str | None
    created_at: datetime
    decided_at: datetime | None


class VersionList(Answer):
    """Versions of one set, newest first."""

    items: list[VersionAnswer]


class RuleSetItem(Answer):
    """A set in a list."""

    name: str
    kind: str
    versions: int
    in_force: list[int]


class RuleSetList(Answer):
    """Sets by name."""

    items: list[RuleSetItem]
