"""A fresh database for each test, cheaply: the schema is made once per test process and copied."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from compliance.vault.tables import KeyTable
from deploy.migrate import Store, migrate
from models.database.engine import Database, open_database
from models.tables.all import METADATA
from models.tables.triggers import create_triggers
from tests.support.postgres import PostgresCluster

MakeSchema = Callable[[Database], None]
_SERIAL = itertools.count()


# True: schemas come from the migrations, as in production. False: from the tables, while those still change.
FROM_MIGRATIONS: Final = False


def create_data_schema(database: Database) -> None:
    """Every table of the data store with its triggers."""
    if FROM_MIGRATIONS:
        migrate(database, store=Store.DATA)
        return
    with database.engine.begin() as connection:
        METADATA.create_all(connection)
        create_triggers(connection)


def create_keys_schema(database: Database) -> None:
    """Every table of the key store."""
    if FROM_MIGRATIONS:
        migrate(database, store=Store.KEYS)
        return
    with database.engine.begin() as connection:
        KeyTable.metadata.create_all(connection)


class SqliteFiles:
    """SQLite files copied from a template that holds the schema."""

    def __init__(self, folder: Path) -> None:
        """Keep the templates in `folder`."""
        self._folder = folder
        self._templates: dict[MakeSchema, Path] = {}

    @contextmanager
    def fresh(self, schema: MakeSchema, *, into: Path) -> Iterator[Database]:
        """A database as `schema` makes it, in a file of its own under `into`."""
        path = into / f"{schema.__name__}-{next(_SERIAL)}.db"
        shutil.copyfile(self._template(schema), path)
        database = open_database(f"sqlite:///{path}")
        try:
            yield database
        finally:
            database.dispose()

    def _template(self, schema: MakeSchema) -> Path:
        if schema not in self._templates:
            path = self._folder / f"{next(_SERIAL)}.template.db"
            database = open_database(f"sqlite:///{path}")
            try:
                schema(database)
            finally:
                database.dispose()  # the last connection empties the write-ahead log into the file
            self._templates[schema] = path
        return self._templates[schema]


class PostgresDatabases:
    """Databases of one PostgreSQL server, copied from a template that holds the schema."""

    def __init__(self, cluster: PostgresCluster) -> None:
        """Use this server."""
        self._cluster = cluster
        self._templates: dict[MakeSchema, str] = {}

    @contextmanager
    def fresh(self, schema: MakeSchema) -> Iterator[Database]:
        """A database as `schema` makes it; dropped at the end, whoever is still connected."""
        name = f"test_{next(_SERIAL)}"
        self._cluster.create(name, template=self._template(schema))
        database = open_database(self._cluster.url(name))
        try:
            yield database
        finally:
            database.dispose()
            self._cluster.drop(name)

    def _template(self, schema: MakeSchema) -> str:
        if schema not in self._templates:
            name = f"template_{next(_SERIAL)}"
            self._cluster.create(name)
            database = open_database(self._cluster.url(name))
            try:
                schema(database)
            finally:
                database.dispose()  # a template that somebody is connected to cannot be copied
            self._templates[schema] = name
        return self._templates[schema]
