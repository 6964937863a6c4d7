"""§13.3 of the regulation reference, gate by gate: a job whose record lacks it is barred on its task, with citation.

The rules are asked as the job asks them, and the answer is put on the job's gate task as the job puts it; the task is
read over HTTP. That a barred job stands still, and goes on after a retry, is shown in `test_records` and `test_job`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
from sqlmodel import col, select

from activities.tasks.platform import SqlPlatform
from compliance.rules.facts import facts_needed, spelled_fact
from compliance.vault.keyring import Vault
from models.contracts.platform import EvaluateGateInput, Fence, GateAnswer, OpenTaskInput
from models.database.engine import Database
from models.domain.ids import transfer_workflow_id
from models.domain.roles import Role
from models.domain.states import Gate, Outcome, TaskType
from models.tables.assessments import ImpactAssessment
from models.tables.installments import RuleVerdict
from models.tables.staff import Staff, StaffRole
from models.tables.tasks import Task
from models.tables.transfer_jobs import TransferEvidence, TransferFact
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferBackup, TransferJob, TransferRow
from tests.support.api import Office, add_tenant
from tests.support.applications import FakeDispatcher, open_desk
from tests.support.clock import FakeClock
from tests.support.databases import SqliteFiles
from tests.support.office_fixtures import dispatcher, sqlite_office
from tests.support.regulation_gates import INCIDENT_FACTS, INCIDENT_SHUT, SECTION_13_3, SHUT, Shut
from tests.support.transfer_jobs import NOW, TODAY, RecordedJob, recorded_job
from tests.support.worlds import World
from workflows.support.stages import bar

__all__ = ("dispatcher", "sqlite_office")

# Where the complete record stands: what a test has spoilt is written back from here.
_TABLES: Final = (
    TransferJob, TransferFact, TransferEvidence, ImpactAssessment, TransferBackup, TransferNotice, TransferRow,
    StaffRole,
)  # fmt: skip
_LANGUAGES: Final = ("zh-CN", "en")


@dataclass
class Desk:
    """One job, the gate that it comes to, and whoever sees to what is missing."""

    office: Office
    shut: Shut
    job: str
    lead: Staff
    round: int = 0
    kept: list[Any] = field(default_factory=list)

    def write(self, act: Callable[[RecordedJob], object]) -> None:
        with self.office.deps.database.write() as session:
            act(RecordedJob(session, session.get_one(TransferJob, self.job)))

    def keep(self) -> None:
        """Remember the record as it is."""
        with self.office.deps.database.read() as session:
            self.kept = [table(**row.model_dump()) for table in _TABLES for row in session.exec(select(table)).all()]

    def mend(self) -> None:
        if self.shut.mend is not None:
            self.write(self.shut.mend)
            return
        self.write(lambda record: [record.session.merge(row) for row in self.kept])

    @property
    def platform(self) -> SqlPlatform:
        return SqlPlatform(self.office.deps.database, self.office.clock)

    def ask(self) -> GateAnswer:
        """As the job does when it comes to the gate."""
        self.round += 1
        step = EvaluateGateInput(case_token=self.job, gate=self.shut.gate, round=self.round)
        return self.platform.evaluate_gate(step)

    def barred_by(self) -> set[str]:
        return {each.rule_id for each in self.ask().blocks}

    def verdict(self) -> RuleVerdict:
        """Of the rule, in the last round."""
        with self.office.deps.database.read() as session:
            key = f"{self.job}/{self.shut.gate}/{self.round}"
            of_rule = col(RuleVerdict.rule_id) == self.shut.rule
            return session.exec(select(RuleVerdict).where(col(RuleVerdict.gate_key) == key, of_rule)).one()

    def open_task(self, answer: GateAnswer) -> str:
        """As the job does when a gate is shut; returns the task's id."""
        question = OpenTaskInput(
            workflow_id=transfer_workflow_id(self.job),
            case_token=self.job,
            task_no=self.round,
            task_type=TaskType.TRANSFER_GATE,
            fence=Fence(epoch=1, seq=self.round),
            blocked=bar(answer, Outcome.ACCEPT),
            incident_step=self.shut.gate,
        )
        self.platform.open_task(question)
        with self.office.deps.database.read() as session:
            return session.exec(select(Task.id).where(col(Task.case_token) == self.job)).one()

    async def shown(self, task: str, language: str) -> dict[str, dict[str, Any]]:
        """What bars the job, by rule, as its lead reads it."""
        async with self.office.client(self.lead) as client:
            answer = await client.get(f"/v1/tasks/{task}", headers={"Accept-Language": language})
        assert answer.status_code == 200, answer.text
        return {each["rule"]: each for each in answer.json()["blocked"]}


def with_a_complete_job(database: Database, vault: Vault, _folder: Path) -> None:
    add_tenant(database, vault, "main", now=NOW)
    with database.write() as session:
        recorded_job(session)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The complete record, written once; each test has a copy of its own."""
    return World(with_a_complete_job, tmp_path_factory.mktemp("recorded-job"))


@pytest.fixture
def recorded(
    world: World, sqlite_files: SqliteFiles, clock: FakeClock, tmp_path: Path, dispatcher: FakeDispatcher
) -> Iterator[Office]:
    clock.set(NOW)
    with world.copy(sqlite_files, into=tmp_path, clock=clock) as copied:
        yield open_desk(copied.database, copied.vault, clock, tmp_path, dispatcher, opened=True)


@pytest.fixture
def desk(recorded: Office, request: pytest.FixtureRequest) -> Desk:
    shut: Shut = request.param
    with recorded.deps.database.read() as session:
        job = session.exec(select(TransferJob.token)).one()
    made = Desk(recorded, shut, job, recorded.staff("lead", Role.MIGRATION_LEAD))
    made.write(shut.given)
    made.keep()
    return made


def test_every_gate_of_the_table_is_tried_below() -> None:
    table = {(step, each) for step, ids in SECTION_13_3.items() for each in ids}
    assert {*SHUT} | {("incident", each) for each in INCIDENT_SHUT} == table


def _those(severity: str) -> list[Any]:
    found = []
    for (step, each), shut in SHUT.items():
        if each.endswith(" W") == (severity == "W"):
            found.append(pytest.param(shut, id=f"{step}: {each}"))
    return found


@pytest.mark.parametrize("desk", _those("B"), indirect=True)
async def test_a_gate_bars_the_job_names_the_law_and_opens_when_the_record_is_mended(desk: Desk) -> None:
    rule = desk.shut.rule
    assert rule not in desk.barred_by()
    desk.write(desk.shut.spoil)
    answer = desk.ask()
    assert rule in {each.rule_id for each in answer.blocks}
    task = desk.open_task(answer)
    said = [(await desk.shown(task, language))[rule] for language in _LANGUAGES]
    for told in said:
        assert told["outcome"] == Outcome.ACCEPT
        assert told["citation"]
        assert told["title"]
    assert said[0]["citation"] != said[1]["citation"]
    desk.mend()
    assert rule not in desk.barred_by()


@pytest.mark.parametrize("desk", _those("W"), indirect=True)
async def test_a_warning_is_on_record_and_bars_nothing(desk: Desk) -> None:
    assert desk.barred_by() == set()
    desk.write(desk.shut.spoil)
    assert desk.barred_by() == set()
    assert (desk.verdict().severity, desk.verdict().result in ("FAIL", "UNKNOWN")) == ("WARN", True)
    desk.mend()
    desk.ask()
    assert desk.verdict().result in ("PASS", "NOT_APPLICABLE")


def _as_sent(value: Any) -> Any:
    spelled = spelled_fact(value)
    return spelled.isoformat() if isinstance(spelled, datetime) else spelled


@pytest.mark.parametrize("rule", INCIDENT_SHUT)
async def test_an_incident_of_a_migration_is_barred_until_it_is_seen_to(sqlite_office: Office, rule: str) -> None:
    officer = sqlite_office.staff("privacy", Role.PRIVACY_OFFICER)
    needed = set(facts_needed(Gate.INCIDENT))
    async with sqlite_office.client(officer) as client:
        told = []
        for changes in ({}, INCIDENT_SHUT[rule]):
            facts = {name: _as_sent(value) for name, value in (INCIDENT_FACTS | changes).items() if name in needed}
            body = {"gate": Gate.INCIDENT.value, "asOf": TODAY.isoformat(), "facts": facts}
            answer = await client.post("/v1/rules/evaluations", json=body)
            assert answer.status_code == 200, answer.text
            told.append(answer.json())
    assert not told[0]["blocks"], [each for each in told[0]["verdicts"] if each["result"] in ("FAIL", "UNKNOWN")]
    assert told[1]["blocks"]
    verdict = next(each for each in told[1]["verdicts"] if each["ruleId"] == rule)
    assert (verdict["result"], bool(verdict["citation"])) == ("FAIL", True)
