"""Moved records are checked again by sample: what breaks a rule is a follow-up, and the clock starts it by itself."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlmodel import select
from temporalio.client import ScheduleHandle
from temporalio.worker import Worker

from activities.duties.accuracy_scheduler import AccuracyScheduler
from activities.support.registry import activities_of
from activities.transfers.accuracy import SqlAccuracy, drawn
from compliance.audit.unit import unit_of_work
from compliance.payloads.connect import connect
from compliance.vault.customer_layout import Customer, seal_customers
from models.contracts.transfer_accuracy import AccuracyInput
from models.domain.ids import accuracy_schedule_id
from models.domain.tokens import new_token
from models.tables.customers import CustomerRecord
from models.tables.tasks import Task
from models.tables.transfer_notices import TransferFollowUp
from tests.support.telling import TARGET, Telling, customer
from tests.support.temporal import TemporalServer
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.accuracy import AccuracyScheduled

RIGHT = {
    "name": "张三",
    "id_type": "passport",
    "id_number": "E12345678",
    "nationality": "CHN",
    "mobile": "+8613800000001",
}


def moved(telling: Telling, number: int, **changes: str) -> None:
    """The record that a row became."""
    record, subject, now = new_token("cus"), new_token("sub"), telling.clock()
    values = {**customer(number), **RIGHT, **changes, "account": None}
    wanted = Customer(id=record, subject=subject, values=values)
    (stored,) = seal_customers(telling.vault, tenant=TARGET, customers=[wanted], create=True)
    with unit_of_work(telling.database, telling.deed()) as unit:
        row = CustomerRecord(
            id=record, tenant=TARGET, subject_id=subject, created_at=now, updated_at=now, **stored.columns
        )
        unit.session.add(row)
    telling.change_row(number, target_record=record, move="moved")


def test_a_record_that_breaks_a_rule_is_a_follow_up_without_its_value(telling: Telling) -> None:
    telling.open(customer(1), customer(2), customer(3))
    telling.plan()
    moved(telling, 1)
    moved(telling, 2, mobile="+861")
    check = SqlAccuracy(telling.database, telling.vault, telling.clock)
    wanted = AccuracyInput(tenant=TARGET, on="2026-11-24")
    first, again = check.check_accuracy(wanted), check.check_accuracy(wanted)
    assert (first.checked, first.findings) == (again.checked, again.findings) == (2, 1)
    with telling.database.read() as session:
        follow_up = session.exec(select(TransferFollowUp)).one()
        task = session.exec(select(Task)).one()
    assert (follow_up.kind, follow_up.row_number) == ("accuracy", 2)
    assert task.shown["faults"] == [{"field": "mobile", "rule": "mobile"}]
    assert "+861" not in repr(task.model_dump())


def test_the_sample_follows_from_job_and_date_alone() -> None:
    first = drawn("main.x", "2026-11-24", rows=100_000, count=50)
    assert first == drawn("main.x", "2026-11-24", rows=100_000, count=50)
    assert first != drawn("main.x", "2026-11-25", rows=100_000, count=50)
    assert all(1 <= number <= 100_000 for number in first)
    assert set(drawn("main.x", "2026-11-24", rows=3, count=50)) == {1, 2, 3}


async def test_the_clock_starts_it_without_arguments(
    telling: Telling, temporal_server: TemporalServer, task_queue: str
) -> None:
    telling.open(customer(1)).plan()
    moved(telling, 1, mobile="+861")
    client = await connect(address=temporal_server.address, namespace="default", vault=telling.vault)
    duty = AccuracyScheduler(telling.database, client, task_queue, options.WORKFLOW_TASK_TIMEOUT, options.RPC_TIMEOUT)
    handle = client.get_schedule_handle(accuracy_schedule_id(TARGET))
    try:
        assert await duty.run_once(telling.clock()) == 1
        assert await duty.run_once(telling.clock()) == 0
        check = SqlAccuracy(telling.database, telling.vault, telling.clock)
        with ThreadPoolExecutor(2) as pool:
            async with Worker(
                client,
                task_queue=task_queue,
                workflows=[AccuracyScheduled],
                activities=activities_of(check),
                activity_executor=pool,
                workflow_runner=STRICT_RUNNER,
                graceful_shutdown_timeout=timedelta(seconds=1),
            ):
                await asyncio.wait_for(_found(telling, handle), 30)
    finally:
        await handle.delete()


async def _found(telling: Telling, handle: ScheduleHandle) -> None:
    # What a Schedule starts is named by the second: another test's may bear the same name, then it starts nothing.
    for looks in itertools.count():
        if looks % 15 == 0:
            await handle.trigger()
        with telling.database.read() as session:
            if session.exec(select(TransferFollowUp)).first() is not None:
                return
        await asyncio.sleep(0.1)
