"""The shapes of our workflows with nothing in them: what Temporal alone costs."""

from datetime import timedelta

from temporalio import activity, workflow

STEPS = 12  # of an approved case: epoch, four gates and figures, three tasks, the bureau, three decisions


@activity.defn(name="bench.empty_step")
async def empty_step() -> None:
    """Nothing."""


@workflow.defn(name="bench.empty_case")
class EmptyCase:
    """As many steps and decisions as an approved case."""

    def __init__(self) -> None:
        self._decided = 0

    @workflow.run
    async def run(self) -> None:
        for stage in range(1, 4):
            for _ in range(STEPS // 3 - 1):
                await self._step()
            await workflow.wait_condition(lambda stage=stage: self._decided >= stage)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def decide(self) -> None:
        await self._step()
        self._decided += 1

    async def _step(self) -> None:
        await workflow.execute_activity("bench.empty_step", start_to_close_timeout=timedelta(seconds=10))


@workflow.defn(name="bench.empty_update")
class EmptyUpdate:
    """Waits for one empty Update."""

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def decide(self) -> None:
        """Nothing."""
