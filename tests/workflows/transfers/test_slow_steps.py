"""What a job does when its database is slow is what its replay does: local steps that outlive a workflow task."""

import asyncio
import itertools
import json
from datetime import timedelta

import pytest

from models.domain.ids import transfer_workflow_id
from models.domain.states import Outcome, TaskType
from tests.replay import golden
from tests.support.temporal import TemporalServer
from tests.support.transfer_fakes import BUYER, SELLER, World
from tests.support.transfer_office import FakeOffice, fake_office, until

pytestmark = [pytest.mark.temporal, pytest.mark.long]
_TASK = timedelta(seconds=2)
_SLOW_S = 1.8  # longer than a workflow task is held for a local step (four fifths of it)


async def _runs(office: FakeOffice, first: str) -> list[dict]:
    """The histories of all runs of a job, in their order."""
    found, run = [], first
    while run:
        handle = office.client.get_workflow_handle(transfer_workflow_id(office.job), run_id=run)
        history = json.loads((await handle.fetch_history()).to_json())
        found.append(history)
        ended = history["events"][-1].get("workflowExecutionContinuedAsNewEventAttributes", {})
        run = ended.get("newExecutionRunId", "")
    return found


def _was_held(history: dict) -> bool:
    """Whether a workflow task was renewed for a step that was under way: nothing lies between two of them."""
    kinds = [event["eventType"].removeprefix("EVENT_TYPE_") for event in history["events"]]
    return any(pair == ("WORKFLOW_TASK_COMPLETED", "WORKFLOW_TASK_SCHEDULED") for pair in itertools.pairwise(kinds))


@pytest.mark.parametrize("events_per_run", [6, 9, 12, 15, 18, 21])
async def test_a_run_that_ends_beside_a_slow_step_replays(events_per_run: int, temporal_server: TemporalServer) -> None:
    """Where a run goes on as another must not hang on what Temporal tells of its length (TMPRL1100).

    A nudge comes while a part of a step is done: the job looks at once whether to go on as another run, and then what
    people want, which is slow.
    """
    world, loop = World(slow_s=_SLOW_S, parts={"snapshot": 4}), asyncio.get_running_loop()
    async with fake_office(temporal_server, world) as office:
        world.during = lambda _name: asyncio.run_coroutine_threadsafe(office.nudge(), loop).result(30)
        handle = await office.start(events_per_run=events_per_run, task_timeout=_TASK)
        await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER)
        await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)
        await until(lambda: "collecting" in world.stages, within_s=120)
        runs = await _runs(office, handle.first_execution_run_id or "")
    assert any(_was_held(history) for history in runs), "no step was slow"
    for history in runs:
        await golden.replay("slow steps", history)
