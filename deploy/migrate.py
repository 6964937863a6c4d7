"""Bring both stores to the schema this version needs. Run by `casework up` at each start and by `casework migrate`.

A store that a newer version wrote is refused. An embedded store that holds anything is copied before it is changed. On
PostgreSQL an advisory lock lets one migrator in, and a lock time-out keeps a migration from queueing behind a long
transaction with everybody else behind it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from deploy.snapshot import copy_sqlite
from models.database.engine import Database
from models.errors import SchemaNewer, UnsafeSetting

ADVISORY_LOCK: Final = 0x6361_7365  # "case"
WAIT_FOR_MIGRATOR: Final = "60s"
WAIT_FOR_TABLE: Final = "5s"


class Store(StrEnum):
    """Which of the two databases; also the folder of its scripts under `models/migrations`."""

    DATA = "data"
    KEYS = "keys"


@dataclass(frozen=True, kw_only=True, slots=True)
class Migrated:
    """What a migration did.

    Attributes:
        before: the revision found; None in an empty database.
        after: the revision now.
        copy: where the store was copied to beforehand, if it was.
    """

    store: Store
    before: str | None
    after: str
    copy: Path | None = None

    @property
    def changed(self) -> bool:
        """Whether anything was done."""
        return self.before != self.after


def configuration(store: Store) -> Config:
    """Alembic's configuration, without a file of its own; works from a wheel too."""
    folder = Path(str(resources.files("models.migrations")))
    config = Config()
    config.set_main_option("script_location", _literal(folder))
    config.set_main_option("version_locations", _literal(folder / store.value))
    config.set_main_option("path_separator", "newline")
    return config


def newest(store: Store) -> str:
    """The revision this version of the product needs."""
    head = _scripts(store).get_current_head()
    if head is None:
        raise RuntimeError(f"no migration scripts for {store.value}")
    return head


def current(database: Database) -> str | None:
    """The revision a database is at; None when it has no schema."""
    with database.engine.execution_options(read_only=True).connect() as connection:
        return _revision(connection)


def migrate(database: Database, *, store: Store, copies: Path | None = None, now: datetime | None = None) -> Migrated:
    """Bring one store to the newest revision; nothing happens when it is there already.

    Args:
        database: the store.
        store: which one it is.
        copies: where to copy an SQLite store that holds anything, before it is changed.
        now: names the copy.

    Raises:
        SchemaNewer: a newer version of the product wrote it.
    """
    head = newest(store)
    with _alone(database) as connection:
        before = _revision(connection)
        if before == head:
            return Migrated(store=store, before=before, after=head)
        _refuse_newer(store, before)
        copy = None
        if before is not None and database.is_sqlite and copies is not None:
            stamp = "" if now is None else f"-{now:%Y%m%dT%H%M%SZ}"
            copy = copy_sqlite(Path(str(database.engine.url.database)), copies / f"{store.value}-{before}{stamp}.db")
        config = configuration(store)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return Migrated(store=store, before=before, after=head, copy=copy)


def refuse_other_schema(database: Database, *, store: Store) -> None:
    """For processes that do not migrate: the schema must be exactly ours.

    Raises:
        SchemaNewer: a newer version wrote it.
        UnsafeSetting: it is older; `casework migrate` comes first.
    """
    found = current(database)
    _refuse_newer(store, found)
    if found != newest(store):
        raise UnsafeSetting(detail=f"the {store.value} store has an older schema; run `casework migrate` first")


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction that no other migrator runs beside: SQLite's own write lock, or an advisory lock."""
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_MIGRATOR}'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            connection.execute(text(f"SET LOCAL lock_timeout = '{WAIT_FOR_TABLE}'"))
        yield connection


def _scripts(store: Store) -> ScriptDirectory:
    config = configuration(store)
    return _read_scripts(
        str(config.get_main_option("script_location")), str(config.get_main_option("version_locations"))
    )


@lru_cache(maxsize=len(Store))
def _read_scripts(script_location: str, version_locations: str) -> ScriptDirectory:
    """Every script is executed to be read: a start asks several times, and scripts do not change while it runs."""
    config = Config()
    for name, value in (
        ("script_location", script_location),
        ("version_locations", version_locations),
        ("path_separator", "newline"),
    ):
        config.set_main_option(name, _literal(Path(value)))
    return ScriptDirectory.from_config(config)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(store: Store, found: str | None) -> None:
    if found is None:
        return
    try:
        _scripts(store).get_revision(found)
    except CommandError:
        raise SchemaNewer(detail=f"the {store.value} store is at {found}, which this version does not know") from None


def _literal(path: Path) -> str:
    return str(path).replace("%", "%%")
