"""Many rows of one table at once: `COPY` on PostgreSQL, one prepared statement on SQLite."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, Table, insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

_FEW = 50  # below this a COPY costs more than it saves


def insert_many(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns.

    Raises:
        IntegrityError: a constraint of the table refuses one; the transaction is spoilt.
    """
    if not rows:
        return
    connection = session.connection()
    documents = any(isinstance(table.c[name].type, JSON) for name in rows[0])
    if connection.dialect.name != "postgresql" or len(rows) < _FEW or documents:
        connection.execute(insert(table), list(rows))
        return
    _copy(session, table, rows)


def _copy(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    from psycopg import errors, sql  # noqa: PLC0415 - the embedded default never gets here

    names = list(rows[0])
    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    raw: Any = session.connection().connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])
    except errors.IntegrityError as error:  # its own text quotes the row
        told = type(error)(f"SQLSTATE {error.sqlstate}, constraint {error.diag.constraint_name}")
        raise IntegrityError(None, None, told) from None
