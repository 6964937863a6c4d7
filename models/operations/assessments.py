"""Writes about impact assessments (个人信息保护影响评估): drafted by makers, reviewed, approved by another person."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final

from sqlmodel import Session, col, update

from models.domain.assessments import (
    MODEL_ACTIVITY,
    SET_UP_VALID_YEARS,
    AssessmentState,
    AssessmentTrigger,
    Conclusion,
    kept_until,
    years_after,
)
from models.domain.canonical import digest
from models.domain.shanghai import SHANGHAI, shanghai_date
from models.domain.tokens import new_token
from models.errors import FourEyesViolation, NotFound, ShownChanged, StaleVersion, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_makers
from models.tables.assessments import ImpactAssessment

SET_UP: Final = "operator"  # an assessment that an institution brings along; approved outside, past two persons here


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class AssessmentContent:
    """What an assessment says; the words come in sealed, under the committed key of the record.

    Attributes:
        content_hash: over codes and words in clear.
        valid_until: the last day on which it is good.
    """

    activity: str
    triggers: tuple[AssessmentTrigger, ...]
    necessity_cell: bytes
    risk_cell: bytes
    measures_cell: bytes
    conclusion: Conclusion
    content_hash: str
    valid_until: date

    def columns(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "activity": self.activity,
            "triggers": [each.value for each in self.triggers],
            "necessity_cell": self.necessity_cell,
            "risk_cell": self.risk_cell,
            "measures_cell": self.measures_cell,
            "conclusion": self.conclusion.value,
            "content_hash": self.content_hash,
            "valid_until": self.valid_until,
        }


def draft_assessment(
    session: Session, content: AssessmentContent, *, assessment_id: str, by: By, now: datetime
) -> None:
    """Write a new assessment."""
    session.add(
        ImpactAssessment(
            id=assessment_id,
            tenant=by.tenant,
            state=AssessmentState.DRAFT,
            made_by=[by.person_id],
            drafted_by=by.staff_id,
            created_at=now,
            updated_at=now,
            **content.columns(),
        )
    )
    session.flush()


def change_assessment(
    session: Session,
    content: AssessmentContent,
    *,
    assessment_id: str,
    read_revision: int,
    by: By,
    now: datetime,
) -> None:
    """Put other words into a draft; whoever does so is one of its makers.

    Raises:
        NotFound, WrongState, StaleVersion: why not; nothing is changed.
    """
    row = _draft(session, assessment_id, tenant=by.tenant, read_revision=read_revision)
    _move(session, row, made_by=sorted({*row.made_by, by.person_id}), updated_at=now, **content.columns())


def submit_assessment(
    session: Session, *, assessment_id: str, read_revision: int, shown_hash: str, by: By, now: datetime
) -> None:
    """Freeze a draft for the second person, who is bound to what was shown.

    Raises:
        NotFound, WrongState, StaleVersion: why not; nothing is changed.
    """
    row = _draft(session, assessment_id, tenant=by.tenant, read_revision=read_revision)
    makers = sorted({*row.made_by, by.person_id})
    _move(
        session,
        row,
        state=AssessmentState.REVIEW,
        shown_hash=shown_hash,
        made_by=makers,
        return_reason=None,
        updated_at=now,
    )
    stand_as_makers(session, tenant=by.tenant, subject=shown_hash, persons=tuple(makers), now=now)


def approve_assessment(session: Session, *, assessment_id: str, shown_hash: str, by: By, now: datetime) -> None:
    """Approve as the second person; from now on it answers rule PIPL-55, until its last day.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why not; nothing is changed.
    """
    row = session.get(ImpactAssessment, assessment_id)
    last = row.valid_until if row is not None else shanghai_date(now)
    _decide(
        session,
        assessment_id,
        shown_hash=shown_hash,
        by=by,
        now=now,
        state=AssessmentState.APPROVED,
        approved_at=now,
        kept_until=kept_until(approved_on=shanghai_date(now), valid_until=last),
    )


def return_assessment(
    session: Session, *, assessment_id: str, shown_hash: str, reason_code: str, by: By, now: datetime
) -> None:
    """Give it back to its makers.

    Raises:
        NotFound, WrongState, ShownChanged, FourEyesViolation: why not; nothing is changed.
    """
    _decide(
        session,
        assessment_id,
        shown_hash=shown_hash,
        by=by,
        now=now,
        state=AssessmentState.DRAFT,
        return_reason=reason_code,
    )


def model_assessment(tenant: str, *, approved_on: date, now: datetime) -> ImpactAssessment:
    """What an institution brings along at set-up: its approved assessment of the affordability model, kept on paper."""
    valid_until = years_after(approved_on, SET_UP_VALID_YEARS)
    triggers = [AssessmentTrigger.SENSITIVE_DATA.value, AssessmentTrigger.AUTOMATED_DECISION.value]
    said = {"activity": MODEL_ACTIVITY, "approvedOn": approved_on.isoformat(), "triggers": triggers}
    return ImpactAssessment(
        id=new_token("pia"),
        tenant=tenant,
        activity=MODEL_ACTIVITY,
        triggers=triggers,
        conclusion=Conclusion.PROCEED_WITH_MEASURES,
        content_hash=digest(said),
        valid_until=valid_until,
        state=AssessmentState.APPROVED,
        made_by=[],
        drafted_by=SET_UP,
        decided_by=SET_UP,
        approved_at=datetime.combine(approved_on, time(), SHANGHAI).astimezone(UTC),
        kept_until=kept_until(approved_on=approved_on, valid_until=valid_until),
        created_at=now,
        updated_at=now,
    )


def _decide(session: Session, assessment_id: str, *, shown_hash: str, by: By, now: datetime, **values: object) -> None:
    decided = session.execute(
        update(ImpactAssessment)
        .where(
            col(ImpactAssessment.id) == assessment_id,
            col(ImpactAssessment.tenant) == by.tenant,
            col(ImpactAssessment.state) == AssessmentState.REVIEW,
            col(ImpactAssessment.shown_hash) == shown_hash,
            ~is_maker(shown_hash=col(ImpactAssessment.shown_hash), person_id=by.person_id),
        )
        .values(decided_by=by.staff_id, revision=col(ImpactAssessment.revision) + 1, updated_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not decided.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise _why_not_decided(session, assessment_id, shown_hash=shown_hash, tenant=by.tenant)
    stand_as_checker(
        session, tenant=by.tenant, subject=shown_hash, person_id=by.person_id, record_id=assessment_id, now=now
    )


def _why_not_decided(session: Session, assessment_id: str, *, shown_hash: str, tenant: str) -> Exception:
    row = session.get(ImpactAssessment, assessment_id, populate_existing=True)
    if row is None or row.tenant != tenant:
        return NotFound()
    if row.state != AssessmentState.REVIEW:
        return WrongState(params={"state": row.state})
    return ShownChanged() if row.shown_hash != shown_hash else FourEyesViolation()


def _draft(session: Session, assessment_id: str, *, tenant: str, read_revision: int) -> ImpactAssessment:
    row = session.get(ImpactAssessment, assessment_id, populate_existing=True)
    if row is None or row.tenant != tenant:
        raise NotFound
    if row.state != AssessmentState.DRAFT:
        raise WrongState(params={"state": row.state})
    if row.revision != read_revision:
        raise StaleVersion(params={"currentVersion": row.revision})
    return row


def _move(session: Session, row: ImpactAssessment, **values: object) -> None:
    """Change a draft in the revision that was read.

    Raises:
        StaleVersion: somebody else was first.
    """
    moved = session.execute(
        update(ImpactAssessment)
        .where(col(ImpactAssessment.id) == row.id, col(ImpactAssessment.revision) == row.revision)
        .values(revision=row.revision + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise StaleVersion
