"""A date of a standing plan: its step can break, repeat and lose its answer; it stands until the run has left."""

import pytest
from temporalio.testing import WorkflowEnvironment

from models.contracts.batch_plans import PlannedDate, PlannedRun, PlannedWait
from tests.support.batch_plans import FakePlans, plan_worker
from tests.support.breakage import Breakage
from tests.support.temporal import time_skipping_server
from workflows.batches.scheduled import BatchScheduled

pytestmark = pytest.mark.temporal

ID = "plans/main/bpl_1/scheduled-2026-11-23T01:00:00Z"
STEP = "batches.begin_planned"
UNDER_WAY, LEFT = PlannedRun(run="main.x", under_way=True), PlannedRun(run="main.x")


async def _run(
    environment: WorkflowEnvironment, plans: FakePlans, breakage: Breakage, waited: PlannedWait | None = None
) -> None:
    async with plan_worker(environment.client, plans, breakage) as queue:
        arguments = [] if waited is None else [waited]
        await environment.client.execute_workflow(BatchScheduled.run, args=arguments, id=ID, task_queue=queue)


async def test_a_date_stands_until_its_run_has_left_through_whatever_becomes_of_its_step() -> None:
    async with time_skipping_server() as environment:
        for breakage in (
            Breakage(),
            Breakage(fail_at=STEP, fail_times=3),  # refused for good: the date is not given up
            Breakage(lose_answer_of=STEP),
            Breakage(repeat=True),
        ):
            plans = FakePlans([UNDER_WAY, UNDER_WAY, UNDER_WAY, LEFT])
            await _run(environment, plans, breakage)
            assert breakage.steps() == [STEP]
            assert plans.answers == [LEFT]
            assert len({(each.plan, each.on) for each in plans.asked}) == 1, "one plan, one date"


async def test_a_date_that_is_held_up_for_days_goes_on_as_itself() -> None:
    async with time_skipping_server() as environment:
        plans = FakePlans([*[UNDER_WAY] * 250, LEFT])
        await _run(environment, plans, Breakage(), PlannedWait(on="2026-11-20", looks=40))
        assert set(plans.asked) == {PlannedDate(plan="bpl_1", on="2026-11-20")}
        assert len(plans.asked) == 251
