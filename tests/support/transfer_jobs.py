"""A transfer job in the records, with everything that its gates ask for; each test takes one thing away."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from compliance.policy import ask_gate
from compliance.rules.evaluate import blocks
from compliance.rules.fact_table import FACTS
from compliance.rules.facts import facts_needed, spelled_fact
from compliance.rules.results import Verdict
from models.domain.assessments import AssessmentState, Conclusion
from models.domain.roles import Role
from models.domain.security_words import AUDIT_POINTS
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.domain.tokens import new_case_token, new_token
from models.domain.transfers.evidence import EVIDENCE_KINDS
from models.domain.transfers.plan import Plan
from models.domain.transfers.plan_templates import template
from models.domain.transfers.states import BackupState, JobStage, NoticeState, WaveState
from models.operations.four_eyes import By
from models.operations.transfers.jobs import NewPlan, create_job
from models.queries.transfers.facts import transfer_facts
from models.tables.assessments import ImpactAssessment
from models.tables.staff import Staff, StaffRole
from models.tables.tenants import Tenant
from models.tables.transfer_jobs import TransferEvidence, TransferFact
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferBackup, TransferJob, TransferRow, TransferSource, TransferWave
from tests.support.training import sponsored

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY: Final = shanghai_date(NOW)
SOURCE, TARGET = "seller", "main"

# What people state for a sale of business (class E) with a recipient abroad, so that every gate can be asked.
STATED: Final[dict[str, Any]] = {
    "transferred": "portfolio",
    "transfer_event": "asset-sale",
    "recipient_abroad": True,
    "change_decided_on": date(2026, 10, 1),
    "change_filed_on": date(2026, 10, 20),
    "register_changed_on": date(2026, 10, 25),
    "tax_register_changed_on": date(2026, 11, 10),
    "registered_items_changed": ("name",),
    "registered_items_filed": ("name",),
    "change_relied_on_before_register": False,
    "contractor_passed_on": False,
    "crypto_required": False,
    "log_scan_hits": 0,
    "guarantors_of_claims": 0,
    "guarantors_told": 0,
    "notice_revoked_alone": False,
    "contracts_move": False,
    "counterparty_consented": True,
    "inside_consent": True,
    "sensitive_involved": True,
    "children_involved": False,
    "guardian_consented": True,
    "asks_after_refusal": 0,
    "has_successor": True,
    "claim_assignability": "ok",
    "late_fee_charged": False,
    "debt_joined": False,
    "debt_moves": False,
    "payment_made_at": NOW + timedelta(days=1),
    "payment_credited_to": "assignee",
    "accessory_rights": 3,
    "accessory_rights_moved": 3,
    "defences_known": 1,
    "defences_moved": 1,
    "counterclaims_known": 0,
    "counterclaims_moved": 0,
    "due_diligence": "current",
    "agent_acts": False,
    "export_path": "standard-contract",
    "recipient_level_secured": True,
    "foreign_authority_asks": False,
    "export_basis": "standard-contract",
    "export_notice_items": (
        "recipient-name",
        "recipient-contacts",
        "purpose",
        "method",
        "data-kinds",
        "how-to-exercise-rights",
    ),
    "export_consented_apart": True,
    "critical_operator": False,
    "large_handler": False,
    "stored_in_china": True,
    "export_sensitive_persons": 3,
    "export_important_data": False,
    "own_contract_needs_it": False,
    "old_store_state": "locked",
    "old_store_statutory_until": date(2036, 12, 1),
    "audit_made_on": date(2026, 11, 20),
    "audit_points": AUDIT_POINTS,
    "recipient_supervised": True,
    "processing_record_made_on": date(2026, 11, 20),
    "processing_record_kept_until": date(2029, 12, 1),
}


@dataclass
class RecordedJob:
    """A job of class E and G in the records."""

    session: Session
    job: TransferJob

    def ask(self, gate: Gate) -> tuple[Verdict, ...]:
        """What the rules of a gate say of it now."""
        self.session.flush()
        self.session.refresh(self.job)
        facts = transfer_facts(self.session, gate=gate, job=self.job, now=NOW)
        return ask_gate(self.session, self.job.tenant, gate, facts, as_of=TODAY)

    def barred_by(self, gate: Gate) -> list[str]:
        """The rules that stand against it."""
        return [each.rule_id for each in self.ask(gate) if blocks(result=each.result, severity=each.severity)]

    def state(self, name: str, value: Any) -> None:
        """Replace a statement."""
        kind = FACTS[name].kind.name.lower()
        self.session.merge(
            TransferFact(
                job=self.job.token,
                name=name,
                tenant=self.job.tenant,
                value={"value": spelled_fact(value), "kind": kind},
                stated_by="stf_x",
                stated_at=NOW,
            )
        )

    def plan(self, **changes: Any) -> None:
        """Change the plan."""
        self.job.plan = self.job.plan | changes
        self.session.add(self.job)


def recorded_job(session: Session) -> RecordedJob:
    """Everything that the gates of this job ask for is there."""
    for code in (TARGET, SOURCE):
        if session.get(Tenant, code) is None:
            session.add(Tenant(code=code, name=code, created_at=NOW))
    session.flush()
    staff = _staff(session)
    assessment = _assessment(session)
    evidence = {kind: new_token("tev") for kind in EVIDENCE_KINDS}
    sent = template(("E", "G"), cutover_on=date(2026, 12, 1), staff=staff.id) | {
        "impactAssessment": assessment.id,
        "securityAssessment": evidence["security-assessment"],
    }
    plan = Plan.read(sent, classes=("E", "G"))
    job = TransferJob(
        token=new_case_token(TARGET),
        tenant=TARGET,
        source_tenant=SOURCE,
        branch="hq",
        classes=["E", "G"],
        plan=plan.record(),
        plan_hash=plan.hash(),
        stage=JobStage.CLASSIFYING.value,
        created_by=staff.id,
        created_by_person=staff.person_id,
        created_at=NOW,
        updated_at=NOW,
    )
    new = NewPlan(plan=job.plan, plan_hash=job.plan_hash, error_budget=5)
    create_job(session, job, new, by=By(tenant=TARGET, staff_id=staff.id, person_id=staff.person_id), now=NOW)
    recorded = RecordedJob(session, job)
    for name, value in STATED.items():
        recorded.state(name, value)
    for kind, evidence_id in evidence.items():
        session.add(
            TransferEvidence(
                id=evidence_id,
                tenant=TARGET,
                job=job.token,
                kind=kind,
                digest="0" * 64,
                reference="archive/1",
                added_by=staff.id,
                added_by_person=staff.person_id,
                added_at=NOW,
            )
        )
    _moved(session, job)
    session.flush()
    sponsored(session, job.token, tenant=TARGET)
    return recorded


def _staff(session: Session) -> Staff:
    staff = Staff(
        id=new_token("stf"),
        tenant=TARGET,
        person_id=new_token("prs"),
        login=f"officer-{new_token('x')[-6:]}",
        name="Officer",
        branch="hq",
        created_at=NOW,
    )
    session.add(staff)
    session.flush()
    session.add(StaffRole(staff_id=staff.id, role=Role.PRIVACY_OFFICER.value))
    return staff


def _assessment(session: Session) -> ImpactAssessment:
    row = ImpactAssessment(
        id=new_token("pia"),
        tenant=TARGET,
        activity="company-transfer",
        triggers=["provision"],
        necessity_cell=b"sealed",
        risk_cell=b"sealed",
        measures_cell=b"sealed",
        conclusion=Conclusion.PROCEED.value,
        content_hash="0" * 64,
        valid_until=date(2029, 1, 1),
        state=AssessmentState.APPROVED.value,
        made_by=[],
        drafted_by="stf_x",
        approved_at=NOW - timedelta(days=10),
        kept_until=date(2032, 1, 1),
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(row)
    session.flush()
    return row


def _moved(session: Session, job: TransferJob) -> None:
    """Proven backups before the first write, three persons moved, told, and with their consent."""
    for side, tenant in (("source", SOURCE), ("target", TARGET)):
        session.add(
            TransferBackup(
                id=new_token("tbk"),
                tenant=tenant,
                job=job.token,
                side=side,
                state=BackupState.PROVEN.value,
                made_at=NOW - timedelta(hours=3),
                proven_at=NOW - timedelta(hours=2),
            )
        )
    source = TransferSource(
        id=new_token("tsr"), tenant=TARGET, job=job.token, number=1, kind="csv", place="a.csv", mapping_hash="0" * 64,
        read_rows=3, finished_at=NOW - timedelta(hours=2),
    )  # fmt: skip
    session.add(source)
    session.flush()
    session.add(
        TransferWave(
            job=job.token, number=1, tenant=TARGET, state=WaveState.MOVED.value, rows=3,
            begun_at=NOW - timedelta(hours=1),
        )
    )  # fmt: skip
    for number in (1, 2, 3):
        session.add(
            TransferRow(
                job=job.token,
                number=number,
                tenant=TARGET,
                source=source.id,
                line=number,
                subject_id=new_token("sub"),
                row_cell=b"sealed",
                outcome="accepted",
                move="moved",
                wave=1,
            )
        )
        session.add(
            TransferNotice(
                id=new_token("tnt"),
                tenant=TARGET,
                job=job.token,
                row_number=number,
                subject_id=new_token("sub"),
                language="zh-CN",
                text_version="v1",
                state=NoticeState.DELIVERED.value,
                channel="sms",
                due_at=NOW,
                consent="given",
                told_at=NOW - timedelta(minutes=30),
            )
        )


def needed(gate: Gate) -> set[str]:
    """Every fact that a gate may ask for."""
    return set(facts_needed(gate))
