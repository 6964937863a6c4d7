"""A transfer job over its real records: tasks in both companies' inboxes, decisions, gates and ends stand in SQL."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from activities.tasks.platform import SqlPlatform
from activities.transfers.job_steps import SqlTransferJob
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Dispatcher, Fate
from models.database.engine import Database
from models.domain.ids import transfer_workflow_id
from models.domain.states import OPEN_TASK_STATES, Outcome, TaskType
from models.domain.tokens import uuid7
from models.domain.transfers.states import JobStage
from models.errors import FourEyesViolation
from models.operations.decisions import NewDecision, decide_input, prepare_task_decision
from models.queries.transfers import jobs as queries
from models.tables.audit import AuditEvent
from models.tables.installments import RuleVerdict
from models.tables.tasks import Task
from models.tables.transfer_jobs import TransferEvidence, TransferRollback
from models.tables.transfers import TransferJob, TransferWave
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.transfer_fakes import World
from tests.support.transfer_jobs import SOURCE, TARGET, recorded_job
from tests.support.transfer_office import BULK_FAKES
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.job import TransferJob as JobWorkflow
from workflows.transfers.wave import MoveWave

pytestmark = pytest.mark.temporal
SELLER, BUYER, THIRD = "prs_seller", "prs_buyer", "prs_third"


@dataclass
class Desk:
    """The job's records, and the people who decide."""

    database: Database
    client: Client
    dispatcher: Dispatcher
    job: str
    maker: str
    clock: Any

    async def task(self, task_type: TaskType, *, tenant: str = TARGET) -> Task:
        """The open task of this type in a tenant's inbox."""
        for _ in range(1_000):
            with self.database.read() as session:
                found = session.exec(
                    select(Task).where(
                        col(Task.case_token) == self.job,
                        col(Task.type) == task_type,
                        col(Task.tenant) == tenant,
                        col(Task.state).in_(OPEN_TASK_STATES),
                    )
                ).first()
            if found is not None:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"no task {task_type} for {tenant}")

    async def decide(
        self, task_type: TaskType, outcome: Outcome, *, person: str = THIRD, tenant: str = TARGET, **keywords: Any
    ) -> None:
        """As the API does: the decision is kept, then sent."""
        task = await self.task(task_type, tenant=tenant)
        decision = NewDecision(
            id=uuid7(self.clock()),
            tenant=tenant,
            workflow_id=task.workflow_id,
            case_token=task.case_token,
            outcome=outcome,
            shown_hash=task.shown_hash,
            staff_id=f"stf_{person}",
            person_id=person,
            **keywords,
        )
        deed = Deed(tenant=tenant, action="task.decided", target=self.job, actor="stf_x", at=self.clock())
        with unit_of_work(self.database, deed) as unit:
            prepare_task_decision(
                unit.session, decision, task_id=task.id, expected_version=task.version, now=self.clock()
            )
        with self.database.read() as session:
            workflow_id, sent = decide_input(session, decision_id=decision.id)
        answer = await self.dispatcher.send(workflow_id, sent, budget=options.RPC_TIMEOUT)
        assert answer.fate is Fate.APPLIED, answer.reason

    def row(self) -> TransferJob:
        with self.database.read() as session:
            return session.get_one(TransferJob, self.job)

    async def up_to_go(self) -> None:
        await self.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await self.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        await self.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)

    async def end(self) -> dict[str, Any]:
        handle = self.client.get_workflow_handle(transfer_workflow_id(self.job))
        result: dict[str, Any] = await asyncio.wait_for(handle.result(), 60)
        return result


@asynccontextmanager
async def _desk(database: Database, server: TemporalServer, clock: Any, world: World) -> AsyncIterator[Desk]:
    with database.write() as session:
        record = recorded_job(session)
        job, maker = record.job.token, record.job.created_by_person
    client, queue = await server.connect(), new_task_queue()
    dispatcher = Dispatcher(
        client=client,
        cases_queue=queue,
        task_timeout=options.WORKFLOW_TASK_TIMEOUT,
        rpc_timeout=options.RPC_TIMEOUT,
    )
    common: dict[str, Any] = {
        "interceptors": [FailureTranslator()],
        "activity_executor": ThreadPoolExecutor(max_workers=4),
    }
    adapters = (SqlPlatform(database, clock), SqlTransferJob(database, clock))
    jobs = Worker(
        client,
        task_queue=queue,
        workflows=[JobWorkflow, MoveWave],
        activities=[step for adapter in adapters for step in activities_of(adapter)],
        workflow_runner=STRICT_RUNNER,
        **common,
    )
    bulk = Worker(
        client,
        task_queue="bulk",
        activities=[step for fake in BULK_FAKES for step in activities_of(fake(world))],
        **common,
    )
    async with jobs, bulk:
        assert await dispatcher.start(transfer_workflow_id(job))
        yield Desk(database, client, dispatcher, job, maker, clock)


async def test_a_job_runs_through_its_records_and_both_inboxes(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with _desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.up_to_go()
        await desk.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE, form={"dissent": "timetable-unsuitable"})
        await desk.decide(TaskType.TRANSFER_CLOSE, Outcome.CONFIRM)
        assert (await desk.end())["outcome"] == "completed"
    job = desk.row()
    assert (job.stage, job.outcome) == (JobStage.ENDED, "completed")
    with sqlite_database.read() as session:
        approvals = queries.approvals_of(session, desk.job, plan_hash=job.plan_hash)
        assert [(each.side, each.tenant, each.person_id) for each in approvals] == [
            ("source", SOURCE, SELLER),
            ("target", TARGET, BUYER),
        ]
        gates = set(session.exec(select(RuleVerdict.gate).where(col(RuleVerdict.case_token) == desk.job)).all())
        assert len(gates) == 9
        bodies = session.exec(select(AuditEvent.body).where(col(AuditEvent.target) == desk.job)).all()
    assert any('"dissent":"timetable-unsuitable"' in body for body in bodies)


async def test_who_made_the_plan_approves_for_neither_company(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with _desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        approval = TaskType.TRANSFER_PLAN_APPROVAL
        with pytest.raises(FourEyesViolation):
            await desk.decide(approval, Outcome.APPROVE, person=desk.maker, tenant=SOURCE)
        await desk.decide(approval, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        for person in (desk.maker, SELLER):
            with pytest.raises(FourEyesViolation):
                await desk.decide(approval, Outcome.APPROVE, person=person)


async def test_a_returned_plan_that_comes_back_as_it_was_is_approved_by_both_anew(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    approval = TaskType.TRANSFER_PLAN_APPROVAL
    async with _desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await desk.decide(approval, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        await desk.decide(approval, Outcome.RETURN, person=BUYER, reason_code="plan-incomplete")
        await desk.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await desk.decide(approval, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        await desk.decide(approval, Outcome.APPROVE, person=BUYER)
        await desk.task(TaskType.TRANSFER_GO_NO_GO)
    job = desk.row()
    with sqlite_database.read() as session:
        approvals = queries.approvals_of(session, desk.job, plan_hash=job.plan_hash)
    assert [(each.side, each.person_id) for each in approvals] == [("source", SELLER), ("target", BUYER)]


async def test_a_gate_shows_its_rule_and_opens_when_the_record_is_mended(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with _desk(sqlite_database, temporal_server, clock, World()) as desk:
        with sqlite_database.write() as session:
            kept = session.exec(select(TransferEvidence).where(col(TransferEvidence.kind) == "claim-list")).one()
            values = kept.model_dump()
            session.delete(kept)
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        task = await desk.task(TaskType.TRANSFER_GATE)
        assert [each["rule"] for each in task.blocked] == ["MIG-E", "rows-have-moved"]
        assert task.shown["gate"] == "transfers.classify"
        with sqlite_database.write() as session:
            session.add(TransferEvidence(**values))
        await desk.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await desk.task(TaskType.TRANSFER_PLAN_APPROVAL, tenant=SOURCE)


async def test_a_stopped_wave_has_the_whole_job_held_for_its_rollback(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    world = World(waves={})
    async with _desk(sqlite_database, temporal_server, clock, world) as desk:
        await desk.up_to_go()
        await desk.task(TaskType.TRANSFER_GO_NO_GO)
        with sqlite_database.write() as session:
            wave = session.get_one(TransferWave, (desk.job, 1))
            wave.state, wave.stop_code = "stopped", "error-budget"
            session.add(wave)
        await desk.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        task = await desk.task(TaskType.TRANSFER_WAVE_STOPPED)
        assert (task.shown["code"], task.shown["wave"]["number"]) == ("error-budget", 1)
        await desk.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_JOB, reason_code="error-rate")
        with sqlite_database.read() as session:
            asked = session.exec(select(TransferRollback).where(col(TransferRollback.job) == desk.job)).one()
        assert (asked.state, asked.wave, desk.row().paused_at is not None) == ("confirmed", None, True)


async def test_a_cancelled_job_leaves_no_task_behind(
    sqlite_database: Database, temporal_server: TemporalServer, clock
) -> None:
    async with _desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.task(TaskType.TRANSFER_CLASSIFICATION)
        with sqlite_database.write() as session:
            session.delete(session.get_one(TransferWave, (desk.job, 1)))
            job = session.get_one(TransferJob, desk.job)
            job.cancel_asked_at = clock()
            session.add(job)
        await desk.dispatcher.nudge(transfer_workflow_id(desk.job))
        assert (await desk.end())["outcome"] == "cancelled"
        with sqlite_database.read() as session:
            states = session.exec(select(Task.state).where(col(Task.case_token) == desk.job)).all()
        assert states == ["CANCELLED"]
