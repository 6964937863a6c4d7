"""A running transfer job whose ports are in memory, and the people who answer its tasks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Interceptor, Worker

from activities.support.registry import activities_of
from models.contracts.installments import CaseView, DecideInput, DecideResult
from models.contracts.platform import (
    OpenTask,
)
from models.contracts.transfer_job import (
    JobInput,
)
from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.states import Outcome, TaskType
from models.domain.tokens import new_case_token
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.transfer_fakes import (
    BUYER,
    SELLER,
    THIRD,
    FakeBackup,
    FakeCollect,
    FakeJob,
    FakeMatch,
    FakeNotices,
    FakePlatform,
    FakeReport,
    FakeWaves,
    World,
)
from tests.support.workers import running
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.job import TransferJob
from workflows.transfers.wave import MoveWave

JOB_FAKES: Final = (FakePlatform, FakeJob)
BULK_FAKES: Final = (FakeBackup, FakeCollect, FakeMatch, FakeWaves, FakeNotices, FakeReport)


@dataclass
class FakeOffice:
    """A running job, and the people who answer its tasks."""

    world: World
    client: Client
    queue: str
    job: str = field(default_factory=lambda: new_case_token("main"))

    async def start(self, *, task_timeout: timedelta | None = None, **keywords: Any) -> WorkflowHandle[Any, Any]:
        return await self.client.start_workflow(
            TransferJob.run,
            JobInput(job=self.job, **keywords),
            id=transfer_workflow_id(self.job),
            task_queue=self.queue,
            task_timeout=task_timeout,
        )

    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(transfer_workflow_id(self.job))

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
        self, task_type: TaskType, outcome: Outcome, *, person: str = THIRD, **keywords: Any
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

    async def prepare(self) -> None:
        """Classification and both approvals."""
        await self.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await self.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER)
        await self.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)

    async def go(self) -> None:
        """Up to the moment when rows move."""
        await self.prepare()
        await self.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)

    async def close(self) -> None:
        await self.decide(TaskType.TRANSFER_CLOSE, Outcome.CONFIRM)

    async def end(self, *, within_s: float = 90) -> dict[str, Any]:
        """How the job ended, whatever runs it went on in."""
        result: dict[str, Any] = await asyncio.wait_for(self.handle().result(), within_s)
        return result

    async def nudge(self) -> None:
        await self.handle().signal("nudged")


def workers(client: Client, world: World, queue: str, *interceptors: Interceptor) -> list[Worker]:
    """One worker for the job and its waves, one for bulk work, as in the product."""
    common: dict[str, Any] = {"interceptors": list(interceptors)}
    return [
        Worker(
            client,
            task_queue=queue,
            workflows=[TransferJob, MoveWave],
            activities=[step for fake in JOB_FAKES for step in activities_of(fake(world))],
            workflow_runner=STRICT_RUNNER,
            activity_executor=ThreadPoolExecutor(max_workers=4),
            **common,
        ),
        Worker(
            client,
            task_queue="bulk",
            activities=[step for fake in BULK_FAKES for step in activities_of(fake(world))],
            activity_executor=ThreadPoolExecutor(max_workers=4),
            **common,
        ),
    ]


@asynccontextmanager
async def fake_office(
    server: TemporalServer,
    world: World,
    *interceptors: Interceptor,
    before: FakeOffice | None = None,
    last: bool = True,
) -> AsyncIterator[FakeOffice]:
    """The job's workers. `before`: go on with its job. Unless `last` is False, what still runs is terminated."""
    client, name = await server.connect(), before.queue if before is not None else new_task_queue()
    office = FakeOffice(world, client, name)
    if before is not None:
        office.job = before.job
    jobs, bulk = workers(client, world, name, *interceptors)
    async with running(jobs, bulk):
        try:
            yield office
        finally:  # the queue of bulk work is shared: nothing of this job may be left on it
            waves = [wave_workflow_id(office.job, number) for number in world.waves]
            for workflow_id in [transfer_workflow_id(office.job), *waves] if last else ():
                with contextlib.suppress(RPCError):
                    await client.get_workflow_handle(workflow_id).terminate()


async def until(holds: Callable[[], bool], *, within_s: float = 20) -> None:
    """Wait until something holds."""
    for _ in range(int(within_s / 0.02)):
        if holds():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it does not hold")
