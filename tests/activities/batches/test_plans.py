"""A plan's run of a date is begun once, whoever asks; Temporal's schedules follow the rows, and fill back."""

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col
from temporalio.client import ScheduleOverlapPolicy
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities.batches.judging import Judge
from activities.batches.plan_steps import SqlBatchPlans
from activities.batches.rules_steps import SqlRules
from activities.duties.batch_scheduler import BatchScheduler
from activities.support.registry import activities_of
from compliance.audit.unit import unit_of_work
from compliance.payloads.converter import data_converter
from compliance.vault.keyring import Vault
from models.contracts.batch_plans import PlannedDate
from models.contracts.batch_run import RunStep
from models.database.engine import Database
from models.domain.batches.kinds import KindName
from models.domain.batches.plans import LeftOut, Overlap, PlanState, Rhythm
from models.domain.batches.states import RunStage
from models.domain.ids import batch_schedule_id, batch_workflow_id
from models.domain.tokens import new_token
from models.errors import FourEyesViolation
from models.operations.batches import plans
from models.operations.four_eyes import By
from models.tables.audit import AuditEvent
from models.tables.batch_plans import BatchBackfill, BatchPlan
from models.tables.batch_rules import BatchRuleSet
from models.tables.batch_runs import BatchRun
from models.tables.platform import OutboxEntry
from models.tables.tenants import Tenant
from tests.support.batch_books import MAKER, STATED, BatchBooks
from tests.support.clock import FakeClock
from tests.support.daybook import START, TENANT, daybook
from tests.support.temporal import TemporalServer
from tests.support.transfer_office import until
from workflows.batches.scheduled import BatchScheduled
from workflows.support import options
from workflows.support.sandbox import STRICT_RUNNER

CHECKER = By(tenant=TENANT, staff_id="stf_checker", person_id="prs_checker")


def weekday(day: date) -> bool:
    if day.year > START.year:
        raise LookupError(day)
    return day.weekday() < 5


def proposed(books: BatchBooks, **given: Any) -> BatchPlan:
    now = books.book.clock()
    values: dict[str, Any] = {
        "name": "nightly",
        "kind": KindName.FEE_COLLECTION.value,
        "branch": "sh-01",
        "criteria": {"stated": STATED, "fee": {"code": "annual", "amountMinor": 20_000}},
        "rule_set": "fees",
        "rhythm": Rhythm.BANK_DAYS.value,
        "hour": 9,
        "overlap": Overlap.SKIP.value,
        "catch_up_hours": 12,
    }
    if not books.book.all(BatchRuleSet):
        books.rules(KindName.FEE_COLLECTION, "fees")
    plan = BatchPlan(
        id=new_token("bpl"),
        tenant=TENANT,
        state=PlanState.PROPOSED.value,
        shown_hash="",
        made_by=MAKER.staff_id,
        made_by_person=MAKER.person_id,
        created_at=now,
        updated_at=now,
        **(values | given),
    )
    with unit_of_work(books.book.database, books.deed("batch.plan-proposed")) as unit:
        plans.propose_plan(unit.session, plan, on=START, by=MAKER, now=now)
        return plan


def decide(books: BatchBooks, plan: BatchPlan, *, by: By = CHECKER) -> BatchPlan:
    with unit_of_work(books.book.database, books.deed("batch.plan-confirmed")) as unit:
        found = unit.session.get_one(BatchPlan, plan.id)
        keywords: dict[str, Any] = {"approve": True, "shown": plan.shown_hash, "reason_code": None}
        plans.decide_plan(unit.session, found, by=by, now=books.book.clock(), **keywords)
        return found


def steps(books: BatchBooks) -> SqlBatchPlans:
    return SqlBatchPlans(books.book.database, books.book.vault, books.book.clock, weekday)


def on(plan: BatchPlan, day: date) -> PlannedDate:
    return PlannedDate(plan=plan.id, on=day.isoformat())


def test_a_date_has_one_run_whoever_asks_and_it_holds_the_plan_until_its_files_are_out(books: BatchBooks) -> None:
    plan, begin = decide(books, proposed(books)), steps(books).begin_planned
    with ThreadPoolExecutor(max_workers=4) as pool:
        found = list(pool.map(lambda _: begin(on(plan, START)), range(4)))
    assert {each.under_way for each in found} == {True}
    (run,) = books.book.all(BatchRun)
    assert {each.run for each in found} == {run.token}
    assert (run.origin, run.business_date, run.created_by_person) == ("schedule", START, MAKER.person_id)
    assert len(books.book.all(OutboxEntry, col(OutboxEntry.workflow_id) == batch_workflow_id(run.token))) == 1
    rules = SqlRules(books.book.database, books.book.clock, Judge(weekday))
    assert rules.bind_rules(RunStep(run=run.token)).version == "fees/1", "of the set that the plan names"
    books.change(BatchRun, run.token, stage=RunStage.AWAITING.value)
    assert not begin(on(plan, START)).under_way


def test_a_date_without_a_run_says_why_and_one_ahead_of_the_books_waits(books: BatchBooks) -> None:
    plan = proposed(books)
    begin = steps(books).begin_planned
    assert begin(on(plan, START)).left_out == LeftOut.NOT_ACTIVE, "it has no second person yet"
    with pytest.raises(FourEyesViolation):
        decide(books, plan, by=MAKER)
    decide(books, plan)
    weekend = next(START - timedelta(days=back) for back in range(7) if not weekday(START - timedelta(days=back)))
    assert begin(on(plan, weekend)).left_out == LeftOut.NOT_DUE
    assert begin(on(plan, date(START.year + 1, 1, 5))).left_out == LeftOut.NO_CALENDAR
    ahead = next(START + timedelta(days=at) for at in range(1, 7) if weekday(START + timedelta(days=at)))
    waits = begin(on(plan, ahead))
    assert (waits.under_way, waits.run) == (True, None)
    assert books.book.all(BatchRun) == []
    told = books.book.all(AuditEvent, col(AuditEvent.action) == "batch.plan-date-left-out")
    assert sorted(json.loads(each.body)["facts"]["reason"] for each in told) == [
        LeftOut.NO_CALENDAR,
        LeftOut.NOT_ACTIVE,
    ]


# -- Temporal ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def one_bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBooks]:
    with daybook(sqlite_database, vault, clock, tmp_path, with_bank=False) as book:
        yield BatchBooks(book)


async def _duty(books: BatchBooks, server: TemporalServer, queue: str) -> BatchScheduler:
    client = await server.connect(data_converter=data_converter(books.book.vault, server.namespace))
    return BatchScheduler(books.book.database, client, queue, options.WORKFLOW_TASK_TIMEOUT, options.RPC_TIMEOUT)


@pytest.mark.temporal
async def test_the_schedule_follows_the_row(
    one_bank: BatchBooks, temporal_server: TemporalServer, task_queue: str
) -> None:
    books, now = one_bank, one_bank.book.clock()
    books.change(Tenant, TENANT, sandbox=False)
    waiting, plan = proposed(books, name="later"), decide(books, proposed(books, overlap="buffer-one", hour=2))
    duty = await _duty(books, temporal_server, task_queue)
    handle = duty.client.get_schedule_handle(batch_schedule_id(TENANT, plan.id))

    async def paused() -> bool:
        return (await handle.describe()).schedule.state.paused

    assert [await duty.run_once(now), await duty.run_once(now)] == [1, 0]
    made = (await handle.describe()).schedule
    assert made.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
    assert [hour.start for spec in made.spec.calendars for hour in spec.hour] == [18]  # UTC, of the day before
    assert not made.state.paused
    with pytest.raises(RPCError):
        await duty.client.get_schedule_handle(batch_schedule_id(TENANT, waiting.id)).describe()

    def act(change: Any) -> None:
        with unit_of_work(books.book.database, books.deed("batch.plan-paused")) as unit:
            change(unit.session, unit.session.get_one(BatchPlan, plan.id))

    act(lambda session, held: plans.want_plan_paused(session, held, paused=True, now=now))
    assert await duty.run_once(now) == 1
    assert await paused()
    act(lambda session, held: plans.want_plan_paused(session, held, paused=False, now=now))
    books.change(Tenant, TENANT, sandbox=True)
    other = await _duty(books, temporal_server, task_queue)  # another process
    assert await other.run_once(now) == 1
    assert await paused(), "people move the date of a sandbox, not the clock"
    act(lambda session, held: plans.retire_plan(session, held, now=now))
    await other.run_once(now)
    with pytest.raises(RPCError):
        await handle.describe()


@pytest.mark.temporal
async def test_a_backfill_makes_each_date_once_however_often_it_is_asked_for(
    one_bank: BatchBooks, temporal_server: TemporalServer, task_queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, now = one_bank, one_bank.book.clock()
    plan = decide(books, proposed(books))
    duty = await _duty(books, temporal_server, task_queue)
    first = START - timedelta(days=3)

    def ask() -> None:
        with unit_of_work(books.book.database, books.deed("batch.plan-backfilled")) as unit:
            held = unit.session.get_one(BatchPlan, plan.id)
            plans.ask_backfill(unit.session, held, first=first, last=START, today=START, by=MAKER, now=now)

    ask()
    # Nobody works on the runs here: one counts as sent as soon as it has begun, so that the next date can follow.
    monkeypatch.setattr("activities.batches.plan_steps._LEFT_THE_HOUSE", frozenset(RunStage))
    adapter = steps(books)
    with ThreadPoolExecutor(2) as hands:
        async with Worker(
            duty.client,
            task_queue=task_queue,
            workflows=[BatchScheduled],
            activities=activities_of(adapter),
            activity_executor=hands,
            workflow_runner=STRICT_RUNNER,
        ):
            assert await duty.run_once(now) == 2  # the schedule, and what is made up for
            assert await duty.run_once(now) == 0
            wanted = [first + timedelta(days=at) for at in range(4)]
            due = {day for day in wanted if weekday(day)}
            await until(lambda: {run.business_date for run in books.book.all(BatchRun)} == due, within_s=60)
            ask()
            assert await duty.run_once(now) == 1
            handle = duty.client.get_schedule_handle(batch_schedule_id(TENANT, plan.id))
            for _ in range(300):
                told = (await handle.describe()).info
                if told.num_actions >= 2 * len(wanted) and not told.running_actions:
                    break
                await asyncio.sleep(0.1)
            assert told.num_actions == 2 * len(wanted), "every date was asked for twice"
    runs = books.book.all(BatchRun)
    assert sorted(run.business_date for run in runs) == sorted(due), "one run for each bank day, and no other"
    assert all(each.sent_at is not None for each in books.book.all(BatchBackfill))
