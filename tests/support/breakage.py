"""Break or repeat the steps of a workflow: a worker interceptor for normal and local activities alike."""

import asyncio
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

INJECTED = "InjectedFailure"


@dataclass(kw_only=True)
class Breakage(Interceptor):
    """What goes wrong; pass it to the worker: `Worker(…, interceptors=[Breakage(fail_at="tasks.open_task")])`.

    Attributes:
        fail_at: name, or names, of activities that fail, non-retryably, before they do anything: `InjectedFailure`.
        fail_times: how many calls of each fail; None: every one.
        lose_answer_of: name, or names, of activities whose first call works and then fails, retryably: its answer got
            lost.
        hold: name of an activity whose answer is held back, once its work is done: `held` is set then, and it goes on
            when `release` is.
        repeat: every activity runs twice, and the second answer counts.
        seen: names in the order of their calls; a retry is seen again, a repetition is not.
    """

    fail_at: str | Collection[str] = ()
    fail_times: int | None = None
    lose_answer_of: str | Collection[str] = ()
    hold: str | None = None
    held: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    repeat: bool = False
    seen: list[str] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Called by the worker."""
        return _Breaking(next, self)

    def steps(self) -> list[str]:
        """The names seen, each once, in the order of their first call."""
        return list(dict.fromkeys(self.seen))

    def breaks_now(self, name: str) -> bool:
        """Whether this call is to fail; counts it."""
        if name not in _names(self.fail_at) or (self.fail_times is not None and self.failed[name] >= self.fail_times):
            return False
        self.failed[name] += 1
        return True

    def loses_now(self, name: str) -> bool:
        """Whether this call's answer is to get lost; counts it."""
        if name not in _names(self.lose_answer_of) or self.failed[name]:
            return False
        self.failed[name] += 1
        return True


def _names(given: str | Collection[str]) -> Collection[str]:
    return (given,) if isinstance(given, str) else given


class _Breaking(ActivityInboundInterceptor):
    def __init__(self, next_interceptor: ActivityInboundInterceptor, plan: Breakage) -> None:
        super().__init__(next_interceptor)
        self._plan = plan

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name = activity.info().activity_type
        self._plan.seen.append(name)
        if self._plan.breaks_now(name):
            raise ApplicationError(f"{name} broken by test", type=INJECTED, non_retryable=True)
        result = await super().execute_activity(input)
        if name == self._plan.hold:
            self._plan.held.set()
            await self._plan.release.wait()
        if self._plan.loses_now(name):
            raise ApplicationError(f"answer of {name} lost by test", type=INJECTED)
        return await super().execute_activity(input) if self._plan.repeat else result
