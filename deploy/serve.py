"""The processes that serve: the embedded `app`, and production's `api` and `worker`.

One asyncio loop carries the HTTP server, the SDK's client and workers, and the duties; workflow code runs in the SDK's
own threads and SQL in small pools. SIGTERM and SIGINT stop it in order: no new requests, requests under way answered,
duties let go of their leases, workers drained, databases closed.
"""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import structlog
import uvicorn
from temporalio.worker import Worker

from deploy import assemble, bootstrap
from deploy import stores as storage
from deploy.assemble import Parts
from deploy.clock import wall_clock
from deploy.exits import CommandFailed, ExitCode
from deploy.values import Settings

log = structlog.get_logger(__name__)

Ready = Callable[[Mapping[str, Any]], None]

DRAIN_SECONDS: Final = 5
_ASK_AGAIN_SECONDS: Final = 0.05
_BACKLOG: Final = 512


class EmbeddedServer(uvicorn.Server):
    """A uvicorn that leaves signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Our own handlers stay in charge."""
        yield


async def run_app(settings: Settings, *, ready: Ready) -> None:
    """Everything but Temporal, in one process: the child `app` of `casework up`.

    Args:
        settings: of the embedded mode.
        ready: called when API and workers serve.
    """
    assemble.configure_telemetry(settings)
    with storage.open_stores(settings) as stores:
        now = wall_clock()
        storage.prepare_embedded(settings, stores, now=now)
        vault = storage.build_vault(settings, stores, wall_clock)
        bootstrap.first_tenant(settings, stores, vault, now=now)
        parts = await assemble.join(settings, stores, vault)
        async with _stopping() as stop, _api(parts, stop) as address:
            await _until_temporal_answers(parts, stop)
            await assemble.keep_histories(parts)
            async with _workers(parts, assemble.ALL_QUEUES, stop):
                ready({"ready": True, "address": address})
                await stop.wait()


async def run_api(settings: Settings) -> None:
    """The HTTP edge alone. It serves while Temporal is down: reads and claims work, decisions answer 202."""
    assemble.configure_telemetry(settings)
    with storage.open_stores(settings) as stores:
        storage.check_production(stores, settings)
        vault = storage.build_vault(settings, stores, wall_clock)
        parts = await assemble.join(settings, stores, vault)
        async with _stopping() as stop, _api(parts, stop) as address:
            log.info("api.serving", address=address)
            _freeze_garbage()
            await stop.wait()


async def run_worker(settings: Settings, *, queues: Sequence[str]) -> None:
    """Task queues and duties; waits for Temporal as long as it takes."""
    assemble.configure_telemetry(settings)
    with storage.open_stores(settings) as stores:
        storage.check_production(stores, settings)
        vault = storage.build_vault(settings, stores, wall_clock)
        parts = await assemble.join(settings, stores, vault)
        async with _stopping() as stop:
            await _until_temporal_answers(parts, stop)
            async with _workers(parts, queues, stop):
                log.info("worker.serving", queues=list(queues))
                await stop.wait()


@contextlib.asynccontextmanager
async def _stopping() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _api(parts: Parts, stop: asyncio.Event) -> AsyncIterator[str]:
    """Serve the API; yields its address. A server that ends by itself ends the process."""
    settings = parts.settings.api
    listener = _listen(settings.host, settings.port)
    config = uvicorn.Config(
        assemble.build_api(parts),
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # who is in front of us says nothing about who asks
        timeout_graceful_shutdown=DRAIN_SECONDS,
        ssl_certfile=settings.tls.cert,
        ssl_keyfile=settings.tls.key,
    )
    server = EmbeddedServer(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    serving.add_done_callback(lambda _: stop.set())
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers a flag, not an event
            await asyncio.sleep(_ASK_AGAIN_SECONDS / 10)
        if serving.done():
            await serving
            raise CommandFailed(ExitCode.UNAVAILABLE, "the API did not start")
        scheme = "https" if settings.tls.cert is not None else "http"
        yield f"{scheme}://{settings.host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise CommandFailed(
            ExitCode.UNAVAILABLE, f"CASEWORK_PORT: cannot listen on {host}:{port}: {error.strerror}; is it in use?"
        ) from None
    return listener


async def _until_temporal_answers(parts: Parts, stop: asyncio.Event) -> None:
    """Return once Temporal and our namespace answer, or when told to stop."""
    waited = 0
    while not stop.is_set():
        if await assemble.temporal_answers(parts):
            return
        waited += 1
        if waited % 100 == 0:
            log.warning("temporal.unreachable", address=parts.settings.temporal.address)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _ASK_AGAIN_SECONDS)


@contextlib.asynccontextmanager
async def _workers(parts: Parts, queues: Sequence[str], stop: asyncio.Event) -> AsyncIterator[None]:
    """Workers and duties. A worker that ends by itself ends the process: the supervisor starts a new one."""
    if stop.is_set():
        yield
        return
    workers: list[Worker] = assemble.build_workers(parts, queues)
    running = [asyncio.create_task(worker.run()) for worker in workers]
    for task in running:
        task.add_done_callback(lambda _: stop.set())
    resting = asyncio.Event()
    duties = asyncio.create_task(assemble.build_duties(parts).run(resting))
    _freeze_garbage()
    try:
        yield
    finally:
        resting.set()
        await duties
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running)


def _freeze_garbage() -> None:
    """What was made at start-up stays: full collections walked it for 50 to 100 ms, seen as outliers of requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
