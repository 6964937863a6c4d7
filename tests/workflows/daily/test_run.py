"""A business date as a workflow: its steps are known, can break, repeat and lose their answers; dates run in order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.daily import chunks
from models.contracts.daily import DailyRunInput
from models.domain.ids import daily_workflow_id
from tests.support.breakage import Breakage
from tests.support.daily_office import FIRST_DUE, books_before_due, daily_office
from tests.support.daybook import ONE_DAY, START, TENANT
from workflows.daily.run import DailyRun

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
    """Books, one date before the first row falls due."""
    with books_before_due(sqlite_database, vault, clock, tmp_path) as opened:
        yield opened


@pytest.fixture
def office(books, temporal_server, task_queue):
    """The books with a worker for the daily run, which the interceptors break."""
    return lambda *interceptors: daily_office(books, temporal_server, task_queue, *interceptors)


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
        await desk.catch_up(last, last - ONE_DAY)
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
