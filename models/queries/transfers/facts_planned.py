"""What the plan of a job says to the rules, together with the registers that it names."""

from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session

from models.domain.assessments import ALLOWING, AssessmentState
from models.domain.personal_data_words import ASSESSMENT_SECTIONS
from models.domain.shanghai import shanghai_date
from models.domain.transfers.evidence import SECURITY_ASSESSMENT, UNDERTAKING
from models.queries.transfers.jobs import evidence_kinds, first_processing
from models.tables.assessments import ImpactAssessment
from models.tables.transfer_jobs import TransferEvidence
from models.tables.transfers import TransferJob

_NOTICE_ITEMS: Final = {
    "contacts": "recipient-contacts",
    "purpose": "purpose",
    "method": "method",
    "kinds": "data-kinds",
}


def plan_facts(session: Session, job: TransferJob, *, now: datetime) -> dict[str, object]:
    """Facts of the plan in force; nothing where there is none."""
    plan = job.plan
    if not plan:
        return {}
    scope, contractors = plan["scope"], plan["contractors"]
    kinds = evidence_kinds(session, job.token)
    facts: dict[str, object] = {
        "data_grade": scope["dataGrade"],
        "cutover_on": date.fromisoformat(plan["cutoverOn"]),
        "recipient_same_purposes": scope["samePurposes"],
        "recipient_undertaking": UNDERTAKING in kinds,
        "recipient_contract": "recipient-contract" in kinds,
        "transfer_assessed": _is_assessed(session, job),
        "contractors_used": bool(contractors),
        "processing_started_at": first_processing(session, job.token) or now,
        "recipient_notice_items": _notice_items(plan["notice"]),
    }
    if contractors:
        facts |= {
            "contractor_terms": tuple(sorted(set.intersection(*(set(each["terms"]) for each in contractors)))),
            "contractor_passed_on": any(each["passedOn"] for each in contractors),
            "contractor_deletion_proof": all(each["deletionProof"] for each in contractors),
        }
    if not scope["claims"]:
        facts |= {"contracts_move": False, "debt_moves": False, "debt_joined": False}
    return facts | _assessment_facts(session, job, now=now)


def _assessment_facts(session: Session, job: TransferJob, *, now: datetime) -> dict[str, object]:
    """The impact assessment that the plan names, if it was approved, allows the job and has not run out."""
    named = job.plan.get("impactAssessment")
    row = session.get(ImpactAssessment, named) if named is not None else None
    if row is None or row.tenant != job.tenant or row.state != AssessmentState.APPROVED or row.approved_at is None:
        return {}
    if row.conclusion not in ALLOWING or row.valid_until < shanghai_date(now):
        return {}
    sections = (row.necessity_cell, row.risk_cell, row.measures_cell)
    return {
        "pia_approved_at": row.approved_at,
        "assessment_sections": ASSESSMENT_SECTIONS if all(cell is not None for cell in sections) else (),
        "assessment_made_on": shanghai_date(row.approved_at),
        **({"assessment_kept_until": row.kept_until} if row.kept_until is not None else {}),
    }


def _is_assessed(session: Session, job: TransferJob) -> bool:
    """The security assessment that the plan names is on file (安全评估)."""
    named = job.plan.get("securityAssessment")
    row = session.get(TransferEvidence, named) if named is not None else None
    return row is not None and row.job == job.token and row.kind == SECURITY_ASSESSMENT


def _notice_items(notice: dict[str, Any]) -> tuple[str, ...]:
    """What customers are told of the recipient; the name is the institution's own where the plan gives none."""
    if not notice:
        return ()
    return ("recipient-name", *(item for name, item in _NOTICE_ITEMS.items() if notice.get(name)))
