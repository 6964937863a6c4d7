"""Two small workflows for the tests of the interceptor; alone in a module, since the sandbox imports it anew."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy


@workflow.defn(name="telemetry-seen")
class Seen:
    """Calls an activity of either kind, goes on as new for some rounds, and may wait for an Update that calls one."""

    @workflow.init
    def __init__(self, rounds: int, waits: bool) -> None:
        self._decided = not waits
        self._seen: list[str] = []

    @workflow.run
    async def run(self, rounds: int, waits: bool) -> list[str]:
        self._seen += await workflow.execute_activity("seen.normal", start_to_close_timeout=timedelta(seconds=5))
        self._seen += await workflow.execute_local_activity("seen.short", start_to_close_timeout=timedelta(seconds=5))
        if rounds:
            workflow.continue_as_new(args=[rounds - 1, waits])
        await workflow.wait_condition(lambda: self._decided)
        return self._seen

    @workflow.update
    async def decide(self) -> list[str]:
        seen: list[str] = await workflow.execute_activity("seen.normal", start_to_close_timeout=timedelta(seconds=5))
        self._decided = True
        return seen


@workflow.defn(name="telemetry-fails")
class Fails:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            "seen.fails", start_to_close_timeout=timedelta(seconds=5), retry_policy=RetryPolicy(maximum_attempts=1)
        )
