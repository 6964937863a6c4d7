"""Scratch copies of both databases on their own PostgreSQL server: made, filled from one snapshot each, dropped.

What is copied is sealed in the live databases, and stays so; keys are copied wrapped, the key-encryption key is not.
"""

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, func, select
from sqlalchemy.exc import ProgrammingError

from deploy.exits import CommandFailed, ExitCode
from models.database.engine import Database

PREFIX: Final = "casework_drill_"
_FORBIDDEN: Final = "42501"  # insufficient_privilege


@contextmanager
def scratch_databases(data: Database, keys: Database) -> Iterator[tuple[str, str]]:
    """URLs of the two copies; both are dropped with the block.

    Raises:
        CommandFailed: 77, the role may not make databases on the server.
    """
    with ExitStack() as made:
        # Data first: every row of it has its key by the time at which the keys are read.
        yield made.enter_context(_copy_of(data.engine)), made.enter_context(_copy_of(keys.engine))


@contextmanager
def _copy_of(live: Engine) -> Iterator[str]:
    name = f"{PREFIX}{secrets.token_hex(8)}"
    url = live.url.set(database=name)
    admin = create_engine(live.url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        with admin.connect() as connection:
            try:
                connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
            except ProgrammingError as error:
                if getattr(error.orig, "sqlstate", None) != _FORBIDDEN:
                    raise
                raise CommandFailed(
                    ExitCode.NO_PERMISSION,
                    "a drill makes databases of its own and drops them: grant CREATEDB to the role for its time",
                ) from None
        try:
            _fill(live, url)
            yield url.render_as_string(hide_password=False)
        finally:
            with admin.connect() as connection:
                connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        admin.dispose()


def _fill(live: Engine, url: Any) -> None:
    """Tables as they are in the live database, with what stands in them at one moment; its triggers stay behind."""
    tables = MetaData()
    target = create_engine(url, hide_parameters=True)
    try:
        with live.connect().execution_options(isolation_level="REPEATABLE READ") as source:
            tables.reflect(source)
            with target.begin() as scratch:
                tables.create_all(scratch)
                for table in tables.sorted_tables:
                    _pour(source, scratch, table)
    finally:
        target.dispose()


def _pour(source: Connection, scratch: Connection, table: Any) -> None:
    """One table, as PostgreSQL itself copies it: nothing is read into objects."""
    quote = scratch.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in table.columns)
    name = quote(table.name)
    out: Any = source.connection.driver_connection
    into: Any = scratch.connection.driver_connection
    with (
        out.cursor().copy(f"COPY {name} ({columns}) TO STDOUT (FORMAT BINARY)") as taken,
        into.cursor().copy(f"COPY {name} ({columns}) FROM STDIN (FORMAT BINARY)") as given,
    ):
        for piece in taken:
            given.write(piece)
    for column in table.columns:
        if column.identity is not None or column.server_default is not None:
            _go_on_counting(scratch, name, column)


def _go_on_counting(scratch: Connection, table: str, column: Any) -> None:
    """A column that counts by itself counts on behind what was copied."""
    found = scratch.exec_driver_sql(
        "SELECT pg_get_serial_sequence(%s, %s)", (table.replace('"', ""), column.name)
    ).scalar()
    if found is not None:
        highest = scratch.execute(select(func.max(column))).scalar()
        if highest is not None:
            scratch.exec_driver_sql("SELECT setval(%s, %s)", (found, highest))
