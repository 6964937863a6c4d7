"""Workers of a test, begun together and stopped with a limit."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from temporalio.worker import Worker

_STOP_S: Final = 30.0


@asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    """The workers poll inside the block.

    Now and then one that is stopped while a local step is under way never reports its end (the SDK loses the step's
    last word). A process of the product is killed by its supervisor then; a test says so and leaves the worker
    behind, because what it asserts has been seen.
    """
    before = asyncio.all_tasks()
    for worker in workers:
        await worker.__aenter__()
    try:
        yield
    finally:
        stop = asyncio.gather(*(worker.__aexit__(None, None, None) for worker in reversed(workers)))
        await asyncio.wait({stop}, timeout=_STOP_S)
        if stop.done():
            stop.result()
        else:
            sys.stderr.write(f"a worker did not stop within {_STOP_S:g} s and was left behind\n")
            for task in asyncio.all_tasks() - before - {asyncio.current_task()}:
                asyncio.tasks._unregister_task(task)  # or the loop's end would wait for it for ever
