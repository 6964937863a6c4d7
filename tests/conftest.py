"""Fixtures that every test may use; what they are made of lies in `tests/support`."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from hypothesis import settings
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.clock import FakeClock
from tests.support.compiled import compile_once
from tests.support.databases import PostgresDatabases, SqliteFiles, create_data_schema, create_keys_schema
from tests.support.network import only_local_sockets
from tests.support.pairs import Chooser, mark_long
from tests.support.postgres import in_memory, running_postgres
from tests.support.rewritten import rewrite_share
from tests.support.temporal import TemporalServer, TemporalWhenNeeded, new_task_queue, time_skipping_server
from tests.support.vaults import throw_away_vault

compile_once()

# An example that takes a fifth of a second says that the machine is busy; what hangs is stopped by the test's time-out.
settings.register_profile("casework", deadline=None)
settings.load_profile("casework")


@pytest.fixture(autouse=True)
def _no_outside_sockets() -> Iterator[None]:
    with only_local_sockets():
        yield


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still at a Monday morning until the test moves it."""
    return FakeClock()


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option that writes `tests/support/pairs.txt`."""
    parser.addoption("--choose-pairs", action="store_true", help="choose which pairs need not run on PostgreSQL")


def pytest_configure(config: pytest.Config) -> None:
    """Files of tests lie in memory where there is room: SQLite waits for the disk at every commit."""
    rewrite_share(config)
    if config.getoption("--choose-pairs"):
        config.pluginmanager.register(Chooser(config), "chooser")
    memory = in_memory(4 * 2**30)
    if memory is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nearly all that collecting makes is kept: looking through it again and again finds nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What was imported and collected lives to the end: looking through it again and again costs a sixth of the run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


_RINGS_AGAIN_S: Final = 10.0
_PATIENCE: Final = pytest.StashKey[float]()


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Generator[None, object, object]:
    """A time-out that strikes inside a task of the event loop is swallowed by it: it comes again until it is heard."""
    set_ = yield
    if settings.method == "signal" and hasattr(item, "cancel_timeout"):
        item.stash[_PATIENCE] = settings.timeout
        signal.setitimer(signal.ITIMER_REAL, settings.timeout, _RINGS_AGAIN_S)
    return set_


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """It was heard: what is left, the report and the teardown, has its own time."""
    if call.excinfo is not None and _PATIENCE in item.stash:
        signal.setitimer(signal.ITIMER_REAL, item.stash[_PATIENCE], _RINGS_AGAIN_S)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Behind a test that failed there is no timer any more: a worker that does not stop would hold the whole run up."""
    if signal.getsignal(signal.SIGALRM) is not signal.SIG_DFL:
        return (yield)
    seconds = int(item.config.getini("timeout"))
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail(f"what a test left behind did not end within {seconds} s"))
    signal.setitimer(signal.ITIMER_REAL, seconds, _RINGS_AGAIN_S)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


_TEMPORAL: Final = pytest.StashKey[TemporalWhenNeeded]()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that wants no Temporal server brings the end of the one that runs nearer."""
    if not _wants_temporal(item) and (kept := item.config.stash.get(_TEMPORAL, None)) is not None:
        kept.not_needed()


def _wants_temporal(item: pytest.Item) -> bool:
    return "temporal_server" in getattr(item, "fixturenames", ())


# These run for minutes. Begun last, they would leave one of two workers without work.
_LONG: Final = ("e2e", "chaos", "workflows", "activities/daily", "models/domain/servicing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first, then the files that want a Temporal server; the order of all others stays."""
    here = Path(__file__).parent
    long = tuple(str(here / folder) for folder in _LONG)
    temporal = {item.path for item in items if _wants_temporal(item)}
    if not items or not items[0].config.getoption("--choose-pairs"):
        mark_long(items)
    items.sort(key=lambda item: (not str(item.path).startswith(long), item.path not in temporal))


# Databases ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    """Templates of SQLite files."""
    return SqliteFiles(tmp_path_factory.mktemp("sqlite-templates"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresDatabases]:
    """A PostgreSQL server of this test process."""
    with running_postgres() as cluster:
        yield PostgresDatabases(cluster)


@pytest.fixture
def sqlite_database(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Database]:
    """The data store, empty, on SQLite."""
    with sqlite_files.fresh(create_data_schema, into=tmp_path) as fresh:
        yield fresh


@pytest.fixture
def postgres_database(postgres: PostgresDatabases) -> Iterator[Database]:
    """The data store, empty, on PostgreSQL."""
    with postgres.fresh(create_data_schema) as fresh:
        yield fresh


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """The data store, empty: the test runs once on each of the two databases."""
    chosen: Database = request.getfixturevalue(f"{request.param}_database")
    return chosen


@pytest.fixture
def keys_database(sqlite_files: SqliteFiles, tmp_path: Path) -> Iterator[Database]:
    """The key store, empty, on SQLite."""
    with sqlite_files.fresh(create_keys_schema, into=tmp_path) as fresh:
        yield fresh


@pytest.fixture
def postgres_keys_database(postgres: PostgresDatabases) -> Iterator[Database]:
    """The key store, empty, on PostgreSQL."""
    with postgres.fresh(create_keys_schema) as fresh:
        yield fresh


@pytest.fixture
def vault(keys_database: Database, clock: FakeClock) -> Vault:
    """The vault over a new key store, under a key-encryption key of this test."""
    return throw_away_vault(keys_database, clock)


# Temporal -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _temporal(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[TemporalWhenNeeded]:
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    kept = TemporalWhenNeeded(tmp_path_factory.mktemp("temporal"), namespace=f"test-{worker}")
    request.config.stash[_TEMPORAL] = kept
    yield kept
    kept.end()


@pytest.fixture
def temporal_server(_temporal: TemporalWhenNeeded) -> TemporalServer:
    """A dev server of this test process, with a namespace of its own."""
    return _temporal.server()


@pytest_asyncio.fixture
async def temporal_client(temporal_server: TemporalServer) -> Client:
    """A client of the dev server with the plain pydantic converter; `temporal_server.connect(…)` for another."""
    return await temporal_server.connect()


@pytest_asyncio.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server of this test alone that skips time."""
    async with time_skipping_server() as environment:
        yield environment


@pytest.fixture
def task_queue() -> str:
    """A task queue that no other test listens to."""
    return new_task_queue()
