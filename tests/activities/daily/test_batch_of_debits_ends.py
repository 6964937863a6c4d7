"""The run of a date's debits over its real records: started by the outbox, followed to its end, closed by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col
from temporalio.client import Client
from temporalio.worker import Worker

from activities.batches.bank_steps import SqlBatchBank
from activities.batches.run_steps import SqlBatchRun
from activities.batches.settle_steps import SqlSettle
from activities.duties.relay import Relay
from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from activities.tasks.platform import SqlPlatform
from compliance.payloads.dispatch import Dispatcher
from deploy.demo.mock_bank import Fate, rejected
from models.domain.ids import batch_workflow_id
from models.tables.batch_books import BatchPaper, BatchReport
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.tasks import Task
from tests.support.daybook import ONE_DAY, Daybook, daybook, fate_of, level_rows
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.workers import running
from workflows.batches.run import BatchRun as RunWorkflow
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

pytestmark = pytest.mark.temporal

FIRST_DUE = date(2026, 11, 26)


@pytest.fixture
def book(database, vault, clock, tmp_path: Path) -> Iterator[Daybook]:
    with daybook(database, vault, clock, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def workers(book: Daybook, server: TemporalServer) -> AsyncIterator[tuple[Client, Dispatcher]]:
    """As the product has them for runs of batches and for bulk work."""
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
    database, clock = book.database, book.clock
    of_runs = (SqlPlatform(database, clock), SqlBatchRun(database, clock))
    of_bulk = (
        SqlBatchBank(database, clock, book.vault, book.steps.bank_of),
        SqlSettle(database, book.vault, clock, book.is_bank_day),
    )
    runs = Worker(
        client,
        task_queue=queue,
        workflows=[RunWorkflow],
        activities=[step for adapter in of_runs for step in activities_of(adapter)],
        workflow_runner=STRICT_RUNNER,
        **common,
    )
    bulk = Worker(
        client,
        task_queue="bulk",
        activities=[step for adapter in of_bulk for step in activities_of(adapter)],
        **common,
    )
    async with running(runs, bulk):
        yield client, dispatcher


def run_of(book: Daybook) -> BatchRun:
    (run,) = book.all(BatchRun, col(BatchRun.business_date) == FIRST_DUE)
    return run


async def test_it_waits_for_the_answers_reconciles_reports_and_closes(
    book: Daybook, temporal_server: TemporalServer
) -> None:
    rows = level_rows(1, start=date(2026, 10, 26))
    paid, refused, back = (book.agree(rows=rows) for _ in range(3))
    fate_of(book, refused, rejected())
    fate_of(book, back, Fate(reason="AM04", days=1))
    book.run_until(FIRST_DUE, check=False)
    token = run_of(book).token
    async with workers(book, temporal_server) as (client, dispatcher):
        relay = Relay(book.database, dispatcher, book.clock)
        while run_of(book).stage != "awaiting":
            book.clock.advance(seconds=30)
            await relay.run_once(book.clock())
            await asyncio.sleep(0.2)
        await asyncio.to_thread(book.run_until, FIRST_DUE + 6 * ONE_DAY)
        await dispatcher.nudge(batch_workflow_id(token))
        handle = client.get_workflow_handle(batch_workflow_id(token))
        assert (await asyncio.wait_for(handle.result(), 60))["outcome"] == "completed"
    run = run_of(book)
    assert (run.stage, run.outcome, run.reason_code) == ("ended", "completed", None)
    assert book.all(Task, col(Task.case_token) == token) == [], "no person was asked"
    ends = {each.mandate_id: each.final_state for each in book.all(BatchOrder, col(BatchOrder.run) == token)}
    assert ends == {paid.mandate_id: "settled", refused.mandate_id: "rejected", back.mandate_id: "returned"}
    kept = run.counts["reconciled"]
    assert (kept["orders"], kept["inFiles"], kept["filesMinor"], kept["differs"]) == (3, 3, 303_000, [])
    assert kept["bookedMinor"] == kept["statementMinor"] == kept["settledMinor"] == 101_000
    (report,) = book.all(BatchReport, col(BatchReport.run) == token)
    assert report.body["run"]["origin"] == "daily"
    forms = sorted((each.form, each.locale) for each in book.all(BatchPaper, col(BatchPaper.report) == report.id))
    assert forms == [(form, locale) for form in ("html", "json", "pdf") for locale in ("en", "zh-CN")]
