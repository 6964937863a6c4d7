"""Reads about impact assessments (个人信息保护影响评估): the register, and what it says to rule PIPL-55."""

from datetime import date, datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from models.domain.assessments import ALLOWING, AssessmentState
from models.domain.shanghai import shanghai_date
from models.tables.assessments import ImpactAssessment

Position = tuple[datetime, str]


def assessment_by_id(session: Session, assessment_id: str, *, tenant: str) -> ImpactAssessment | None:
    """An assessment of the tenant."""
    row = session.get(ImpactAssessment, assessment_id)
    return row if row is not None and row.tenant == tenant else None


def list_assessments(
    session: Session,
    *,
    tenant: str,
    activity: str | None,
    state: str | None,
    expired_on: date | None,
    after: Position | None,
    limit: int,
) -> list[ImpactAssessment]:
    """Assessments, newest first, at most `limit`; `expired_on`: approved ones that are not good on that day."""
    query = select(ImpactAssessment).where(col(ImpactAssessment.tenant) == tenant)
    if activity is not None:
        query = query.where(col(ImpactAssessment.activity) == activity)
    if state is not None:
        query = query.where(col(ImpactAssessment.state) == state)
    if expired_on is not None:
        query = query.where(
            col(ImpactAssessment.state) == AssessmentState.APPROVED, col(ImpactAssessment.valid_until) < expired_on
        )
    if after is not None:
        query = query.where(tuple_(col(ImpactAssessment.created_at), col(ImpactAssessment.id)) < tuple_(*after))
    ordered = query.order_by(col(ImpactAssessment.created_at).desc(), col(ImpactAssessment.id).desc())
    return list(session.exec(ordered.limit(limit)).all())


def assessment_approved_at(
    session: Session, *, tenant: str, activity: str, started_at: datetime | None
) -> datetime | None:
    """When the assessment was approved that stands behind a processing which began at `started_at`.

    The newest one that was approved before and was still good then; where there is none, the first one approved
    afterwards, which came too late. None: nothing that would allow it was ever approved, or it had run out.
    """
    rows = session.exec(
        select(ImpactAssessment)
        .where(
            col(ImpactAssessment.tenant) == tenant,
            col(ImpactAssessment.activity) == activity,
            col(ImpactAssessment.state) == AssessmentState.APPROVED,
            col(ImpactAssessment.conclusion).in_([each.value for each in ALLOWING]),
        )
        .order_by(col(ImpactAssessment.approved_at))
    ).all()
    approved = [(row.approved_at, row.valid_until) for row in rows if row.approved_at is not None]
    if started_at is None:
        return approved[-1][0] if approved else None
    day = shanghai_date(started_at)
    good = [at for at, until in approved if at < started_at and day <= until]
    if good:
        return good[-1]
    return next((at for at, _ in approved if at >= started_at), None)
