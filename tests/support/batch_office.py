"""A running batch whose ports are in memory, and the people who answer its tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Interceptor, Worker

from activities.support.registry import activities_of
from models.contracts.batch_run import RunInput
from models.contracts.installments import CaseView, DecideInput, DecideResult
from models.contracts.platform import OpenTask
from models.domain.ids import batch_workflow_id
from models.domain.states import Outcome, TaskType
from models.domain.tokens import new_case_token
from tests.support.batch_fakes import (
    CHECKER,
    FakeBank,
    FakeClean,
    FakeCohort,
    FakeExecute,
    FakePlatform,
    FakeRules,
    FakeRun,
    FakeSettle,
    World,
)
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.workers import running
from workflows.batches.run import BatchRun
from workflows.support.sandbox import STRICT_RUNNER

RUN_FAKES: Final = (FakePlatform, FakeRun)
BULK_FAKES: Final = (FakeCohort, FakeClean, FakeRules, FakeExecute, FakeBank, FakeSettle)


@dataclass
class BatchOffice:
    """A run, and the people who answer its tasks."""

    world: World
    client: Client
    queue: str
    run: str = field(default_factory=lambda: new_case_token("main"))

    async def start(self, **keywords: Any) -> None:
        await self.client.start_workflow(
            BatchRun.run,
            RunInput(run=self.run, **keywords),
            id=batch_workflow_id(self.run),
            task_queue=self.queue,
        )

    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(batch_workflow_id(self.run))

    async def task(self, task_type: TaskType, *, within_s: float = 60) -> OpenTask:
        """The open task, once it is of this type."""
        view: CaseView | None = None
        async with asyncio.timeout(within_s):
            while True:
                with contextlib.suppress(RPCError):  # a busy machine: its workflow task is being tried again
                    view = await self.handle().query("view", result_type=CaseView)
                if view is not None and view.open_tasks and view.open_tasks[0].task_type == task_type:
                    return view.open_tasks[0]
                await asyncio.sleep(0.02)

    async def decide(
        self, task_type: TaskType, outcome: Outcome, *, person: str = CHECKER, **keywords: Any
    ) -> DecideResult:
        """Answer the open task of this type."""
        task = await self.task(task_type)
        given = DecideInput(
            decision_id=f"dec-{task.task_no}-{person}",
            task_no=task.task_no,
            outcome=outcome,
            person_id=person,
            shown_hash=task.shown_hash,
            **keywords,
        )
        return await self.handle().execute_update("decide", given, id=given.decision_id, result_type=DecideResult)

    async def refused(self, task_type: TaskType, outcome: Outcome, **keywords: Any) -> str:
        """The code of the refusal of such an answer."""
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await self.decide(task_type, outcome, **keywords)
        assert isinstance(refused.value.cause, ApplicationError)
        return refused.value.cause.type or ""

    async def approve(self) -> None:
        await self.decide(TaskType.BATCH_APPROVAL, Outcome.APPROVE)

    async def close(self) -> None:
        await self.decide(TaskType.BATCH_CLOSE, Outcome.CONFIRM)

    async def end(self, *, within_s: float = 90) -> dict[str, Any]:
        """How the run ended, whatever workflow runs it went on in."""
        result: dict[str, Any] = await asyncio.wait_for(self.handle().result(), within_s)
        return result

    async def nudge(self) -> None:
        await self.handle().signal("nudged")


@asynccontextmanager
async def batch_office(server: TemporalServer, world: World, *interceptors: Interceptor) -> AsyncIterator[BatchOffice]:
    """One worker for the run, one for bulk work, as in the product."""
    client, queue = await server.connect(), new_task_queue()
    common: dict[str, Any] = {"interceptors": list(interceptors)}
    runs = Worker(
        client,
        task_queue=queue,
        workflows=[BatchRun],
        activities=[step for fake in RUN_FAKES for step in activities_of(fake(world))],
        workflow_runner=STRICT_RUNNER,
        activity_executor=ThreadPoolExecutor(max_workers=4),
        **common,
    )
    bulk = Worker(
        client,
        task_queue="bulk",
        activities=[step for fake in BULK_FAKES for step in activities_of(fake(world))],
        activity_executor=ThreadPoolExecutor(max_workers=4),
        **common,
    )
    async with running(runs, bulk):
        yield BatchOffice(world, client, queue)
