"""Impact assessments (个人信息保护影响评估) at the edge: words are sealed and opened, the second person is asked."""

from datetime import datetime
from typing import Any, Final

from api.bodies import known_token
from api.deps import ApiDeps
from api.identity.principal import Principal
from api.registers.assessment_bodies import (
    AssessmentAnswer,
    AssessmentBody,
    AssessmentItem,
    TriggerAnswer,
)
from api.wording import worded
from compliance.audit.deeds import shown_hash
from compliance.vault.cells import RowAddress
from models.domain.assessments import ALLOWING, AssessmentState
from models.domain.canonical import digest
from models.domain.shanghai import shanghai_date
from models.errors import FieldFault, FormInvalid, FourEyesViolation, NotFound, ShownChanged, WrongState
from models.operations.assessments import AssessmentContent
from models.queries.assessments import assessment_by_id
from models.tables.assessments import ImpactAssessment

_SECTIONS: Final = ("necessity", "risk", "measures")


def check_body(body: AssessmentBody, *, now: datetime) -> None:
    """Ask what the shape does not say.

    Raises:
        FormInvalid: it would be good for no day, or names an occasion twice.
    """
    faults = []
    if body.valid_until < shanghai_date(now):
        faults.append(FieldFault(pointer="/validUntil", code="ends-before-it-begins"))
    if len(set(body.triggers)) != len(body.triggers):
        faults.append(FieldFault(pointer="/triggers", code="named-twice"))
    if faults:
        raise FormInvalid(faults=tuple(faults))


def sealed_content(deps: ApiDeps, body: AssessmentBody, *, tenant: str, assessment_id: str) -> AssessmentContent:
    """The content with its words sealed under the record's own key, which is committed before the row; blocking."""
    deps.vault.create_subject(tenant=tenant, subject_id=assessment_id)
    words = {f"{name}_cell": getattr(body, name) for name in _SECTIONS}
    cells = deps.vault.seal_many(_row(tenant, assessment_id), words)
    return AssessmentContent(
        activity=body.activity,
        triggers=tuple(body.triggers),
        necessity_cell=cells["necessity_cell"],
        risk_cell=cells["risk_cell"],
        measures_cell=cells["measures_cell"],
        conclusion=body.conclusion,
        content_hash=digest(body.model_dump(mode="json", by_alias=True)),
        valid_until=body.valid_until,
    )


def assessment_for(deps: ApiDeps, principal: Principal, assessment_id: str) -> ImpactAssessment:
    """An assessment of the caller's institution; blocking.

    Raises:
        NotFound: there is none.
    """
    with deps.database.read() as session:
        found = assessment_by_id(session, known_token(assessment_id), tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def hash_of(row: ImpactAssessment) -> str:
    """The hash of what both persons see."""
    return shown_hash({"assessment": row.id, "revision": row.revision, "content": row.content_hash})


def check_second_person(principal: Principal, row: ImpactAssessment, *, shown: str) -> None:
    """The first of the three layers: the API asks before it tries.

    Raises:
        WrongState, FourEyesViolation, ShownChanged: why not.
    """
    if row.state != AssessmentState.REVIEW:
        raise WrongState(params={"state": row.state})
    if principal.person_id in row.made_by:
        raise FourEyesViolation
    if row.shown_hash != shown:
        raise ShownChanged


def item_of(row: ImpactAssessment, *, now: datetime, locale: str) -> AssessmentItem:
    """An assessment without its words."""
    return AssessmentItem(**_fields(row, now, locale))


def answer_of(deps: ApiDeps, row: ImpactAssessment, *, now: datetime, locale: str) -> AssessmentAnswer:
    """An assessment with its words; blocking."""
    cells = {f"{name}_cell": getattr(row, f"{name}_cell") for name in _SECTIONS}
    present = {column: cell for column, cell in cells.items() if cell is not None}
    clear = deps.vault.open_many_text(_row(row.tenant, row.id), present) if present else {}
    words = {name: clear.get(f"{name}_cell") for name in _SECTIONS}
    return AssessmentAnswer(**_fields(row, now, locale), **words)


def _row(tenant: str, assessment_id: str) -> RowAddress:
    return RowAddress(tenant, "impact_assessments", assessment_id, assessment_id)


def _fields(row: ImpactAssessment, now: datetime, locale: str) -> dict[str, Any]:
    approved, expired = row.state == AssessmentState.APPROVED, row.valid_until < shanghai_date(now)
    reason = row.return_reason
    return {
        "id": row.id,
        "activity": row.activity,
        "triggers": [
            TriggerAnswer(code=code, text=worded(f"assessment-trigger.{code}", locale)) for code in row.triggers
        ],
        "conclusion": row.conclusion,
        "conclusion_text": worded(f"assessment-conclusion.{row.conclusion}", locale),
        "state": row.state,
        "state_text": worded(f"assessment-state.{row.state}", locale),
        "in_force": approved and not expired and row.conclusion in ALLOWING,
        "expired": approved and expired,
        "valid_until": row.valid_until,
        "approved_at": row.approved_at,
        "kept_until": row.kept_until,
        "drafted_by": row.drafted_by,
        "decided_by": row.decided_by,
        "return_reason": reason,
        "return_reason_text": worded(f"assessment-return.{reason}", locale) if reason is not None else None,
        "shown_hash": row.shown_hash if row.state != AssessmentState.DRAFT else None,
        "content_hash": row.content_hash,
        "revision": row.revision,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
