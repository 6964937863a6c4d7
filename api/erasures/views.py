"""Rows of erasure, holds and retention as they are told."""

from datetime import date
from typing import Any

from api.erasures.bodies import (
    ErasureAnswer,
    HoldAnswer,
    ObstacleAnswer,
    PeriodAnswer,
    PersonalFieldAnswer,
    RetentionRuleAnswer,
)
from api.wording import worded
from models.domain.privacy.erasing import STANDING
from models.domain.privacy.field import PersonalField
from models.domain.privacy.retention import RULES, Obstacle, RetentionPolicy, RetentionRule
from models.tables.erasure import ErasureRequest, LegalHold
from models.texts.personal_fields import words_of


def erasure_answer(row: ErasureRequest, *, locale: str) -> ErasureAnswer:
    """One request."""
    return ErasureAnswer(
        id=row.id,
        subject_id=row.subject_id,
        ground=row.ground,
        ground_text=worded(f"erasure-ground.{row.ground}", locale),
        state=row.state,
        state_text=worded(f"erasure-state.{row.state}", locale),
        obstacles=[_kept_obstacle(each, locale=locale) for each in row.obstacles],
        until=row.until,
        reason_code=row.reason_code,
        reason_text=None if row.reason_code is None else worded(f"erasure-reject.{row.reason_code}", locale),
        shown_hash=row.shown_hash,
        commitment=row.commitment,
        figures=row.figures,
        requested_by=row.requested_by,
        endorsed_by=row.endorsed_by,
        decided_by=row.decided_by,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
        erased_at=row.erased_at,
        certified_at=row.certified_at,
    )


def _kept_obstacle(kept: dict[str, Any], *, locale: str) -> ObstacleAnswer:
    until = kept.get("until")
    return ObstacleAnswer(
        rule=kept["rule"],
        rule_text=worded(f"retention-rule.{kept['rule']}", locale),
        until=None if until is None else date.fromisoformat(until),
    )


def obstacle_answer(obstacle: Obstacle, *, locale: str) -> ObstacleAnswer:
    """One obstacle."""
    return ObstacleAnswer(
        rule=obstacle.rule, rule_text=worded(f"retention-rule.{obstacle.rule}", locale), until=obstacle.until
    )


def period_answer(period: Obstacle, *, today: date, locale: str) -> PeriodAnswer:
    """One period."""
    return PeriodAnswer(
        rule=period.rule,
        rule_text=worded(f"retention-rule.{period.rule}", locale),
        event_on=period.event_on,
        until=period.until,
        over=period.until is not None and period.until < today,
    )


def hold_answer(row: LegalHold, *, locale: str) -> HoldAnswer:
    """One legal hold."""
    return HoldAnswer(
        id=row.id,
        subject_id=row.subject_id,
        reason=row.reason_code,
        reason_text=worded(f"hold-reason.{row.reason_code}", locale),
        reference=row.reference,
        state=row.state,
        state_text=worded(f"hold-state.{row.state}", locale),
        stands=row.state in STANDING,
        shown_hash=row.shown_hash,
        placed_by=row.placed_by,
        confirmed_by=row.confirmed_by,
        release_reason=row.release_reason,
        release_hash=row.release_hash,
        release_asked_by=row.release_asked_by,
        released_by=row.released_by,
        placed_at=row.placed_at,
        ended_at=row.ended_at,
    )


def rule_answer(rule: RetentionRule, *, policy: RetentionPolicy, locale: str) -> RetentionRuleAnswer:
    """One retention rule as the institution has set it."""
    return RetentionRuleAnswer(
        id=rule.id,
        text=worded(f"retention-rule.{rule.id}", locale),
        anchor=rule.anchor.value,
        anchor_text=worded(f"retention-anchor.{rule.anchor.value}", locale),
        years=policy.years_of(rule),
        default_years=rule.years,
        by_law=rule.by_law,
        source=rule.source,
    )


def field_answer(entry: PersonalField, *, policy: RetentionPolicy, locale: str) -> PersonalFieldAnswer:
    """One entry of the catalogue."""
    words = words_of(entry, locale=locale)
    return PersonalFieldAnswer(
        id=entry.id,
        name=words["name"],
        places=list(entry.places),
        inside=entry.inside,
        inputs=list(entry.inputs),
        storage=entry.storage.value,
        storage_text=words["storage"],
        data_class=entry.data_class.value,
        class_text=words["class"],
        sensitivity=entry.sensitivity.value,
        sensitivity_text=words["sensitivity"],
        grade=entry.grade.value,
        grade_text=words["grade"],
        mask=entry.mask.value,
        mask_text=words["mask"],
        purpose=entry.purpose.value,
        purpose_text=words["purpose"],
        retention_rule=entry.retention,
        retention_years=policy.years_of(RULES[entry.retention]),
        retention_text=words["retention"],
        export=entry.export.value,
        export_text=words["export"],
    )
