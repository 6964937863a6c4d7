"""One synchronous engine per process, and the SQL discipline that both databases keep.

SQLite: the driver stays in autocommit, a writer takes the process-wide lock and opens with BEGIN IMMEDIATE
(SQLAlchemy's default loses updates between read and write), readers open a deferred transaction. WAL, synchronous=FULL,
foreign keys and a busy time-out of 5 s on every connection. PostgreSQL needs none of it.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from models.errors import DatabaseBusy

POOL_SIZE: Final = 10  # as many as the worker's activity slots, plus duties and API readers in overflow
POOL_TIMEOUT_S: Final = 5  # as long as SQLite's busy time-out
_RAISED_BY_TRIGGER: Final = "exec_stmt_raise"  # the function of the server behind RAISE EXCEPTION
# Disk full, read-only, unreadable, cannot be opened: for operations to mend; then the same request can be made again.
_DISK_CODES: Final = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
)
_PRAGMAS: Final = ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")


@dataclass(slots=True)
class Database:
    """An engine with its writer lock; `read()` and `write()` are the only doors."""

    engine: Engine
    _writer: AbstractContextManager[Any] = field(default_factory=nullcontext)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded default."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A read-only snapshot; nothing done in it is kept.

        Raises:
            DatabaseBusy: the database did not answer in time, or its disk does not serve it.
        """
        # No explicit rollback: it would expire what was read. Closing lets go of the rows first, then rolls back.
        with _busy_is_503(), Session(self.engine.execution_options(read_only=True), expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction. Only `compliance.audit.unit` may call this: it owns the two commits of the product.

        Raises:
            DatabaseBusy: the database was locked for longer than the busy time-out, or its disk is full or read-only.
        """
        with _busy_is_503(), self._writer, Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


@contextmanager
def _busy_is_503() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if _is_busy(error):
            raise DatabaseBusy(detail=type(error.orig).__name__) from None
        raise
    except DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseBusy(detail=type(error.orig).__name__) from None
        raise
    except PoolTimeout:
        raise DatabaseBusy(detail="no connection is free") from None


def _is_busy(error: OperationalError) -> bool:
    text = str(error.orig)
    if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _DISK_CODES:
        return True
    return "locked" in text or "busy" in text or error.connection_invalidated or not _is_sqlite_error(error)


def _is_sqlite_error(error: OperationalError) -> bool:
    return type(error.orig).__module__.startswith("sqlite3")


def open_database(url: str) -> Database:
    """Open the database at a SQLAlchemy URL (`sqlite:////path` or `postgresql+psycopg://…`)."""
    # `hide_parameters`: values bound to a statement must never reach a log or a trace through an error text.
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=POOL_SIZE,
        max_overflow=20,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=not url.startswith("sqlite"),
    )
    event.listen(engine, "handle_error", _hide_values)
    if engine.dialect.name == "sqlite":
        _discipline_sqlite(engine)
        return Database(engine, threading.RLock())
    return Database(engine)


def _hide_values(context: ExceptionContext) -> None:
    """Take what PostgreSQL quotes of a row out of its errors: "Failing row contains (…)", "invalid input … "…"".

    SQLite quotes no values. What stays is the class of the error, its code, and the names of constraint, table, column.
    """
    original = context.original_exception
    diagnosis = getattr(original, "diag", None)
    if diagnosis is None or not diagnosis.sqlstate:
        return  # not from the server: a lost connection, say
    about = (
        ("constraint", diagnosis.constraint_name),
        ("table", diagnosis.table_name),
        ("column", diagnosis.column_name),
    )
    told = f"SQLSTATE {diagnosis.sqlstate}" + "".join(f", {kind} {name}" for kind, name in about if name)
    if diagnosis.source_function == _RAISED_BY_TRIGGER:
        told = f"{told}: {diagnosis.message_primary}"  # our own words
    original.args = (told,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(original).__name__}) {told}",)


class _WithIndexHints(SQLiteCompiler):
    """SQLite with `with_hint(table, "INDEXED BY …", "sqlite")`: plans must not hang on statistics nobody gathered."""

    def get_from_hint_text(self, _table: Any, text: str | None) -> str | None:
        """Write the hint behind the table's name."""
        return text


def _discipline_sqlite(engine: Engine) -> None:
    engine.dialect.statement_compiler = _WithIndexHints

    @event.listens_for(engine, "connect")
    def _on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # the driver opens no transaction of its own
        for pragma in _PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
