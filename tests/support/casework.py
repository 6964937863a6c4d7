"""A small bank for workflow tests: real SQL, vault and Temporal; only the bureau is a fake of our own gateway."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session, col, select
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Interceptor

from activities.gateways.bureau import BureauGateway, BureauRecord, Identity
from activities.gateways.core import CoreOrders
from activities.gateways.simulated_core import SimulatedCore
from activities.worker import WorkerDeps, create_workers
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.converter import data_converter
from compliance.payloads.dispatch import Answer, Dispatcher, record_refusal
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.contracts.installments import CaseInput, CaseNews
from models.database.engine import Database
from models.domain.application import ConsentPurpose, DocumentKind
from models.domain.clock import Clock
from models.domain.ids import installment_workflow_id
from models.domain.privacy_notice import DEFAULT_NOTICE
from models.domain.roles import Role
from models.domain.states import OPEN_TASK_STATES, CaseStage, NewsKind, OutboxKind, Outcome, TaskType
from models.domain.tokens import new_case_token, new_token, uuid7
from models.errors import GatewayRefused
from models.operations import decisions, outbox
from models.operations.assessments import model_assessment
from models.operations.decisions import NewDecision
from models.tables.installments import CaseDocument, InstallmentCase
from models.tables.parties import Consent, Subject
from models.tables.staff import Staff, StaffRole
from models.tables.tasks import Decision, Task
from models.tables.tenants import Tenant
from tests.support.agreeing import FakeSigning, NoNotices, add_signature
from tests.support.temporal import TemporalServer
from workflows.support.ids import CASES_QUEUE
from workflows.support.options import RPC_TIMEOUT, WORKFLOW_TASK_TIMEOUT

TENANT = "main"
TERMS = {"amount_minor": 3_000_000, "term_months": 36, "concession_bps": 200}
FIGURES = {"open_accounts": 2, "monthly_obligation_minor": 50_000, "worst_days_past_due": 35}


@dataclass
class FakeBureau(BureauGateway):
    """Refuses as often as it is told to, then answers the same figures; remembers the keys it was asked under."""

    refusals: int = 0
    keys: list[str] = field(default_factory=list)

    def query(self, identity: Identity, *, query_key: str) -> BureauRecord:
        self.keys.append(query_key)
        if self.refusals:
            self.refusals -= 1
            raise GatewayRefused(params={"reason": "record-unavailable"})
        return BureauRecord(**FIGURES, report=f"report of {identity.name}")


@dataclass
class CaseWorld:
    """What a test can do: open a case, see its task, decide as somebody."""

    database: Database
    vault: Vault
    clock: Clock
    client: Client
    bureau: FakeBureau
    dispatcher: Dispatcher
    core: SimulatedCore
    signing: FakeSigning
    tokens: list[str] = field(default_factory=list)

    # -- people and cases

    def hire(self, *roles: Role, person: str | None = None) -> Staff:
        """A member of staff with these roles."""
        staff = Staff(
            id=new_token("stf"),
            tenant=TENANT,
            person_id=person or new_token("prs"),
            login=new_token("login"),
            name="-",
            branch="sh-01",
            authority_amount_minor=10**10,
            authority_concession_bps=10_000,
            created_at=self.clock(),
        )
        with unit_of_work(self.database, self._deed("staff.created", staff.id)) as unit:
            unit.session.add(staff)
            unit.session.flush()
            unit.session.add_all([StaffRole(staff_id=staff.id, role=role) for role in roles])
        return staff

    def apply(
        self,
        *,
        consent: str | None = "WRITTEN",
        notice: str | None = DEFAULT_NOTICE.version,
        evidence: bool = True,
        by: Staff | None = None,
        **facts: Any,
    ) -> str:
        """A case as the API leaves it: rows, outbox row, no workflow yet."""
        token, subject_id, now = new_case_token(TENANT), new_token("sub"), self.clock()
        self.vault.create_subject(tenant=TENANT, subject_id=subject_id)
        row = RowAddress(tenant=TENANT, table="subjects", row=subject_id, subject=subject_id)
        cells = self.vault.seal_many(row, {"name_cell": "某某某", "id_cell": token, "card_cell": _CARD})
        subject = Subject(
            id=subject_id,
            tenant=TENANT,
            id_type="resident-id",
            id_index=self.vault.blind_index(tenant=TENANT, field="id_number", value=token),
            created_at=now,
            **cells,
        )
        case = InstallmentCase(
            token=token,
            tenant=TENANT,
            subject_id=subject_id,
            branch="sh-01",
            channel="staff",
            stage=CaseStage.INTAKE,
            created_by=by.id if by else "link",
            created_by_person=by.person_id if by else None,
            created_at=now,
            updated_at=now,
            **(_FACTS | facts),
        )
        with unit_of_work(self.database, self._deed("case.created", token)) as unit:
            unit.session.add(subject)
            unit.session.flush()
            unit.session.add(case)
            unit.session.flush()
            if consent is not None:
                unit.session.add(_consent(subject_id, consent, now))
            if notice is not None:
                unit.session.add(_notice(subject_id, notice, now))
            if evidence:
                unit.session.add(_evidence(token, subject_id, now))
            outbox.enqueue(
                unit.session,
                tenant=TENANT,
                kind=OutboxKind.START,
                business_key=token,
                workflow_id=installment_workflow_id(token),
                traceparent=None,
                now=now,
            )
        self.tokens.append(token)
        return token

    def add(self, *rows: Any) -> None:
        """More rows, with an event as everything has."""
        with unit_of_work(self.database, self._deed("test.added", "test")) as unit:
            unit.session.add_all(rows)

    def add_evidence(self, token: str) -> None:
        """Hardship evidence comes in late."""
        self.add(_evidence(token, self.case(token).subject_id, self.clock()))

    def add_consent(self, token: str, form: str = "WRITTEN") -> None:
        """Consent comes in late."""
        self.add(_consent(self.case(token).subject_id, form, self.clock()))

    def add_notice(self, token: str, version: str = DEFAULT_NOTICE.version) -> None:
        """The notice about personal data is given late."""
        self.add(_notice(self.case(token).subject_id, version, self.clock()))

    # -- the life of a case

    def handle(self, token: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(installment_workflow_id(token))

    async def start(self, token: str, **options: Any) -> None:
        """Start it as the API does; `options` go into the workflow's input."""
        if not options:
            assert await self.dispatcher.start_case(token)
            return
        await self.client.start_workflow(
            "installments.case",
            CaseInput(case_token=token, **options),
            id=installment_workflow_id(token),
            task_queue=CASES_QUEUE,
            task_timeout=WORKFLOW_TASK_TIMEOUT,
        )

    async def task(self, token: str, task_type: TaskType) -> Task:
        """Wait for the open task of this type."""

        def find(session: Session) -> Task | None:
            return session.exec(
                select(Task).where(
                    col(Task.case_token) == token, col(Task.type) == task_type, col(Task.state).in_(OPEN_TASK_STATES)
                )
            ).first()

        return await self.until(find)

    async def until(self, find: Callable[[Session], Any]) -> Any:
        """Poll the records until something is there."""
        deadline, pause = time.monotonic() + 30, 0.005
        while time.monotonic() < deadline:
            found = await asyncio.to_thread(self._find, find)
            if found is not None:
                return found
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.1)  # many waiters that ask without rest would starve what they wait for
        raise AssertionError("it never came")

    def _find(self, find: Callable[[Session], Any]) -> Any:
        with self.database.read() as session:
            return find(session)

    def take(self, task: Task, by: Staff, outcome: Outcome, **more: Any) -> str:
        """The SQL half of a decision; returns its id."""
        now = self.clock()
        form = {
            name: more.pop(name) for name in ("terms", "mended", "offer", "document", "nextContactDays") if name in more
        }
        decision = NewDecision(
            id=uuid7(now),
            tenant=TENANT,
            workflow_id=task.workflow_id,
            case_token=task.case_token,
            outcome=outcome,
            form=form,
            staff_id=by.id,
            person_id=by.person_id,
            **({"shown_hash": task.shown_hash} | more),
        )
        with unit_of_work(self.database, self._deed("decision.taken", task.id)) as unit:
            decisions.prepare_task_decision(
                unit.session, decision, task_id=task.id, expected_version=task.version, now=now
            )
        return decision.id

    async def send(self, decision_id: str) -> Answer:
        """The Temporal half."""
        with self.database.read() as session:
            workflow_id, sent = decisions.decide_input(session, decision_id=decision_id)
        answer = await self.dispatcher.send(workflow_id, sent, budget=timedelta(seconds=20))
        if answer.fate == "refused":
            assert answer.reason is not None
            record_refusal(
                self.database,
                tenant=TENANT,
                target=workflow_id,
                decision_id=decision_id,
                reason=answer.reason,
                now=self.clock(),
            )
        return answer

    async def decide(self, token: str, task_type: TaskType, by: Staff, outcome: Outcome, **more: Any) -> Answer:
        """Both halves."""
        return await self.send(self.take(await self.task(token, task_type), by, outcome, **more))

    async def withdraw(self, token: str) -> Answer:
        """The customer withdraws."""
        now = self.clock()
        decision = NewDecision(
            id=uuid7(now),
            tenant=TENANT,
            workflow_id=installment_workflow_id(token),
            case_token=token,
            outcome=Outcome.WITHDRAW,
            reason_code="customer-withdrew",
        )
        with unit_of_work(self.database, self._deed("decision.taken", token)) as unit:
            decisions.prepare_withdrawal(unit.session, decision, expected_version=None, now=now)
        return await self.send(decision.id)

    async def sign(self, token: str) -> Answer:
        """The customer signs what is shown."""
        return await self.send(await self.put_signature(token))

    async def put_signature(self, token: str) -> str:
        """Signature and decision as the link's route leaves them; the decision's id."""
        task, now = await self.task(token, TaskType.SIGNING), self.clock()
        decision = NewDecision(
            id=uuid7(now),
            tenant=TENANT,
            workflow_id=task.workflow_id,
            case_token=token,
            outcome=Outcome.SIGN,
            shown_hash=task.shown_hash,
        )
        with unit_of_work(self.database, self._deed("decision.taken", token)) as unit:
            decisions.prepare_task_decision(
                unit.session, decision, task_id=task.id, expected_version=task.version, now=now
            )
            add_signature(unit.session, token, decision_id=decision.id, now=now)
        return decision.id

    async def tell(self, token: str, kind: NewsKind, *, key: str | None = None) -> None:
        """News of the daily run."""
        today = self.clock().date().isoformat()
        news = CaseNews(key=key or f"{token}/{kind}/{today}", kind=kind, business_date=today)
        await self.handle(token).signal("told", news)

    async def reached(self, token: str, stage: CaseStage) -> InstallmentCase:
        """Wait until the records show this stage."""

        def find(session: Session) -> InstallmentCase | None:
            case = session.get_one(InstallmentCase, token)
            return case if case.stage == stage else None

        return await self.until(find)

    async def ended(self, token: str) -> InstallmentCase:
        """Wait until the workflow has returned; the case as the records have it."""
        await asyncio.wait_for(self.handle(token).result(), 60)
        return self.case(token)

    # -- what the records say

    def case(self, token: str) -> InstallmentCase:
        with self.database.read() as session:
            return session.get_one(InstallmentCase, token)

    def rows(self, table: type[Any], token: str) -> list[Any]:
        with self.database.read() as session:
            return list(session.exec(select(table).where(table.case_token == token)).all())

    def decision(self, decision_id: str) -> Decision:
        with self.database.read() as session:
            return session.get_one(Decision, decision_id)

    def _deed(self, action: str, target: str) -> Deed:
        return Deed(tenant=TENANT, action=action, target=target, actor="test", at=self.clock())


_FACTS: dict[str, Any] = {
    "total_due_minor": 5_000_000,
    "requested_amount_minor": 3_000_000,
    "requested_term_months": 36,
    "monthly_income_minor": 800_000,
    "essential_expense_minor": 350_000,
    "other_debt_payment_minor": 100_000,
    "dependants": 1,
    "hardship_code": "unemployment",
    "willing_to_repay": True,
}


_CARD = "6200000000000000"  # of no bank


def _ticking(clock: Clock) -> Clock:
    """Two things never happen at the same instant, as in life: what is newer is told by its time."""
    ticks = itertools.count()
    return lambda: clock() + timedelta(milliseconds=next(ticks))


def _consent(subject_id: str, form: str, now: Any) -> Consent:
    return Consent(
        id=new_token("cns"),
        tenant=TENANT,
        subject_id=subject_id,
        purpose=ConsentPurpose.CREDIT_REPORT_QUERY,
        form=form,
        text_version="2026-01",
        given_at=now,
    )


def _notice(subject_id: str, version: str, now: Any) -> Consent:
    return Consent(
        id=new_token("cns"),
        tenant=TENANT,
        subject_id=subject_id,
        purpose=ConsentPurpose.PRIVACY_NOTICE,
        form="WRITTEN",
        text_version=version,
        given_at=now,
    )


def _evidence(token: str, subject_id: str, now: Any) -> CaseDocument:
    return CaseDocument(
        id=new_token("doc"),
        tenant=TENANT,
        case_token=token,
        subject_id=subject_id,
        kind=DocumentKind.HARDSHIP_EVIDENCE,
        media_type="application/pdf",
        size_bytes=1,
        digest="0" * 64,
        added_by="test",
        created_at=now,
    )


@asynccontextmanager
async def case_world(
    database: Database,
    vault: Vault,
    clock: Clock,
    server: TemporalServer,
    *,
    interceptors: Sequence[Interceptor] = (),
    bureau: FakeBureau | None = None,
    plain: bool = False,
    resume: bool = False,
) -> AsyncIterator[CaseWorld]:
    """The bank with its workers running; whatever still runs at the end is terminated.

    Args:
        plain: payloads in clear, for histories that people read.
        resume: the bank was open before, over the same stores.
    """
    bureau = bureau or FakeBureau()
    clock = _ticking(clock)
    vault.ensure_tenant(TENANT)
    converter = pydantic_data_converter if plain else data_converter(vault, server.namespace)
    client = await server.connect(data_converter=converter)
    dispatcher = Dispatcher(
        client=client, cases_queue=CASES_QUEUE, task_timeout=WORKFLOW_TASK_TIMEOUT, rpc_timeout=RPC_TIMEOUT
    )
    world = CaseWorld(database, vault, clock, client, bureau, dispatcher, SimulatedCore(), FakeSigning(database, clock))
    if not resume:
        world.add(Tenant(code=TENANT, name="-", sandbox=True, created_at=clock()))
        world.add(model_assessment(TENANT, approved_on=date(2026, 1, 5), now=clock()))
    deps = WorkerDeps(
        client=client,
        database=database,
        vault=vault,
        bureau=bureau,
        core=CoreOrders(database, vault, world.core, clock),
        signing=world.signing,
        notices=NoNotices(),
        clock=clock,
        interceptors=interceptors,
        graceful_shutdown=timedelta(0),
    )
    async with AsyncExitStack() as stack:
        for worker in create_workers(deps):
            await stack.enter_async_context(worker)
        try:
            yield world
        finally:
            for token in world.tokens:
                try:
                    await world.handle(token).terminate("test over")
                except RPCError:
                    continue
