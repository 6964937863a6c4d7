"""Real Temporal servers for tests, from binaries that were installed beside the interpreter; nothing is downloaded."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

# As the embedded stack sets them: without the first three a step takes 50 ms and a timer a second longer.
DYNAMIC_CONFIG: Final = (
    "history.transferProcessorMaxPollRPS=400",
    "history.timerProcessorMaxPollRPS=400",
    'history.timerProcessorMaxTimeShift="10ms"',
    'frontend.httpAllowedHosts=["http-api.disabled.invalid"]',
)
SQLITE_PRAGMAS: Final = ("journal_mode=wal", "synchronous=full")
STARTUP: Final = timedelta(seconds=30)  # a busy machine
_ENDS_AFTER: Final = 50  # tests that go by without it


def binary(name: str) -> str:
    """The path of an executable of this virtual environment."""
    path = Path(sys.executable).parent / name
    assert path.exists(), f"{name} is not installed beside the interpreter"
    return str(path)


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalServer:
    """A running dev server: where it listens, and the namespace made for this test process."""

    address: str
    namespace: str

    async def connect(self, **keywords: Any) -> Client:
        """A client; with the plain pydantic converter unless `data_converter` is given."""
        keywords.setdefault("data_converter", pydantic_data_converter)
        keywords.setdefault("namespace", self.namespace)
        return await Client.connect(self.address, **keywords)


@contextmanager
def running_server(folder: Path, *, namespace: str) -> Iterator[TemporalServer]:
    """A dev server with a file database, set up as the embedded stack does."""
    extra = [argument for value in DYNAMIC_CONFIG for argument in ("--dynamic-config-value", value)]
    extra += [argument for value in SQLITE_PRAGMAS for argument in ("--sqlite-pragma", value)]

    async def start() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_local(
            namespace=namespace,
            dev_server_existing_path=binary("temporal"),
            dev_server_database_filename=str(folder / "temporal.db"),
            dev_server_log_level="error",
            dev_server_extra_args=extra,
            dev_server_startup_timeout=STARTUP,
        )

    os.environ.setdefault("GOGC", "400")  # the server lives minutes: memory is cheaper than collecting it so often
    with asyncio.Runner() as runner:  # a loop of its own: each test connects on the test's loop
        environment = runner.run(start())
        try:
            yield TemporalServer(address=environment.client.service_client.config.target_host, namespace=namespace)
        finally:
            runner.run(environment.shutdown())


class TemporalWhenNeeded:
    """The dev server of a test process, while its tests want one: left alone it computes as much as when it works."""

    def __init__(self, folder: Path, *, namespace: str) -> None:
        self._folder, self._namespace = folder, namespace
        self._started = 0
        self._unused = 0
        self._server: TemporalServer | None = None
        self._running = ExitStack()

    def server(self) -> TemporalServer:
        """The running server; a new and empty one where the last was ended."""
        self._unused = 0
        if self._server is None:
            folder = self._folder / str(self._started)
            folder.mkdir()
            self._server = self._running.enter_context(running_server(folder, namespace=self._namespace))
            self._started += 1
        return self._server

    def not_needed(self) -> None:
        """A test went by without it: after some in a row it ends, since starting it costs as much as a few tests."""
        self._unused += 1
        if self._unused >= _ENDS_AFTER:
            self.end()

    def end(self) -> None:
        """The server is gone, if there was one."""
        self._server = None
        self._running.close()


@asynccontextmanager
async def time_skipping_server(**keywords: Any) -> AsyncIterator[WorkflowEnvironment]:
    """A server of this test alone that skips to the next timer while a result is awaited."""
    keywords.setdefault("data_converter", pydantic_data_converter)
    environment = await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"), test_server_startup_timeout=STARTUP, **keywords
    )
    async with environment:
        yield environment


def new_task_queue() -> str:
    """A task queue that no other test listens to."""
    return f"test-{uuid.uuid4().hex}"
