"""A running transfer job over its real records; its bulk steps are in memory. And the people who decide."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

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
from models.operations.decisions import NewDecision, decide_input, prepare_task_decision
from models.tables.tasks import Task
from models.tables.transfers import TransferJob
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.transfer_fakes import World
from tests.support.transfer_jobs import SOURCE, TARGET, recorded_job
from tests.support.transfer_office import BULK_FAKES
from tests.support.workers import running
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.job import TransferJob as JobWorkflow
from workflows.transfers.wave import MoveWave

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
    queue: str

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
async def transfer_desk(
    database: Database, server: TemporalServer, clock: Any, world: World, *, start: bool = True
) -> AsyncIterator[Desk]:
    """The job's workers, its records, and its workflow on the way unless `start` is False."""
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
    async with running(jobs, bulk):
        assert not start or await dispatcher.start(transfer_workflow_id(job))
        yield Desk(database, client, dispatcher, job, maker, clock, queue)
