"""A whole job over the adapters of the installation: one small file into a small book, from start to close."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from activities.tasks.platform import SqlPlatform
from activities.transfers.job_steps import SqlTransferJob
from activities.transfers.wave_roots import whole_book_root
from activities.transfers.wave_work import load_work
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Dispatcher, Fate
from compliance.rules.fact_table import FACTS
from compliance.vault.customer_layout import Customer, open_customers, seal_customers, stored_of
from compliance.vault.keyring import Vault
from deploy.assemble_transfers import TransferParts, transfer_adapters
from deploy.demo.transfers.receipts import Providers, providers
from deploy.demo.transfers.statements import stated
from deploy.settings import load_settings
from deploy.values import Settings
from models.database.engine import Database
from models.domain.assessments import AssessmentState, Conclusion
from models.domain.canonical import digest
from models.domain.ids import transfer_workflow_id
from models.domain.states import OPEN_TASK_STATES, RECORD_TASKS, Outcome, TaskState, TaskType
from models.domain.tokens import new_case_token, new_token, uuid7
from models.domain.transfers.evidence import EVIDENCE_KINDS
from models.domain.transfers.mapping import parse_mapping
from models.domain.transfers.plan import Plan
from models.domain.transfers.plan_templates import template
from models.domain.transfers.states import JobStage, WaveState
from models.operations.decisions import NewDecision, decide_input, prepare_task_decision, settle_record_task
from models.operations.four_eyes import By
from models.operations.transfers.jobs import NewPlan, create_job, state_fact
from models.operations.transfers.quarantine import discard_by_task
from models.queries.transfers.conservation import conservation_of
from models.tables.assessments import ImpactAssessment
from models.tables.customers import CustomerRecord
from models.tables.installments import RuleVerdict
from models.tables.staff import Staff, StaffRole
from models.tables.tasks import Task
from models.tables.tenants import Tenant
from models.tables.transfer_jobs import TransferEvidence, TransferFact
from models.tables.transfer_notices import TransferNotice
from models.tables.transfer_reports import TransferReport
from models.tables.transfers import (
    TransferBackup,
    TransferChange,
    TransferJob,
    TransferRow,
    TransferSource,
    TransferToken,
    TransferWave,
)
from tests.support.clock import MONDAY_MORNING, FakeClock
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.training import sponsored
from tests.support.transfer_rows import MAPPING, book, csv_bytes
from tests.support.workers import running
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.job import TransferJob as JobWorkflow
from workflows.transfers.wave import MoveWave

pytestmark = [pytest.mark.temporal]

SOURCE, TARGET = "seller", "main"
PLACE: Final = "book.csv"
KNOWN, OTHERS, READ = 10, 20, 40  # customers of both, of the target alone, lines of the file
FAULTY: Final = (3, 20)  # places in the file whose document number fails its check
MOVED: Final = READ - len(FAULTY)
MERGED: Final = KNOWN - 1 + 1  # one of the faulty lines is a customer of both, and one stands in the file twice


class Ticking(FakeClock):
    """Begins on a working day, and goes on as time does."""

    def __init__(self) -> None:
        super().__init__(MONDAY_MORNING)
        self._began = time.monotonic()

    def __call__(self) -> datetime:
        return super().__call__() + timedelta(seconds=time.monotonic() - self._began)


def source_lines() -> list[list[str]]:
    """Forty lines: ten customers of the target too, two faulty ones, and one who stands there twice."""
    lines = book(READ - 1)
    for place in FAULTY:
        number = lines[place][3]
        lines[place][3] = number[:-1] + ("0" if number[-1] != "0" else "1")
    return [*lines, ["K99999999", *lines[30][1:]]]


def in_book(line: list[str], number: int) -> dict[str, str | None]:
    """A line as a record of a book."""
    return {
        "customer_no": f"T{number:08d}",
        "name": line[1],
        "id_type": line[2],
        "id_number": line[3],
        "mobile": f"+86{line[4]}",
        "email": line[5] or None,
        "account": line[6],
        "language": "zh-CN",
    }


@dataclass
class Setting:
    """Both companies and the job, as people have prepared it."""

    database: Database
    vault: Vault
    clock: Ticking
    settings: Settings
    providers: Providers
    job: str = field(default_factory=lambda: new_case_token(TARGET))

    def prepare(self) -> None:
        for tenant in (SOURCE, TARGET):
            self.vault.ensure_tenant(tenant)
            with unit_of_work(self.database, self.deed()) as unit:
                unit.session.add(Tenant(code=tenant, name=f"{tenant}银行", sandbox=True, created_at=self.clock()))
        lines = book(READ - 1)
        self._put(SOURCE, [in_book(line, number) for number, line in enumerate(lines[:5])])
        theirs = lines[:KNOWN] + book(OTHERS, begin=100)
        self._put(TARGET, [in_book(line, number) for number, line in enumerate(theirs)])
        folder = self.settings.exchange / "transfers" / TARGET
        folder.mkdir(parents=True)
        (folder / PLACE).write_bytes(csv_bytes(source_lines()))
        self._write_job()

    def _put(self, tenant: str, records: list[dict[str, str | None]]) -> None:
        customers = [Customer(new_token("cus"), new_token("sub"), values) for values in records]
        stored = seal_customers(self.vault, tenant=tenant, customers=customers, create=True)
        now = self.clock()
        with unit_of_work(self.database, self.deed()) as unit:
            unit.session.add_all(
                CustomerRecord(
                    id=each.id, tenant=tenant, subject_id=each.subject, created_at=now, updated_at=now, **each.columns
                )
                for each in stored
            )

    def _write_job(self) -> None:
        now, mapping = self.clock(), parse_mapping(MAPPING).as_document()
        with unit_of_work(self.database, self.deed()) as unit:
            session = unit.session
            staff = Staff(
                id=new_token("stf"), tenant=TARGET, person_id="prs_lead", login="lead", name="Lead", branch="hq",
                created_at=now,
            )  # fmt: skip
            session.add(staff)
            session.flush()
            session.add(StaffRole(staff_id=staff.id, role="migration-lead"))
            evidence = {kind: new_token("tev") for kind in EVIDENCE_KINDS}
            assessment = self._assessment()
            session.add(assessment)
            sent = template(("C",), cutover_on=date(2026, 12, 1), staff=staff.id) | {
                "impactAssessment": assessment.id,
                "securityAssessment": evidence["security-assessment"],
                "waveRows": 15,
                "receiptWaitS": 1,
                "notices": {
                    "channels": ["sms", "email", "post"],
                    "rest_seconds": 1,
                    "waits": {"sms": 5, "email": 2, "post": 2},
                },
            }
            plan = Plan.read(sent, classes=("C",))
            job = TransferJob(
                token=self.job, tenant=TARGET, source_tenant=SOURCE, branch="hq", classes=["C"], plan=plan.record(),
                plan_hash=plan.hash(), stage=JobStage.CLASSIFYING.value, created_by=staff.id,
                created_by_person=staff.person_id, created_at=now, updated_at=now,
            )  # fmt: skip
            new = NewPlan(plan=job.plan, plan_hash=job.plan_hash, error_budget=plan.error_budget)
            create_job(session, job, new, by=By(tenant=TARGET, staff_id=staff.id, person_id=staff.person_id), now=now)
            for kind, evidence_id in evidence.items():
                session.add(
                    TransferEvidence(
                        id=evidence_id, tenant=TARGET, job=self.job, kind=kind, digest="0" * 64, reference="archive/1",
                        added_by=staff.id, added_by_person=staff.person_id, added_at=now,
                    )
                )  # fmt: skip
            session.add(
                TransferSource(
                    id=new_token("tsr"), tenant=TARGET, job=self.job, number=1, kind="csv", place=PLACE,
                    mapping=mapping, mapping_hash=digest(mapping),
                )
            )  # fmt: skip
            sponsored(session, self.job, tenant=TARGET)
            for name, value in (("transferred", "institution"), ("transfer_event", "merger")):
                state_fact(session, job, self.fact(name, value))

    def _assessment(self) -> ImpactAssessment:
        now = self.clock()
        return ImpactAssessment(
            id=new_token("pia"), tenant=TARGET, activity="customer-transfer", triggers=["provision"],
            necessity_cell=b"sealed", risk_cell=b"sealed", measures_cell=b"sealed",
            conclusion=Conclusion.PROCEED.value, content_hash="0" * 64, valid_until=date(2029, 1, 1),
            state=AssessmentState.APPROVED.value, made_by=[], drafted_by="stf_x", approved_at=now - timedelta(days=10),
            kept_until=date(2032, 1, 1), created_at=now, updated_at=now,
        )  # fmt: skip

    def fact(self, name: str, value: Any) -> TransferFact:
        return TransferFact(
            job=self.job, name=name, tenant=TARGET, value={"value": value, "kind": FACTS[name].kind.name.lower()},
            stated_by="stf_x", stated_at=self.clock(),
        )  # fmt: skip

    def deed(self, tenant: str = TARGET) -> Deed:
        return Deed(tenant=tenant, action="test", target="test", actor="test", at=self.clock())

    def all_of(self, table: Any) -> list[Any]:
        with self.database.read() as session:
            return list(session.exec(select(table)).all())


@dataclass
class Script:
    """People of both companies, who answer whatever is asked."""

    setting: Setting
    dispatcher: Dispatcher
    asked: list[str] = field(default_factory=list)

    async def answer_all(self) -> None:
        """Answer every open task there is, and tell the providers' receipts."""
        _tell(self.setting.providers)
        for task in self._open():
            self.asked.append(task.type)
            if task.type == TaskType.TRANSFER_GATE:
                self._state_what_is_missing(task)
            outcome, keywords = ANSWERS[TaskType(task.type)]
            await self._decide(task, outcome, keywords)

    def _open(self) -> list[Task]:
        with self.setting.database.read() as session:
            states = [each.value for each in OPEN_TASK_STATES if each is not TaskState.DECIDING]
            query = select(Task).where(col(Task.state).in_(states)).order_by(col(Task.task_no), col(Task.id))
            return list(session.exec(query).all())

    def _state_what_is_missing(self, task: Task) -> None:
        today = self.setting.clock().date()
        with self.setting.database.read() as session:
            job = session.get_one(TransferJob, self.setting.job)
            verdicts = [session.get_one(RuleVerdict, rule["verdict"]) for rule in task.blocked if rule["verdict"]]
        names = {name for verdict in verdicts for name in verdict.missing}
        against = sorted({verdict.rule_id for verdict in verdicts if not verdict.missing})
        assert names, (task.shown["gate"], against)
        unknown = sorted(name for name in names if stated(name, today=today) is None)
        assert not unknown, (task.shown["gate"], unknown)
        with unit_of_work(self.setting.database, self.setting.deed()) as unit:
            for name in sorted(names):
                state_fact(unit.session, job, self.setting.fact(name, stated(name, today=today)))

    async def _decide(self, task: Task, outcome: Outcome, keywords: Mapping[str, Any]) -> None:
        """As the API does."""
        setting = self.setting
        person = f"prs_{len(self.asked)}"
        now = setting.clock()
        decision = NewDecision(
            id=uuid7(now), tenant=task.tenant, workflow_id=task.workflow_id, case_token=task.case_token,
            outcome=outcome, shown_hash=task.shown_hash, staff_id=f"stf_{person}", person_id=person, **keywords,
        )  # fmt: skip
        with unit_of_work(setting.database, setting.deed(task.tenant)) as unit:
            prepare_task_decision(unit.session, decision, task_id=task.id, expected_version=task.version, now=now)
            if task.type in RECORD_TASKS:
                settle_record_task(unit.session, decision_id=decision.id, now=now)
            if task.type == TaskType.TRANSFER_QUARANTINE:
                discard_by_task(unit.session, task, reason_code=decision.reason_code or "")
        if task.type in RECORD_TASKS:
            await self.dispatcher.nudge(transfer_workflow_id(setting.job))
            return
        with setting.database.read() as session:
            workflow_id, sent = decide_input(session, decision_id=decision.id)
        answer = await self.dispatcher.send(workflow_id, sent, budget=options.RPC_TIMEOUT)
        assert answer.fate is Fate.APPLIED, (task.type, answer.reason)


ANSWERS: Final[dict[TaskType, tuple[Outcome, dict[str, Any]]]] = {
    TaskType.TRANSFER_CLASSIFICATION: (Outcome.ACCEPT, {}),
    TaskType.TRANSFER_PLAN_APPROVAL: (Outcome.APPROVE, {}),
    TaskType.TRANSFER_GO_NO_GO: (Outcome.APPROVE, {}),
    TaskType.TRANSFER_GATE: (Outcome.RETRY, {}),
    TaskType.TRANSFER_CLOSE: (Outcome.CONFIRM, {}),
    TaskType.TRANSFER_QUARANTINE: (Outcome.DISCARD, {"reason_code": "not-correctable"}),
}


def _tell(carriers: Providers) -> None:
    """A receipt for each text message that has come: delivered."""
    carriers.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for message_id in list(carriers.sms.messages):
        if carriers.seen[message_id]:
            continue
        carriers.seen[message_id] += 1
        unfinished = carriers.folder / f".{message_id}.part"
        unfinished.write_text(json.dumps({"id": message_id, "state": "delivered"}), encoding="utf-8")
        unfinished.replace(carriers.folder / f"{message_id}.json")


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def setting(sqlite_database: Database, vault: Vault, clock: Ticking, tmp_path: Path) -> Iterator[Setting]:
    data = tmp_path / "house"
    with providers(data) as carriers:
        overrides = {
            **carriers.settings,
            "CASEWORK_DATA_DIR": str(data / "data"),
            "CASEWORK_EXCHANGE_DIR": str(data),
            "CASEWORK_SANDBOX": "true",
        }
        settings = load_settings({}, overrides=overrides, without_kek=True)
        made = Setting(sqlite_database, vault, clock, settings, carriers)
        made.prepare()
        yield made


@asynccontextmanager
async def _running(setting: Setting, server: TemporalServer) -> AsyncIterator[tuple[Client, Script]]:
    client, queue = await server.connect(), new_task_queue()
    dispatcher = Dispatcher(
        client=client, cases_queue=queue, task_timeout=options.WORKFLOW_TASK_TIMEOUT, rpc_timeout=options.RPC_TIMEOUT
    )
    own = (SqlPlatform(setting.database, setting.clock), SqlTransferJob(setting.database, setting.clock))
    real = transfer_adapters(TransferParts(setting.settings, setting.database, setting.vault, setting.clock))
    common: dict[str, Any] = {
        "interceptors": [FailureTranslator()],
        "activity_executor": ThreadPoolExecutor(max_workers=4),
    }
    jobs = Worker(
        client, task_queue=queue, workflows=[JobWorkflow, MoveWave],
        activities=[step for adapter in own for step in activities_of(adapter)], workflow_runner=STRICT_RUNNER,
        **common,
    )  # fmt: skip
    bulk = Worker(
        client, task_queue="bulk", activities=[step for adapter in real for step in activities_of(adapter)], **common
    )
    async with running(jobs, bulk):
        assert await dispatcher.start(transfer_workflow_id(setting.job))
        yield client, Script(setting, dispatcher)


async def _to_the_end(client: Client, script: Script, *, within_s: float) -> dict[str, Any]:
    handle = client.get_workflow_handle(transfer_workflow_id(script.setting.job))
    ended = asyncio.ensure_future(handle.result())
    async with asyncio.timeout(within_s):
        while not ended.done():
            await script.answer_all()
            await asyncio.wait([ended], timeout=0.2)
    result: dict[str, Any] = ended.result()
    return result


@pytest.mark.long
async def test_a_small_book_goes_from_start_to_close(setting: Setting, temporal_server: TemporalServer) -> None:
    async with _running(setting, temporal_server) as (client, script):
        result = await _to_the_end(client, script, within_s=150)
    assert result["outcome"] == "completed"
    assert {*script.asked} == {*ANSWERS}
    _assert_conserved(setting)
    _assert_roots(setting)
    _assert_book(setting)
    assert {(each.side, each.state) for each in setting.all_of(TransferBackup)} == {
        ("source", "proven"),
        ("target", "proven"),
    }
    notices = setting.all_of(TransferNotice)
    assert len(notices) == MOVED
    assert {each.state for each in notices} == {"delivered", "exempt"}
    assert setting.all_of(TransferToken) == []
    [report] = setting.all_of(TransferReport)
    assert report.verdict is not None


def _assert_conserved(setting: Setting) -> None:
    """Each line read is one row with one outcome; each row that moves is in the book by one line of the journal."""
    with setting.database.read() as session:
        found = conservation_of(session, setting.job)
    assert found.holds
    assert (found.read, found.by_outcome) == (
        READ,
        {"accepted": MOVED - MERGED, "rejected": len(FAULTY), "merged": MERGED, "held": 0},
    )
    moved = [row.number for row in setting.all_of(TransferRow) if row.move == "moved"]
    assert len(moved) == MOVED
    lines = [each.row_number for each in setting.all_of(TransferChange) if each.undone_at is None]
    assert len(lines) == len(set(lines))
    assert {*lines} <= {*moved}


def _assert_roots(setting: Setting) -> None:
    """Rows and book have one root in each wave; the book's own root is what was put on record."""
    waves = setting.all_of(TransferWave)
    assert [wave.state for wave in waves] == [WaveState.MOVED] * 3
    for wave in waves:
        assert wave.checked["faultCount"] == 0
        assert wave.checked["rows"]["root"] == wave.checked["book"]["root"]
        assert wave.root_before != wave.root_after
    work = load_work(setting.database, setting.vault, setting.clock, setting.job)
    book_now, counts = whole_book_root(work), work.job.counts
    assert counts["reconciled"]["differs"] == []
    assert (book_now.root, book_now.records) == tuple(counts["reconciled"]["book"].values())
    assert counts["book"]["rootBefore"] != book_now.root


def _assert_book(setting: Setting) -> None:
    """The target has its own customers and every one of the file who was not refused, each once."""
    stored = [stored_of(each) for each in setting.all_of(CustomerRecord) if each.tenant == TARGET]
    there = sorted(str(each.values["mobile"]) for each in open_customers(setting.vault, tenant=TARGET, stored=stored))
    read = [line for place, line in enumerate(source_lines()) if place not in FAULTY]
    own = book(READ - 1)[:KNOWN] + book(OTHERS, begin=100)
    assert there == sorted({f"+86{line[4]}" for line in read + own})
