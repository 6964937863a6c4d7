"""Recorded histories of dates of standing plans: `pytest tests/replay --record-histories`."""

from typing import Final

import pytest
from temporalio.workflow import NondeterminismError

from models.contracts.batch_plans import PlannedRun
from tests.replay import golden
from tests.support.batch_plans import FakePlans, plan_worker
from tests.support.breakage import Breakage
from tests.support.temporal import TemporalServer
from workflows.batches.scheduled import BatchScheduled

_STEP: Final = "batches.begin_planned"
# name -> the step that is refused once
SCENARIOS: Final[dict[str, tuple[str, ...]]] = {"batch-scheduled": (), "batch-scheduled-tried-again": (_STEP,)}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_record(scenario: str, temporal_server: TemporalServer) -> None:
    """Record one scenario, in which the run has not left at the first look; collected only under the switch."""
    plans = FakePlans([PlannedRun(run="main.x", under_way=True), PlannedRun(run="main.x")])
    client = await temporal_server.connect()
    workflow_id = f"plans/main/bpl_{scenario}/scheduled-2026-11-23T01:00:00Z"
    async with plan_worker(client, plans, Breakage(fail_at=SCENARIOS[scenario], fail_times=1)) as queue:
        await client.execute_workflow(BatchScheduled.run, id=workflow_id, task_queue=queue)
        await golden.record(scenario, client.get_workflow_handle(workflow_id))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with the step under another name must not replay."""
    record = golden.read(scenario)
    golden.scheduled(record)[-1]["name"] = "batches.other"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
