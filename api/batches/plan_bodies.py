"""Shapes of standing plans of batches (批量排期)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.batches.bodies import SettingsBody
from api.batches.rule_bodies import Slug
from api.bodies import Answer, Body, Sha256Hex
from models.domain.batches.kinds import KindName
from models.domain.batches.plans import Overlap, Rhythm


class NewPlanBody(Body):
    """A plan: which runs begin on which dates. `monthDay` belongs to the rhythm `month-day` alone.

    The hour is of the day in Shanghai. A start that was missed by less than `catchUpHours` is made up by itself.
    """

    name: Slug
    kind: KindName
    criteria: dict[str, Any] = Field(default_factory=dict)
    settings: SettingsBody | None = None
    rule_set: Annotated[str, Field(pattern=r"\A[a-z][a-z0-9_-]{0,39}\Z")] | None = None
    rhythm: Rhythm
    month_day: Annotated[int, Field(ge=1, le=31)] | None = None
    hour: Annotated[int, Field(ge=0, le=23)] = 9
    overlap: Overlap = Overlap.SKIP
    catch_up_hours: Annotated[int, Field(ge=1, le=168)] = 12


class PlanDecisionBody(Body):
    """A second person's word on what they were shown."""

    outcome: Literal["confirm", "refuse"]
    shown_hash: Sha256Hex
    reason_code: Literal["rules-unsuitable", "figures-unclear", "outside-policy"] | None = None


class BackfillBody(Body):
    """Dates to be made up for, first and last among them; at most 92 days, and none behind the business date."""

    first_date: date
    last_date: date


class PlanAnswer(Answer):
    """A plan as it stands. `shownHash` is what its confirmation is bound to."""

    plan: str
    name: str
    kind: str
    state: str
    paused: bool
    branch: str
    criteria: dict[str, Any]
    settings: dict[str, Any]
    rule_set: str | None
    rhythm: str
    month_day: int | None
    hour: int
    overlap: str
    catch_up_hours: int
    shown_hash: str
    made_by: str
    decided_by: str | None
    reason_code: str | None
    version: int
    created_at: datetime
    decided_at: datetime | None


class PlanList(Answer):
    """Plans, newest first."""

    items: list[PlanAnswer]


class BackfillAnswer(Answer):
    """What was asked for; each date that is due and has no run gets one."""

    backfill: str
    plan: str
    first_date: date
    last_date: date
    asked_at: datetime
