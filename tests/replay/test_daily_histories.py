"""Recorded histories of the daily run and of what starts it: `pytest tests/replay --record-histories`."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from temporalio.workflow import NondeterminismError

from models.domain.ids import catch_up_workflow_id, daily_workflow_id
from tests.replay import golden
from tests.support.breakage import Breakage
from tests.support.daily_office import FIRST_DUE, DailyOffice, books_before_due, daily_office
from tests.support.daybook import TENANT
from workflows.daily.scheduled import DailyScheduled

_LATER: Final = FIRST_DUE + timedelta(days=3)


async def _one_date(office: DailyOffice) -> str:
    await office.until(FIRST_DUE)
    return daily_workflow_id(TENANT, FIRST_DUE.isoformat())


async def _dates(office: DailyOffice) -> str:
    office.book.clock.set(datetime(2026, 12, 2, 10, tzinfo=UTC))
    await office.catch_up(_LATER)
    return catch_up_workflow_id(TENANT, _LATER.isoformat())


async def _by_the_clock(office: DailyOffice) -> str:
    workflow_id = f"daily/{TENANT}/scheduled-2026-11-25T12:00:00Z"
    await office.client.execute_workflow(DailyScheduled.run, id=workflow_id, task_queue=office.queue)
    return workflow_id


# name -> (who starts what, the step that breaks once)
SCENARIOS: Final[dict[str, tuple[Callable[[DailyOffice], Awaitable[str]], str | None]]] = {
    "daily-run": (_one_date, None),
    "daily-step-tried-again": (_one_date, "daily.post"),
    "daily-catch-up": (_dates, None),
    "daily-scheduled": (_by_the_clock, None),
}


@pytest.fixture
def books(sqlite_database, vault, clock, tmp_path: Path):
    """Books, one date before the first row falls due."""
    with books_before_due(sqlite_database, vault, clock, tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_record(scenario: str, books, temporal_server, task_queue: str) -> None:
    """Record one scenario; collected only under the switch."""
    play, breaks = SCENARIOS[scenario]
    plan = Breakage(fail_at=breaks or (), fail_times=1)
    async with daily_office(books, temporal_server, task_queue, plan, plain=True) as office:
        workflow_id = await play(office)
        await golden.record(scenario, office.client.get_workflow_handle(workflow_id))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with a step, or a child, under another name must not replay."""
    record = golden.read(scenario)
    steps = golden.scheduled(record)
    if steps:
        steps[-1]["name"] = "daily.other"
    else:
        key = "startChildWorkflowExecutionInitiatedEventAttributes"
        next(event[key] for event in record["events"] if key in event)["workflowId"] = "daily/other"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
