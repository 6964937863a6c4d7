"""Progress of slow work as a stream of events (SSE): whoever looks on is told what changes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from litestar.response import ServerSentEvent
from litestar.response.sse import ServerSentEventMessage

from api.bodies import Answer
from api.in_thread import in_thread

_POLL_SECONDS: Final = 0.25
# Between two pieces of work there is a moment without any.
_QUIET_SECONDS: Final = 2.0
# As long as an access token holds; who looks on for longer connects again, with a token that holds then.
_LONGEST_SECONDS: Final = 600.0
_RECONNECT_MILLISECONDS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the work is, and whether any is under way."""

    answer: Answer
    is_busy: bool


def progress_stream(read: Callable[[], Standing]) -> ServerSentEvent:
    """A `progress` event now and at each change; `idle`, and the end, once nothing has been under way for two seconds.

    Args:
        read: how far it is; runs in a thread, and is asked four times a second. Its answer is the event's data.
    """
    return ServerSentEvent(_events(read))


async def _events(read: Callable[[], Standing]) -> AsyncIterator[ServerSentEventMessage]:
    loop = asyncio.get_running_loop()
    begun = busy_at = loop.time()
    told: str | None = None
    while loop.time() - begun < _LONGEST_SECONDS:
        standing = await in_thread(read)
        data = standing.answer.model_dump_json(by_alias=True)
        if data != told:
            told = data
            yield ServerSentEventMessage(data=data, event="progress", retry=_RECONNECT_MILLISECONDS)
        if standing.is_busy:
            busy_at = loop.time()
        elif loop.time() - busy_at >= _QUIET_SECONDS:
            yield ServerSentEventMessage(data=data, event="idle")
            return
        await asyncio.sleep(_POLL_SECONDS)
