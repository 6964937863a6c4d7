"""A book of people with a worker that moves it to another suite."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Interceptor, Worker

from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from compliance.payloads.converter import data_converter
from compliance.payloads.dispatch import Dispatcher
from models.domain.ids import reseal_workflow_id
from models.domain.suite_changes import SuiteName
from models.tables.suite_changes import SuiteChange
from tests.support.sealed_book import TENANT, SealedBook
from tests.support.temporal import TemporalServer
from tests.support.workers import running
from workflows.parties.reseal import Reseal
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

STEPS: Final = [
    "reseal.begin",
    "reseal.publish",
    "reseal.activate",
    "reseal.subjects",
    "reseal.branches",
    "reseal.scan",
    "reseal.close",
]


@dataclass(frozen=True, slots=True)
class ResealOffice:
    """Who starts changes, and waits for them."""

    book: SealedBook
    client: Client
    queue: str

    @property
    def dispatcher(self) -> Dispatcher:
        """As the relay has one."""
        return Dispatcher(
            client=self.client,
            cases_queue="-",
            bulk_queue=self.queue,
            task_timeout=options.WORKFLOW_TASK_TIMEOUT,
            rpc_timeout=options.RPC_TIMEOUT,
        )

    async def start(self, suite: SuiteName, *, subject: str | None = None) -> str:
        """Two persons have agreed: the workflow begins."""
        change = self.book.change(suite, subject=subject)
        assert await self.dispatcher.start(reseal_workflow_id(TENANT, change))
        return change

    async def end(self, change: str, *, within: int = 60) -> SuiteChange:
        """Wait for the workflow, whatever runs it went on in."""
        await asyncio.wait_for(self.handle(change).result(), within)
        return self.book.record_of(change)

    async def until(self, change: str, state: str) -> SuiteChange:
        """Wait until the record says so."""
        for _ in range(600):
            record = self.book.record_of(change)
            if record.state == state:
                return record
            await asyncio.sleep(0.05)
        raise AssertionError(f"{change} is {record.state}, not {state}")

    def handle(self, change: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(reseal_workflow_id(TENANT, change))


@asynccontextmanager
async def reseal_office(
    book: SealedBook,
    server: TemporalServer,
    queue: str,
    *interceptors: Interceptor,
    plain: bool = False,
    **keywords: Any,
) -> AsyncIterator[ResealOffice]:
    """The book with a worker. `plain`: payloads in clear, for histories that people read; others are of the steps."""
    converter = pydantic_data_converter if plain else data_converter(book.vault, server.namespace)
    client = await server.connect(data_converter=converter)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[Reseal],
        activities=activities_of(book.steps(**keywords)),
        workflow_runner=STRICT_RUNNER,
        activity_executor=ThreadPoolExecutor(max_workers=4),
        interceptors=[FailureTranslator(), *interceptors],
    )
    async with running(worker):
        yield ResealOffice(book, client, queue)
