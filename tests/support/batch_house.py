"""A house that runs batches whole: the app over HTTP, workers with every real adapter, and the mock bank beyond.

Nothing of the product is stood in for but its clock, and the waits between two looks, which a nudge ends.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import httpx
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.batches.bank_steps import SqlBatchBank
from activities.batches.run_steps import SqlBatchRun
from activities.gateways.bank.folder import BankFolders, FolderBank
from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from activities.tasks.platform import SqlPlatform
from compliance.payloads.dispatch import Dispatcher
from compliance.vault.keyring import Vault
from deploy.assemble_batches import BatchParts, batch_adapters
from deploy.demo.mock_bank import MockBank, running_mock_bank
from models.contracts.batch_run import RunStep
from models.database.engine import Database
from models.domain.batches.states import OrderState, RunStage
from models.domain.daily import ReplyState
from models.domain.ids import batch_workflow_id
from models.domain.roles import Role
from models.domain.states import CHECKER_TASKS, OPEN_TASK_STATES, Outcome, TaskType
from models.operations.agreements import set_first_business_date
from models.queries.daily import business_date_row
from models.tables.batch_books import BatchEntry, BatchSuspense
from models.tables.batch_clients import FundingAccount
from models.tables.batch_imports import BatchRow
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import BankReply
from models.tables.staff import Staff
from models.tables.tasks import Task
from tests.support.api import Office, open_office
from tests.support.batch_books import BatchBooks
from tests.support.clock import FakeClock
from tests.support.daybook import START, TENANT, Daybook
from tests.support.temporal import TemporalServer, new_task_queue
from tests.support.workers import running
from workflows.batches.run import BatchRun as RunWorkflow
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

WITHIN_S: Final = 60


@dataclass
class BatchHouse:
    """The people of a bank, their app, and the bank at the other end."""

    office: Office
    book: Daybook
    bank: MockBank
    client: Client
    bank_steps: SqlBatchBank
    operator: Staff = field(init=False)
    approver: Staff = field(init=False)
    keys: int = 0

    def __post_init__(self) -> None:
        self.operator = self.office.staff("operator", Role.BATCH_OPERATOR, branch="hq")
        self.approver = self.office.staff("approver", Role.BATCH_APPROVER, branch="hq")

    # -- over HTTP -----------------------------------------------------------------------------------------------------

    async def post(
        self, path: str, body: dict[str, Any] | None = None, *, by: Staff | None = None, **content: Any
    ) -> Any:
        """What is answered, which is a success."""
        answer = await self.ask(path, body, by=by, **content)
        assert answer.is_success, answer.text
        return answer.json()

    async def ask(
        self, path: str, body: dict[str, Any] | None = None, *, by: Staff | None = None, **content: Any
    ) -> httpx.Response:
        """The answer, under a key of its own."""
        self.keys += 1
        headers = {"Idempotency-Key": f"key-{self.keys}", **content.pop("headers", {})}
        async with self.office.client(by or self.operator) as client:
            return await client.post(path, json=body, headers=headers, **content)

    async def get(self, path: str) -> Any:
        async with self.office.client(self.operator) as client:
            return (await client.get(path)).json()

    async def send_file(self, run: str, content: bytes, **fields: str) -> httpx.Response:
        """The run's file, as a form."""
        sent = {"file": ("rows.csv", content, "text/csv")}
        return await self.ask(f"/v1/batches/{run}/file", data=fields, files=sent)

    async def rules(self, name: str, kind: str) -> None:
        """A rule set in force: drafted, tried and proposed by one person, approved by another."""
        rules = {
            "source": "house decision 7",
            "validFrom": "2026-01-01",
            "repayment": [{"id": "all-due", "source": "house decision 7"}],
        }
        await self.post("/v1/batch-rule-sets", {"name": name, "kind": kind, "rules": rules})
        path = f"/v1/batch-rule-sets/{name}/versions/1"
        sample = {"rows": [{"row": "r1", "principalMinor": 500}], "expected": {"all-due": 1}}
        await self.post(f"{path}/test", sample)
        proposed = await self.post(f"{path}/proposal")
        word = {"outcome": "approve", "shownHash": proposed["shownHash"]}
        await self.post(f"{path}/decision", word, by=self.approver)

    async def decide(self, task: Task, outcome: Outcome, *, by: Staff | None = None, **more: Any) -> None:
        """Answer a task as its form is sent."""
        person = by or self.approver
        async with self.office.client(person) as client:
            tag = (await client.get(f"/v1/tasks/{task.id}")).headers["ETag"]
        body = {"outcome": outcome.value, **more}
        if task.type in CHECKER_TASKS:
            body["shownHash"] = task.shown_hash
        await self.post(f"/v1/tasks/{task.id}/decisions", body, by=person, headers={"If-Match": tag})

    # -- the run -------------------------------------------------------------------------------------------------------

    async def until(self, run: str, holds: Callable[[], bool]) -> None:
        """Wait until something holds, having the run look again meanwhile."""
        for at in range(int(WITHIN_S / 0.05)):
            if holds():
                return
            if at % 10 == 0:
                await self.office.deps.dispatcher.nudge(batch_workflow_id(run))
            await asyncio.sleep(0.05)
        waiting = [(each.type, each.shown) for each in self.all(Task, col(Task.state).in_(OPEN_TASK_STATES))]
        raise AssertionError(f"stage {self.run(run).stage}; open tasks {waiting}; orders {self.states(run)}")

    async def task(self, run: str, task_type: TaskType) -> Task:
        """The open task of this type."""
        await self.until(run, lambda: bool(self.tasks(task_type)))
        return self.tasks(task_type)[0]

    def tasks(self, task_type: TaskType) -> list[Task]:
        """Open tasks of this type."""
        return self.all(Task, col(Task.type) == task_type, col(Task.state).in_(OPEN_TASK_STATES))

    async def reach(self, run: str, stage: RunStage) -> None:
        """Wait until the run stands in the stage."""
        await self.until(run, lambda: self.run(run).stage == stage)

    async def end(self, run: str) -> Any:
        """How the run ended."""
        handle = self.client.get_workflow_handle(batch_workflow_id(run))
        return await asyncio.wait_for(handle.result(), WITHIN_S)

    # -- days ----------------------------------------------------------------------------------------------------------

    def to(self, day: date) -> None:
        """The business date, the wall clock and the bank's date; the bank does what is due."""
        self.bank.advance_to(day)  # first: a run that looks in between must not believe that the bank is silent
        self.ahead_to(day)

    def ahead_to(self, day: date) -> None:
        """The house's date without the bank's: what it sends meanwhile is accepted, and not booked before that day."""
        self.book.clock.set(datetime(day.year, day.month, day.day, 2, tzinfo=UTC))  # ten o'clock in Shanghai

        def move(session: Any) -> None:
            row = business_date_row(session, tenant=TENANT)
            row.today = day
            session.add(row)

        self.book.change(move)

    async def taken(self, run: str) -> None:
        """Wait until all that the bank has sent is read."""
        inbox = self.book.folders.inbox
        # A run that is past the bank's answers takes no more of them.
        await self.until(run, lambda: self.run(run).stage != RunStage.AWAITING or not any(inbox.iterdir()))

    async def looked(self, run: str) -> None:
        """Have the run look, and wait until it has read and followed all that was there."""
        await self.taken(run)
        await self.office.deps.dispatcher.nudge(batch_workflow_id(run))
        queued = (OrderState.QUEUED, OrderState.IN_FILE)
        await self.until(
            run,
            lambda: (
                not self.all(BankReply, col(BankReply.state) == ReplyState.NEW)
                and not set(self.states(run)).intersection(queued)
                and not self._tries_due(run)
            ),
        )

    def _tries_due(self, run: str) -> bool:
        today = self.book.today()
        return any(
            each.final_state is None
            and each.state in (OrderState.REJECTED, OrderState.RETURNED)
            and each.next_try_on is not None
            and each.next_try_on <= today
            for each in self.orders(run)
        )

    async def deliver_again(self, run: str) -> None:
        """Every file goes both ways once more, under other names; the run's own step reads what comes."""
        for number, path in enumerate(sorted(self.book.folders.done.iterdir())):
            shutil.copy(path, self.book.folders.inbox / f"again-{number}-{path.name}")
        self.bank_steps.take_replies(RunStep(run=run))

    # -- what the records say ------------------------------------------------------------------------------------------

    def all(self, table: type[Any], *conditions: Any) -> list[Any]:
        return self.book.all(table, *conditions)

    def run(self, run: str) -> BatchRun:
        with self.book.database.read() as session:
            return session.get_one(BatchRun, run)

    def orders(self, run: str) -> list[BatchOrder]:
        found = self.all(BatchOrder, col(BatchOrder.run) == run)
        return sorted(found, key=lambda order: (order.member, order.attempt))

    def states(self, run: str) -> list[str]:
        return [order.state for order in self.orders(run)]

    def balances(self) -> dict[str, int]:
        """Of every account of the books of batches that is not nought; they add up to zero."""
        found: dict[str, int] = {}
        for entry in self.all(BatchEntry):
            found[entry.account] = found.get(entry.account, 0) + entry.amount_minor
        assert sum(found.values()) == 0
        return {name: amount for name, amount in found.items() if amount}

    def picture(self) -> list[Any]:
        """All that money and rows are known by, for comparing two moments."""
        tables = (BatchOrder, BatchOutcome, BatchEntry, BatchSuspense, BatchRow, FundingAccount)
        with self.book.database.read() as session:
            found = [row.model_dump() for table in tables for row in session.exec(select(table)).all()]
        return sorted(map(repr, found))


@asynccontextmanager
async def batch_house(
    database: Database, vault: Vault, clock: FakeClock, folder: Path, server: TemporalServer
) -> AsyncIterator[BatchHouse]:
    """Open the house on a Monday."""
    client, queue, files = await server.connect(), new_task_queue(), folder / "files"
    files.mkdir()
    dispatcher = Dispatcher(
        client=client,
        cases_queue=queue,
        task_timeout=options.WORKFLOW_TASK_TIMEOUT,
        rpc_timeout=options.RPC_TIMEOUT,
    )
    office = open_office(database, vault, clock, files, dispatcher=dispatcher)
    book = Daybook(database, vault, clock, BankFolders(folder / "exchange"))
    book.change(lambda session: set_first_business_date(session, tenant=TENANT, today=START, now=clock()))
    settings: Any = SimpleNamespace(data=SimpleNamespace(files=files), exchange=folder / "exchange")
    adapters = batch_adapters(BatchParts(settings, database, vault, clock))
    bank_steps = next(each for each in adapters if isinstance(each, SqlBatchBank))
    # The bank's files carry the machine's time, and the clock here is a test's: no file is too young.
    port = FolderBank(book.folders, clock, settle_for=timedelta(days=-36500))
    bank_steps.bank_of = lambda _tenant: book.connection(port)
    common: dict[str, Any] = {
        "interceptors": [FailureTranslator()],
        "activity_executor": ThreadPoolExecutor(max_workers=4),
    }
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
        client, task_queue="bulk", activities=[step for each in adapters for step in activities_of(each)], **common
    )
    with running_mock_bank(book.folders, today=START, fate=book.fates) as bank:
        book.bank = bank
        async with running(runs, bulk):
            house = BatchHouse(office, book, bank, client, bank_steps)
            BatchBooks(book).assessed()
            house.to(START)
            yield house
