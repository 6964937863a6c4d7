"""The one way from an `async` handler to SQL: the whole function runs in a worker thread, session included."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from litestar.concurrency import sync_to_thread

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function off the event loop and wait for it.

    A session is opened and closed inside `function`: none may live across an `await`. A unit of work that has begun is
    finished even if the caller has gone away.
    """
    return await sync_to_thread(function, *args, **kwargs)
