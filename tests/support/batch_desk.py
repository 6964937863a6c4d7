"""A batch over its real records: platform, run and cohort are the product's; rules, orders and the bank in memory."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.batches.cohort_steps import SqlCohort
from activities.batches.run_steps import SqlBatchRun
from activities.duties.relay import Relay
from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from activities.tasks.platform import SqlPlatform
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Dispatcher, Fate
from models.domain.ids import batch_workflow_id
from models.domain.states import OPEN_TASK_STATES, Outcome, TaskType
from models.domain.tokens import uuid7
from models.operations.decisions import NewDecision, decide_input, prepare_task_decision
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Task
from tests.support.batch_books import BatchBooks
from tests.support.batch_fakes import CHECKER, FakeBank, FakeClean, FakeExecute, FakeRules, FakeSettle, World
from tests.support.daybook import TENANT
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.workers import running
from workflows.batches.run import BatchRun as RunWorkflow
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER


@dataclass
class BatchDesk:
    """Runs in the records, and the people who decide."""

    books: BatchBooks
    client: Client
    dispatcher: Dispatcher
    queue: str
    world: World = field(default_factory=World)

    async def relay(self) -> int:
        """What the duty does a moment later: what waits in the outbox is sent."""
        clock = self.books.book.clock
        clock.advance(seconds=30)
        return await Relay(self.books.book.database, self.dispatcher, clock).run_once(clock())

    async def task(self, run: BatchRun, task_type: TaskType) -> Task:
        """The open task of this type."""
        for _ in range(1_000):
            with self.books.book.database.read() as session:
                found = session.exec(
                    select(Task).where(
                        col(Task.case_token) == run.token,
                        col(Task.type) == task_type,
                        col(Task.state).in_(OPEN_TASK_STATES),
                    )
                ).first()
            if found is not None:
                return found
            await asyncio.sleep(0.02)
        raise AssertionError(f"no task {task_type}")

    async def decide(
        self, run: BatchRun, task_type: TaskType, outcome: Outcome, *, person: str = CHECKER, **keywords: Any
    ) -> None:
        """As the API does: the decision is kept, then sent."""
        task, clock = await self.task(run, task_type), self.books.book.clock
        decision = NewDecision(
            id=uuid7(clock()),
            tenant=TENANT,
            workflow_id=task.workflow_id,
            case_token=task.case_token,
            outcome=outcome,
            shown_hash=task.shown_hash,
            staff_id=f"stf_{person}",
            person_id=person,
            **keywords,
        )
        with unit_of_work(self.books.book.database, self.books.deed("task.decided")) as unit:
            prepare_task_decision(unit.session, decision, task_id=task.id, expected_version=task.version, now=clock())
        with self.books.book.database.read() as session:
            workflow_id, sent = decide_input(session, decision_id=decision.id)
        answer = await self.dispatcher.send(workflow_id, sent, budget=options.RPC_TIMEOUT)
        assert answer.fate is Fate.APPLIED, answer.reason

    async def end(self, run: BatchRun) -> dict[str, Any]:
        handle = self.client.get_workflow_handle(batch_workflow_id(run.token))
        result: dict[str, Any] = await asyncio.wait_for(handle.result(), 60)
        return result


@asynccontextmanager
async def batch_desk(books: BatchBooks, server: TemporalServer) -> AsyncIterator[BatchDesk]:
    """The workers of runs and of bulk work."""
    client, queue = await server.connect(), new_task_queue()
    database, clock = books.book.database, books.book.clock
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
    desk = BatchDesk(books, client, dispatcher, queue)
    fakes = (FakeClean, FakeRules, FakeExecute, FakeBank, FakeSettle)
    runs = Worker(
        client,
        task_queue=queue,
        workflows=[RunWorkflow],
        activities=[
            step
            for adapter in (SqlPlatform(database, clock), SqlBatchRun(database, clock))
            for step in activities_of(adapter)
        ],
        workflow_runner=STRICT_RUNNER,
        **common,
    )
    bulk = Worker(
        client,
        task_queue="bulk",
        activities=[
            step
            for adapter in (SqlCohort(database, clock), *(fake(desk.world) for fake in fakes))
            for step in activities_of(adapter)
        ],
        **common,
    )
    async with running(runs, bulk):
        yield desk
