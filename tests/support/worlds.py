"""Stores that are filled once for each kind of database and copied for each test, with the keys of what is in them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from models.database.engine import Database, open_database
from tests.support.clock import FakeClock
from tests.support.databases import (
    MakeSchema,
    PostgresDatabases,
    SqliteFiles,
    create_data_schema,
    create_keys_schema,
)
from tests.support.vaults import throw_away_kek

_KEYS: Final = "keys.db"


class Copied(NamedTuple):
    """One test's own copy.

    Attributes:
        folder: what `Fill` wrote into its folder, copied too.
    """

    database: Database
    vault: Vault
    folder: Path


Fill = Callable[[Database, Vault, Path], object]


class World:
    """What `fill` writes into empty stores, at the moment at which a test's clock begins.

    `fill` is called once for each kind of database, with an empty folder for what it writes beside them.
    """

    def __init__(self, fill: Fill, folder: Path) -> None:
        """Keep keys and files in `folder`."""
        self._fill = fill
        self._folder = folder
        self._kek = throw_away_kek()
        self._schemas: dict[type, MakeSchema] = {}

    @contextmanager
    def copy(self, stores: SqliteFiles | PostgresDatabases, *, into: Path, clock: FakeClock) -> Iterator[Copied]:
        """Both stores and the folder, for one test."""
        kind = type(stores)
        schema = self._schemas.setdefault(kind, self._schema(kind.__name__))
        data = stores.fresh(schema, into=into) if isinstance(stores, SqliteFiles) else stores.fresh(schema)
        with data as database:
            folder = shutil.copytree(self._folder / kind.__name__, into / "world")
            keys = open_database(f"sqlite:///{folder / _KEYS}")
            try:
                yield Copied(database, open_vault(keys, self._kek, clock), folder)
            finally:
                keys.dispose()

    def _schema(self, kind: str) -> MakeSchema:
        def create_world(database: Database) -> None:
            self._make(database, self._folder / kind)

        return create_world

    def _make(self, database: Database, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)  # of a try that failed
        folder.mkdir(parents=True)
        clock = FakeClock()
        create_data_schema(database)
        keys = open_database(f"sqlite:///{folder / _KEYS}")
        try:
            create_keys_schema(keys)
            initialise_key_store(keys, kek=self._kek, clock=clock)
            self._fill(database, open_vault(keys, self._kek, clock), folder)
        finally:
            keys.dispose()  # the last connection empties the write-ahead log into the file
