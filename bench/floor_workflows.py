"""The shapes of our workflows with nothing in them: what Temporal alone costs."""

from datetime import timedelta

from temporalio import activity, workflow

# Of a case up to its approval: epoch, four gates, figures, offers, four tasks, the bureau, four decisions.
STEPS = 16
DECISIONS = 4
# Of a case up to its being active, as its history shows it: local and normal activities before each of the five
# decisions (which take a normal one each themselves), and after the last: the seal, block, recall, activation.
LIFE = ((3, 0), (3, 2), (3, 0), (3, 0), (3, 2), (0, 4))


@activity.defn(name="bench.empty_step", no_thread_cancel_exception=True)
async def empty_step() -> None:
    """Nothing."""


@workflow.defn(name="bench.empty_case")
class EmptyCase:
    """As many steps and decisions as an approved case."""

    def __init__(self) -> None:
        self._decided = 0

    @workflow.run
    async def run(self) -> None:
        for stage in range(1, DECISIONS + 1):
            for _ in range(STEPS // DECISIONS - 1):
                await self._step()
            await workflow.wait_condition(lambda stage=stage: self._decided >= stage)
        await workflow.wait_condition(workflow.all_handlers_finished)

    @workflow.update
    async def decide(self) -> None:
        await self._step()
        self._decided += 1

    async def _step(self) -> None:
        await workflow.execute_activity("bench.empty_step", start_to_close_timeout=timedelta(seconds=10))


@workflow.defn(name="bench.empty_life")
class EmptyLife:
    """The shape of a case up to its being active: the same activities, local and normal, and the same decisions."""

    def __init__(self) -> None:
        self._decided = 0

    @workflow.run
    async def run(self) -> None:
        for number, (local, normal) in enumerate(LIFE):
            await workflow.wait_condition(lambda number=number: self._decided >= number)
            for _ in range(local):
                await workflow.execute_local_activity("bench.empty_step", start_to_close_timeout=timedelta(seconds=10))
            for _ in range(normal):
                await self._step()
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


@workflow.defn(name="bench.listener")
class Listener:
    """A case in service that hears news and does nothing about them."""

    def __init__(self) -> None:
        self._heard = 0

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)

    @workflow.signal
    async def told(self, _news: dict[str, str]) -> None:
        self._heard += 1
