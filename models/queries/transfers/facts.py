"""The facts that the gates of a transfer job ask for, read from the records; what is not on record is left out.

What a record can tell is never taken from what somebody has stated: statements stand behind everything else, and each
names the evidence it rests on. A fact that nobody knows blocks.
"""

from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.domain.transfers.evidence import LEGAL_OPINION
from models.domain.transfers.states import LegalClass
from models.queries.transfers.facts_departed import departed_facts
from models.queries.transfers.facts_moved import moved_facts
from models.queries.transfers.facts_planned import plan_facts
from models.queries.transfers.facts_stated import stated_facts
from models.queries.transfers.facts_told import told_facts
from models.queries.transfers.jobs import evidence_kinds
from models.tables.staff import Staff, StaffRole
from models.tables.transfers import TransferJob

TRANSFER_GATES: Final = frozenset(gate for gate in Gate if gate.value.startswith("transfers."))


def transfer_facts(session: Session, *, gate: Gate, job: TransferJob, now: datetime) -> dict[str, object]:
    """The facts for one gate of one job, as they are at `now`."""
    stated = stated_facts(session, job.token)
    known: dict[str, object] = event_facts(session, job, stated) | plan_facts(session, job, now=now)
    known |= moved_facts(session, job, now=now)
    if gate in (Gate.TRANSFER_NOTIFY, Gate.TRANSFER_CLAIMS):
        known |= told_facts(session, job, stated, now=now)
    if gate is Gate.TRANSFER_AFTER_CUT_OVER:
        known |= departed_facts(session, job)
    if gate is Gate.TRANSFER_AUDIT:
        known |= _audit_facts(session, job, now=now)
    return stated | known


def event_facts(session: Session, job: TransferJob, stated: dict[str, Any]) -> dict[str, object]:
    """The class on record, its evidence on file, and whether an opinion allows notice without consent."""
    kinds = evidence_kinds(session, job.token)
    opinion = str(stated.get("notice_only_opinion", "")) if LEGAL_OPINION in kinds else ""
    abroad = LegalClass.G.value in job.classes
    return {
        "transfer_classes": tuple(job.classes),
        "transfer_evidence": tuple(sorted(kinds)),
        "notice_only_opinion": opinion,
        "export_abroad": abroad,
        "recipient_abroad": abroad,
    }


def _audit_facts(session: Session, job: TransferJob, *, now: datetime) -> dict[str, object]:
    """Who answers for protection; the record of the processing is the audit log, of which nothing is ever deleted."""
    officer = session.exec(
        select(StaffRole.staff_id)
        .join(Staff, col(Staff.id) == col(StaffRole.staff_id))
        .where(col(Staff.tenant) == job.tenant, col(Staff.active).is_(True), col(StaffRole.role) == "privacy-officer")
        .limit(1)
    ).first()
    return {"audit_asked_on": shanghai_date(now), "audit_officer": officer is not None}
