"""The clock starts the daily run: one schedule per institution with open books, none for sandboxes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio import workflow
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.duties.scheduler import Scheduler
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.converter import data_converter
from models.contracts.daily import CatchUpInput
from models.domain.ids import catch_up_workflow_id, daily_schedule_id
from models.operations.agreements import set_first_business_date
from models.tables.tenants import Tenant
from workflows.daily.scheduled import DailyScheduled
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@workflow.defn(name="daily.catch_up", sandboxed=False)
class CaughtUp:
    """Stands where the dates would be run."""

    @workflow.run
    async def run(self, input: CatchUpInput) -> CatchUpInput:
        return input


@pytest.fixture
def bank(sqlite_database, vault, temporal_server, task_queue):
    """Two institutions: one with open books, one whose books are closed yet; and their scheduler."""
    vault.ensure_tenant("sched")

    def change(act: Any) -> None:
        deed = Deed(tenant="sched", action="test.prepared", target="test", actor="test", at=NOW)
        with unit_of_work(sqlite_database, deed) as unit:
            act(unit.session)

    def fill(session: Any) -> None:
        session.add_all([Tenant(code=code, name="-", created_at=NOW) for code in ("sched", "closed")])
        session.flush()
        set_first_business_date(session, tenant="sched", today=NOW.date(), now=NOW)

    change(fill)

    async def make(hour: int | None) -> tuple[Scheduler, Any]:
        converter = data_converter(vault, temporal_server.namespace)
        client = await temporal_server.connect(data_converter=converter)
        duty = Scheduler(
            sqlite_database,
            client,
            queue=task_queue,
            hour=hour,
            task_timeout=options.WORKFLOW_TASK_TIMEOUT,
            rpc_timeout=options.RPC_TIMEOUT,
        )
        return duty, client

    return make, change


async def hours_of(client: Any, tenant: str) -> list[int]:
    """The hours at which a tenant's schedule starts something, in UTC."""
    found = await client.get_schedule_handle(daily_schedule_id(tenant)).describe()
    return [each.start for spec in found.schedule.spec.calendars for each in spec.hour]


async def test_an_open_institution_is_scheduled_once_and_follows_the_setting_and_a_sandbox_is_not(bank) -> None:
    make, change = bank
    evening, client = await make(20)
    assert await evening.run_once(NOW) == 2
    assert await evening.run_once(NOW) == 0  # nothing has changed
    assert await hours_of(client, "sched") == [12]
    with pytest.raises(RPCError):
        await hours_of(client, "closed")
    morning, _ = await make(6)  # another process, another setting
    await morning.run_once(NOW)
    assert await hours_of(client, "sched") == [22]  # of the day before
    change(lambda session: setattr(session.get_one(Tenant, "sched"), "sandbox", True))
    await morning.run_once(NOW)
    with pytest.raises(RPCError):
        await hours_of(client, "sched")
    off, _ = await make(None)
    assert await off.run_once(NOW) == 2


async def test_what_the_clock_starts_brings_the_books_up_to_the_day_in_shanghai(bank, task_queue) -> None:
    make, _ = bank
    duty, client = await make(20)
    await duty.run_once(NOW)
    handle = client.get_schedule_handle(daily_schedule_id("sched"))
    async with Worker(
        client, task_queue=task_queue, workflows=[DailyScheduled, CaughtUp], workflow_runner=STRICT_RUNNER
    ):
        before = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        await handle.trigger()
        started = await asyncio.wait_for(_first_result(client, before), 30)
        # Temporal hands the result of each start to the next one, which must open it.
        await asyncio.wait_for(_completed(handle, client, 3), 30)
    assert started.tenant == "sched"
    assert before.isoformat() <= started.until <= (before + timedelta(days=1)).isoformat()
    await handle.delete()


async def _first_result(client: Any, day: Any) -> CatchUpInput:
    """What the catch-up was given; its id is the day on which it was due."""
    while True:
        for until in (day, day + timedelta(days=1)):
            handle = client.get_workflow_handle(
                catch_up_workflow_id("sched", until.isoformat()), result_type=CatchUpInput
            )
            try:
                return await handle.result()
            except RPCError:
                await asyncio.sleep(0.1)


async def _completed(schedule: Any, client: Any, times: int) -> None:
    """Trigger until so many runs have come to their end; two within one second are one run."""
    ended: set[str] = set()
    while len(ended) < times:
        await schedule.trigger()
        for each in (await schedule.describe()).info.recent_actions:
            await client.get_workflow_handle(each.action.workflow_id).result()
            ended.add(each.action.workflow_id)
        await asyncio.sleep(0.2)
