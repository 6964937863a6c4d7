"""A business date as a workflow: its steps are known, can break, repeat and lose their answers; dates run in order."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.worker import Interceptor, Worker

from activities.daily import chunks
from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from compliance.payloads.converter import data_converter
from compliance.payloads.dispatch import Dispatcher
from models.contracts.daily import DailyRunInput
from models.domain.ids import catch_up_workflow_id, daily_workflow_id
from models.domain.servicing.ledger import Account
from tests.support.breakage import Breakage
from tests.support.daybook import ONE_DAY, START, TENANT, daybook, level_rows
from workflows.daily.catch_up import DailyCatchUp
from workflows.daily.run import DailyRun
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

FIRST_DUE = date(2026, 11, 26)
STEPS = [
    "daily.next_date",
    "daily.begin",
    "daily.take_replies",
    "daily.post",
    "daily.arrears",
    "daily.reminders",
    "daily.debit_orders",
    "daily.send_file",
    "daily.roll",
]


@pytest.fixture
def books(sqlite_database, vault, clock, tmp_path: Path):
    """Books with one agreement whose row falls due, one date before it."""
    with daybook(sqlite_database, vault, clock, tmp_path) as book:
        agreement = book.agree(rows=level_rows(2, start=date(2026, 10, 26)))
        book.run_until(FIRST_DUE - ONE_DAY)
        yield book, agreement


@pytest.fixture
def office(books, temporal_server, task_queue):
    """The books with a worker for the daily run."""
    book, agreement = books

    @asynccontextmanager
    async def make(*interceptors: Interceptor):
        converter = data_converter(book.vault, temporal_server.namespace)
        client = await temporal_server.connect(data_converter=converter)
        worker = Worker(
            client,
            task_queue=task_queue,
            workflows=[DailyRun, DailyCatchUp],
            activities=activities_of(book.steps),
            workflow_runner=STRICT_RUNNER,
            activity_executor=ThreadPoolExecutor(max_workers=4),
            interceptors=[FailureTranslator(), *interceptors],
        )
        async with worker:
            yield _Office(book, agreement, client, task_queue)

    return make


class _Office:
    def __init__(self, book, agreement, client, queue) -> None:
        self.book, self.agreement, self.client = book, agreement, client
        self.dispatcher = Dispatcher(
            client=client,
            cases_queue=queue,
            task_timeout=options.WORKFLOW_TASK_TIMEOUT,
            rpc_timeout=options.RPC_TIMEOUT,
        )
        self.queue = queue

    async def until(self, last: date) -> None:
        """As the API starts it; the bank works in between."""
        while (today := self.book.today()) <= last:
            self.book.clock.set(datetime(today.year, today.month, today.day, 10, tzinfo=UTC))
            self.book.bank.advance_to(today)
            assert await self.dispatcher.catch_up(tenant=TENANT, until=today)
            handle = self.client.get_workflow_handle(catch_up_workflow_id(TENANT, today.isoformat()))
            await asyncio.wait_for(handle.result(), 60)
            self.book.bank.take_files()

    def check_paid_once(self) -> None:
        """What two dates with one due row leave behind."""
        orders = self.book.orders(self.agreement)
        assert [(order.attempt, order.state, order.amount_minor) for order in orders] == [(1, "SETTLED", 101_000)]
        assert self.book.events(self.agreement) == ["activated", "payment"]
        assert self.book.check_books(FIRST_DUE + ONE_DAY)[Account.BANK_CLEARING] == 101_000
        assert self.book.news(self.agreement) == []


async def test_the_list_of_steps_is_complete(office) -> None:
    plan = Breakage()
    async with office(plan) as desk:
        await desk.until(FIRST_DUE + ONE_DAY)
        assert plan.steps() == STEPS
        desk.check_paid_once()
        assert desk.book.exceptions() == []


async def test_every_step_twice_is_every_step_once(office, monkeypatch: pytest.MonkeyPatch) -> None:
    # Called a second time inside one activity, the SDK's beat waits for itself.
    monkeypatch.setattr(chunks.activity, "heartbeat", lambda: None)
    async with office(Breakage(repeat=True)) as desk:
        await desk.until(FIRST_DUE + ONE_DAY)
        desk.check_paid_once()


async def test_a_step_whose_answer_is_lost_is_done_once(office) -> None:
    plan = Breakage(lose_answer_of=STEPS)
    async with office(plan) as desk:
        await desk.until(FIRST_DUE + ONE_DAY)
        assert plan.failed == dict.fromkeys(STEPS, 1)
        desk.check_paid_once()


async def test_a_broken_step_is_filed_and_tried_again_before_the_next_begins(office) -> None:
    steps = STEPS[2:]
    plan = Breakage(fail_at=steps, fail_times=1)
    async with office(plan) as desk:
        await desk.until(FIRST_DUE + ONE_DAY)
        desk.check_paid_once()
        assert [code for _, code in desk.book.exceptions()] == ["InjectedFailure"] * len(steps)
        first_date = plan.seen[plan.seen.index(steps[0]) :][: 3 * len(steps)]
        assert first_date == [name for step in steps for name in (step, "daily.note_failure", step)]


async def test_missed_dates_are_caught_up_in_order_by_whoever_asks(office) -> None:
    async with office() as desk:
        last = FIRST_DUE + timedelta(days=5)
        desk.book.clock.set(datetime(2026, 12, 2, 10, tzinfo=UTC))
        assert await desk.dispatcher.catch_up(tenant=TENANT, until=last)
        assert await desk.dispatcher.catch_up(tenant=TENANT, until=last - ONE_DAY)
        for day in (last, last - ONE_DAY):
            handle = desk.client.get_workflow_handle(catch_up_workflow_id(TENANT, day.isoformat()))
            await asyncio.wait_for(handle.result(), 60)
        assert desk.book.today() == last + ONE_DAY
        days = [START + timedelta(days=number) for number in range((last - START).days + 1)]
        assert [desk.book.run_of(day).state for day in days] == ["DONE"] * len(days)
        assert len(desk.book.orders(desk.agreement)) == 1


async def test_a_date_that_was_closed_is_left_alone(office) -> None:
    plan = Breakage()
    async with office(plan) as desk:
        done = desk.book.today() - ONE_DAY
        await desk.client.execute_workflow(
            DailyRun.run,
            DailyRunInput(tenant=TENANT, business_date=done.isoformat()),
            id=daily_workflow_id(TENANT, done.isoformat()),
            task_queue=desk.queue,
        )
        assert plan.steps() == ["daily.begin"]
