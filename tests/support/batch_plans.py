"""A plan's dates whose port is in memory: what stands for a date, look by look."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.support.registry import activities_of
from models.contracts.batch_plans import PlannedDate, PlannedRun
from tests.support.temporal import new_task_queue
from tests.support.workers import running
from workflows.batches.scheduled import BatchScheduled
from workflows.ports.batch_plans import BatchPlanPort
from workflows.support.sandbox import STRICT_RUNNER


@dataclass
class FakePlans(BatchPlanPort):
    """Answers one after the other; the last one stays."""

    answers: list[PlannedRun]
    asked: list[PlannedDate] = field(default_factory=list)

    @activity.defn(name="batches.begin_planned", no_thread_cancel_exception=True)
    def begin_planned(self, input: PlannedDate) -> PlannedRun:
        self.asked.append(input)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def plan_worker(client: Client, plans: FakePlans, *interceptors: Interceptor) -> AsyncIterator[str]:
    """A worker for dates of plans; gives its queue."""
    queue = new_task_queue()
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[BatchScheduled],
        activities=activities_of(plans),
        activity_executor=ThreadPoolExecutor(max_workers=2),
        workflow_runner=STRICT_RUNNER,
        interceptors=list(interceptors),
    )
    async with running(worker):
        yield queue
