"""A transfer job as it stands when the auditor comes, with generated people."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from compliance.audit.deeds import Deed, canonical_json
from compliance.audit.seal import seal_keys, seal_pending
from compliance.audit.unit import unit_of_work
from compliance.transfers.proof_keys import job_proof_key
from compliance.vault.customer_layout import Customer, seal_customers
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import seal_rows
from models.database.engine import Database
from models.domain.tokens import named_token, uuid7
from models.tables.customers import CustomerRecord
from models.tables.installments import RuleVerdict
from models.tables.tasks import Decision, Task
from models.tables.tenants import Tenant
from models.tables.transfer_notices import TransferFollowUp, TransferNotice, TransferNoticeAttempt
from models.tables.transfers import (
    TransferBackup,
    TransferChange,
    TransferJob,
    TransferPair,
    TransferRow,
    TransferSource,
    TransferWave,
)
from tests.support.clock import MONDAY_MORNING
from tests.support.people import people
from tests.support.training import sponsored

TARGET, SOURCE = "main", "north"
JOB = "main.0123456789abcdefghjkmnpqrs"
PLAN_HASH = hashlib.sha256(b"plan").hexdigest()
ROOT = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(10)]


@dataclass(slots=True)
class AuditedJob:
    """Writes a whole job. Each method leaves out nothing; a test then breaks one thing."""

    database: Database
    vault: Vault
    anchor: Path
    moved: int = 19
    merged: int = 4
    rejected: int = 3
    held: int = 0
    start: datetime = MONDAY_MORNING - timedelta(days=1)
    job: str = JOB
    records: list[str] = field(default_factory=list)

    def build(self) -> "AuditedJob":
        """Everything, sealed into the log."""
        for tenant in (TARGET, SOURCE):
            self.vault.ensure_tenant(tenant)
        with self._unit("transfer.created") as unit:
            self._tenants(unit.session)
            unit.session.flush()
            unit.session.add(self._job())
            unit.session.flush()
            sponsored(unit.session, self.job, tenant=TARGET)
            self._approvals(unit.session)
            self._gates(unit.session)
            self._backups(unit.session)
            self._sources(unit.session)
            unit.session.flush()
        self._rows()
        self.note("transfer.reconciled", {"differs": []}, after=timedelta(hours=3))
        self.note(
            "transfer.drilled",
            {"fault": "worker-killed", "recovered": True, "rtoMs": 1800, "rpoRecords": 0},
            after=timedelta(hours=4),
        )
        self.seal()
        return self

    def note(self, action: str, facts: dict[str, Any], *, after: timedelta) -> None:
        """One more event of the job."""
        with self._unit(action, facts, after=after):
            pass

    def seal(self) -> None:
        """One round of the sealer."""
        seal_pending(self.database, seal_keys(self.vault), now=self.start, anchor=self.anchor, limit=10_000)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _unit(self, action: str, facts: dict[str, Any] | None = None, *, after: timedelta = timedelta()) -> Any:
        deed = Deed(
            tenant=TARGET, action=action, target=self.job, actor="workflow", at=self.start + after, facts=facts or {}
        )
        return unit_of_work(self.database, deed)

    def _tenants(self, session: Session) -> None:
        target = session.get(Tenant, TARGET) or Tenant(code=TARGET, name="", created_at=self.start)
        target.name, target.hotline, target.complaints = "示例商业银行股份有限公司", "400-000-0000", "400-000-0001"
        session.add(target)
        session.add(Tenant(code=SOURCE, name="北方示例银行股份有限公司", created_at=self.start))

    def _job(self) -> TransferJob:
        return TransferJob(
            token=self.job, tenant=TARGET, source_tenant=SOURCE, branch="hq", classes=["C"], plan_hash=PLAN_HASH,
            plan={"cost": {"projectMinor": 100_000, "staffMinorPerHour": 9_000}},
            stage="auditing", created_by="stf_planner", created_by_person="per_planner", created_at=self.start,
            updated_at=self.start,
        )  # fmt: skip

    def _approvals(self, session: Session) -> None:
        for number, (company, staff) in enumerate((("target", "stf_chen"), ("source", "stf_wang"))):
            at, shown = self.start + timedelta(minutes=10 + number), {"side": company, "planHash": PLAN_HASH}
            task = Task(
                id=named_token("tsk", f"{self.job}/{number}"), tenant=TARGET, workflow_id=f"transfers/{self.job}",
                task_no=number, case_token=self.job, type="transfers.plan-approval", state="DONE",
                candidate_role="approver", branch="hq", due_at=at, shown=shown, shown_hash=PLAN_HASH,
                created_at=at, updated_at=at, closed_at=at,
            )  # fmt: skip
            session.add(task)
            session.flush()
            session.add(
                Decision(
                    id=uuid7(at), tenant=TARGET, workflow_id=task.workflow_id, case_token=self.job, task_id=task.id,
                    outcome="approve", shown_hash=PLAN_HASH, staff_id=staff, person_id=f"per_{staff}",
                    state="APPLIED", created_at=at, settled_at=at,
                )
            )  # fmt: skip

    def _gates(self, session: Session) -> None:
        for gate, rule in (("transfers.classify", "MIG-CLASS"), ("transfers.plan", "PIPL-55"),
                           ("transfers.backup", "MIG-RESTORE"), ("transfers.notify", "PIPL-22")):  # fmt: skip
            key = f"{self.job}/{gate}/1"
            session.add(
                RuleVerdict(
                    id=named_token("vrd", f"{key}/{rule}"), tenant=TARGET, case_token=self.job, gate=gate, gate_key=key,
                    rule_id=rule, rule_set_version="2026.1", result="PASS", severity="BLOCK", reason="kept", missing=[],
                    params={}, inputs_hash=ROOT[9], as_of=self.start.date(), evaluated_at=self.start,
                )
            )  # fmt: skip

    def _backups(self, session: Session) -> None:
        key = seal_keys(self.vault).signing_key
        for number, (side, tenant) in enumerate((("source", SOURCE), ("target", TARGET))):
            spelled = canonical_json({"side": side}).encode()
            signature = key.sign(b"casework-transfer-backup/1\n" + spelled)
            document = {"manifest": {"side": side}, "signature": base64.b64encode(signature).decode()}
            session.add(
                TransferBackup(
                    id=f"tbk_{side}", tenant=tenant, job=self.job, side=side, state="proven", manifest=document,
                    manifest_hash=hashlib.sha256(spelled).hexdigest(), records=30, root=ROOT[number + 2],
                    made_at=self.start + timedelta(minutes=20), proven_at=self.start + timedelta(minutes=22),
                )
            )  # fmt: skip

    def _sources(self, session: Session) -> None:
        session.add(
            TransferSource(
                id="tsr_1", tenant=TARGET, job=self.job, number=1, kind="csv", place="north.csv", mapping={},
                mapping_hash=ROOT[5], read_rows=self.moved + self.merged + self.rejected + self.held,
                finished_at=self.start + timedelta(minutes=30),
            )
        )  # fmt: skip

    def _rows(self) -> None:
        whole = self.moved + self.merged + self.rejected + self.held
        values = [person_values(number) for number in range(1, whole + 1)]
        key = job_proof_key(self.vault, tenant=TARGET, job=self.job)
        subjects = [named_token("sub", f"row/{number}") for number in range(1, whole + 1)]
        cells = list(seal_rows(self.vault, tenant=TARGET, rows=zip(subjects, values, strict=True), create=True))
        goes = self.moved + self.merged
        customers = [
            Customer(named_token("cus", str(number)), named_token("sub", f"cus/{number}"), values[number - 1])
            for number in range(1, goes + 1)
        ]
        stored = list(seal_customers(self.vault, tenant=TARGET, customers=customers, create=True))
        self.records = [each.id for each in stored]
        begun, ended = self.start + timedelta(hours=1), self.start + timedelta(hours=1, minutes=4)
        facts = {"wave": 1, "attempt": 2, "first": 1, "last": whole, "count": goes, "root": ROOT[6]}
        with self._unit("transfer.rows-moved", facts, after=timedelta(hours=1, minutes=3)) as unit:
            session = unit.session
            for each in stored:
                number = self.records.index(each.id) + 1
                session.add(
                    CustomerRecord(
                        id=each.id, tenant=TARGET, subject_id=each.subject, created_at=begun, updated_at=begun,
                        origin=self.job if number <= self.moved else None, version=1 if number <= self.moved else 2,
                        **each.columns,
                    )
                )  # fmt: skip
            session.flush()
            for number, (subject, cell) in enumerate(cells, 1):
                session.add(self._row(number, subject, cell, key.digest(values[number - 1])))
            session.flush()
            for number in range(1, goes + 1):
                self._change(session, number, at=ended)
                self._notice(session, number, subjects[number - 1])
            session.add(
                TransferWave(
                    job=self.job, number=1, tenant=TARGET, attempt=2, state="moved", rows=goes, moved=goes,
                    root_before=ROOT[3], root_after=ROOT[4], root_undone=ROOT[3], begun_at=begun, ended_at=ended,
                )
            )  # fmt: skip
            for number in range(self.moved + 1, goes + 1):
                session.add(
                    TransferPair(
                        id=f"tpr_{number}", tenant=TARGET, job=self.job, row_number=number,
                        other=self.records[number - 1], score_milli=21_000, verdict="auto",
                        decided_by="stf_chen" if number % 2 else None,
                    )
                )  # fmt: skip
            session.add(
                TransferFollowUp(
                    id="tfu_1", tenant=TARGET, job=self.job, row_number=1, subject_id=subjects[0], kind="correction",
                    state="done", due_at=ended + timedelta(days=5), opened_at=ended, done_at=ended + timedelta(hours=1),
                )
            )  # fmt: skip

    def _row(self, number: int, subject: str, cell: bytes, digest: bytes) -> TransferRow:
        goes = self.moved + self.merged
        outcome = "accepted" if number <= self.moved else "merged" if number <= goes else "rejected"
        if number > goes + self.rejected:
            outcome = "held"
        row = TransferRow(
            job=self.job, number=number, tenant=TARGET, source="tsr_1", line=number + 1, subject_id=subject,
            row_cell=cell, outcome=outcome, digest=digest, move="waiting",
        )  # fmt: skip
        if number <= goes:
            row.wave, row.move, row.target_record = 1, "moved", self.records[number - 1]
        else:
            row.reason_code, row.faults = "quarantined", [{"field": "id_number", "rule": "checksum"}]
        return row

    def _change(self, session: Session, number: int, *, at: datetime) -> None:
        insert = number <= self.moved
        session.add(
            TransferChange(
                id=named_token("tch", f"{number}/2"), tenant=TARGET, job=self.job, wave=1, attempt=2,
                row_number=number, record_id=self.records[number - 1], kind="insert" if insert else "update",
                before_image=None if insert else b"before", after_image=b"after",
                version_before=None if insert else 1, version_after=1 if insert else 2, at=at,
            )
        )  # fmt: skip

    def _notice(self, session: Session, number: int, subject: str) -> None:
        state, channel = ("delivered", "sms") if number % 5 else ("public-notice", "public")
        if number == 7:
            state, channel = "objection", "sms"
        at = self.start + timedelta(hours=2)
        notice = TransferNotice(
            id=named_token("tnt", str(number)), tenant=TARGET, job=self.job, row_number=number,
            record_id=self.records[number - 1], subject_id=subject, language="zh-CN", text_version="c/1", state=state,
            channel=channel, attempts=1, due_at=at, evidence={"receipt": ROOT[7]}, consent="not-needed", told_at=at,
        )  # fmt: skip
        session.add(notice)
        session.flush()
        session.add(
            TransferNoticeAttempt(
                id=f"{notice.id}/1"[:40], tenant=TARGET, notice=notice.id, number=1, channel=channel,
                state="delivered", at=at, settled_at=at,
            )
        )  # fmt: skip


def person_values(number: int) -> dict[str, str]:
    """The canonical record of one generated person."""
    person = _people()[number - 1]
    return {
        "customer_no": f"N{number:08d}",
        "name": person.name,
        "id_type": "resident-id",
        "id_number": person.id_number,
        "mobile": person.mobile,
        "language": "zh-CN",
    }


_BOOK: list[Any] = []


def _people() -> list[Any]:
    if not _BOOK:
        _BOOK.extend(people(60))
    return _BOOK
