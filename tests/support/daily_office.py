"""An office that runs business dates for real: books, a bank, and a worker for the daily run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Interceptor, Worker

from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from compliance.payloads.converter import data_converter
from compliance.payloads.dispatch import Dispatcher
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.ids import catch_up_workflow_id
from models.domain.servicing.ledger import Account
from tests.support.clock import FakeClock
from tests.support.daybook import ONE_DAY, TENANT, Daybook, daybook, level_rows
from tests.support.temporal import TemporalServer
from tests.support.workers import running
from workflows.daily.catch_up import DailyCatchUp
from workflows.daily.run import DailyRun
from workflows.daily.scheduled import DailyScheduled
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

FIRST_DUE: Final = date(2026, 11, 26)


@dataclass(frozen=True, slots=True)
class DailyOffice:
    """Books with one agreement, and who starts their dates."""

    book: Daybook
    agreement: str
    client: Client
    queue: str

    @property
    def dispatcher(self) -> Dispatcher:
        """As the API has one."""
        return Dispatcher(
            client=self.client,
            cases_queue=self.queue,
            task_timeout=options.WORKFLOW_TASK_TIMEOUT,
            rpc_timeout=options.RPC_TIMEOUT,
        )

    async def until(self, last: date) -> None:
        """As the API starts it, date by date; the bank works in between."""
        while (today := self.book.today()) <= last:
            self.book.clock.set(datetime(today.year, today.month, today.day, 10, tzinfo=UTC))
            self.book.bank.advance_to(today)
            await self.catch_up(today)
            self.book.bank.take_files()

    async def catch_up(self, *days: date) -> None:
        """Ask for dates up to each of these, and wait."""
        for day in days:
            assert await self.dispatcher.catch_up(tenant=TENANT, until=day)
        for day in days:
            handle = self.client.get_workflow_handle(catch_up_workflow_id(TENANT, day.isoformat()))
            await asyncio.wait_for(handle.result(), 60)

    def check_paid_once(self) -> None:
        """What two dates with one due row leave behind."""
        orders = self.book.orders(self.agreement)
        assert [(order.attempt, order.state, order.amount_minor) for order in orders] == [(1, "SETTLED", 101_000)]
        assert self.book.events(self.agreement) == ["activated", "payment"]
        assert self.book.check_books(FIRST_DUE + ONE_DAY)[Account.BANK_CLEARING] == 101_000
        assert self.book.news(self.agreement) == []


@contextmanager
def books_before_due(database: Database, vault: Vault, clock: FakeClock, folder: Path) -> Iterator[tuple[Daybook, str]]:
    """Books with one agreement whose row falls due, one date before it."""
    with daybook(database, vault, clock, folder) as book:
        agreement = book.agree(rows=level_rows(2, start=date(2026, 10, 26)))
        book.run_until(FIRST_DUE - ONE_DAY)
        yield book, agreement


@asynccontextmanager
async def daily_office(
    books: tuple[Daybook, str], server: TemporalServer, queue: str, *interceptors: Interceptor, plain: bool = False
) -> AsyncIterator[DailyOffice]:
    """The books with a worker for the daily run. `plain`: payloads in clear, for histories that people read."""
    book, agreement = books
    converter = pydantic_data_converter if plain else data_converter(book.vault, server.namespace)
    client = await server.connect(data_converter=converter)
    worker = Worker(
        client,
        task_queue=queue,
        workflows=[DailyRun, DailyCatchUp, DailyScheduled],
        activities=activities_of(book.steps),
        workflow_runner=STRICT_RUNNER,
        activity_executor=ThreadPoolExecutor(max_workers=4),
        interceptors=[FailureTranslator(), *interceptors],
    )
    async with running(worker):
        yield DailyOffice(book, agreement, client, queue)
