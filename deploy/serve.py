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
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog
import uvicorn
from temporalio.client import Client
from temporalio.worker import Worker

from compliance.vault.keyring import Vault
from deploy import assemble, bootstrap, rollout
from deploy import stores as storage
from deploy.assemble import Parts
from deploy.clock import wall_clock
from deploy.exits import CommandFailed, ExitCode
from deploy.heartbeat import beating
from deploy.observe import telemetry
from deploy.values import Settings

log = structlog.get_logger(__name__)

Ready = Callable[[Mapping[str, Any]], None]
Reach = Callable[..., Awaitable[Client | None]]

CONNECT_SECONDS: Final = 15.0
DRAIN_SECONDS: Final = 5
# Longer than clients and proxies keep an idle connection (5 s and 60 s as a rule): whoever sends into a connection that
# the server is just closing gets no answer, and cannot know whether the request was heard.
KEEP_ALIVE_SECONDS: Final = 75
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

    Workers stand before the API does, so that starts are eager from the first. While Temporal is down the API serves
    all the same (reads and claims work, decisions answer 202), and workers follow when it answers.

    Args:
        settings: of the embedded mode.
        ready: called when the API serves.
    """
    with telemetry(settings, component="app") as reports, storage.open_stores(settings) as stores:
        now = wall_clock()
        storage.prepare_embedded(settings, stores, now=now)
        vault = storage.build_vault(settings, stores, wall_clock)
        bootstrap.first_tenant(settings, stores, vault, now=now)
        join = partial(assemble.join, settings, stores, vault, reports)
        reach = partial(assemble.reach_temporal, settings, vault, reports)
        async with contextlib.AsyncExitStack() as running:
            stop = await running.enter_async_context(_stopping())
            await running.enter_async_context(_beating(settings, vault, "app"))
            client = await _until_answered(reach, stop, patience=CONNECT_SECONDS)
            parts = join(client or await _lazy(reach))
            if client is not None:
                await assemble.keep_histories(parts)
                await running.enter_async_context(_workers(parts, assemble.ALL_QUEUES, stop))
            address = await running.enter_async_context(_api(parts, stop))
            ready({"ready": True, "address": address})
            if client is None:
                log.warning("temporal.unreachable")
                client = await _until_answered(reach, stop)
                if client is not None:
                    await assemble.keep_histories(join(client))
                    await running.enter_async_context(_workers(join(client), assemble.ALL_QUEUES, stop))
            await stop.wait()


async def run_api(settings: Settings) -> None:
    """The HTTP edge alone. It serves while Temporal is down: reads and claims work, decisions answer 202."""
    with telemetry(settings, component="api") as reports, storage.open_stores(settings) as stores:
        storage.check_production(stores, settings)
        vault = storage.build_vault(settings, stores, wall_clock)
        client = await _lazy(partial(assemble.reach_temporal, settings, vault, reports))
        parts = assemble.join(settings, stores, vault, reports, client)
        async with _stopping() as stop, _beating(settings, vault, "api"), _api(parts, stop) as address:
            log.info("api.serving", address=address)
            await stop.wait()


async def run_worker(settings: Settings, *, queues: Sequence[str]) -> None:
    """Task queues and duties; waits for Temporal as long as it takes."""
    with telemetry(settings, component="worker") as reports, storage.open_stores(settings) as stores:
        storage.check_production(stores, settings)
        vault = storage.build_vault(settings, stores, wall_clock)
        async with _stopping() as stop, _beating(settings, vault, "worker"):
            client = await _until_answered(partial(assemble.reach_temporal, settings, vault, reports), stop)
            if client is None:
                return
            parts = assemble.join(settings, stores, vault, reports, client)
            async with _workers(parts, queues, stop):
                log.info("worker.serving", queues=len(queues))
                build = rollout.build_of(settings)
                if build is not None:
                    await rollout.become_first(client, build, stop)
                await stop.wait()


def _beating(settings: Settings, vault: Vault, component: str) -> contextlib.AbstractAsyncContextManager[None]:
    return beating(settings, vault, component=component, name=assemble.process_name())


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
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
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
        _freeze_garbage()
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


async def _until_answered(reach: Reach, stop: asyncio.Event, *, patience: float | None = None) -> Client | None:
    """A connected client; None when told to stop, or after `patience` seconds."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while not stop.is_set():
        client = await reach()
        if client is not None:
            return client
        waited = loop.time() - begun
        if patience is not None and waited > patience:
            return None
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(1.0, _ASK_AGAIN_SECONDS + waited / 10))
    return None


async def _lazy(reach: Reach) -> Client:
    client = await reach(lazy=True)
    if client is None:
        raise CommandFailed(ExitCode.UNAVAILABLE, "no client of Temporal")
    return client


@contextlib.asynccontextmanager
async def _workers(parts: Parts, queues: Sequence[str], stop: asyncio.Event) -> AsyncIterator[None]:
    """Workers and duties. A worker that ends by itself ends the process: the supervisor starts a new one."""
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
    """What was made at start-up stays: full collections walked it for 50 to 100 ms, seen as outliers of requests.

    Nothing is collected before: of a million objects some hundred are garbage, and finding them takes 0.3 s.
    """
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
