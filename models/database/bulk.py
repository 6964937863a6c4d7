"""Many rows of one table at once: `COPY` on PostgreSQL; on SQLite one prepared statement and plain tuples.

SQLAlchemy's own way through many rows builds a map of parameters for each: for rows of two dozen columns that costs as
much as SQLite itself. Here a statement is compiled once, and of each column only what the driver does not know is
converted (instants, documents).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import JSON, Boolean, Dialect, LargeBinary, Table, Update, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import TypeEngine
from sqlmodel import Session

from models.database.types import UtcDateTime

_FEW = 50  # below this a COPY costs more than it saves
# What the driver of SQLite takes as it is.
_AS_IT_IS: Final = (LargeBinary, Boolean)

_Convert = Callable[[Any], Any]


class _Prepared(NamedTuple):
    """A statement with positions.

    Attributes:
        pick: the values of a row in the order of the positions.
        converts: by position, what makes of a value what the driver knows.
    """

    text: str
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    converts: tuple[tuple[int, _Convert], ...]

    def values(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """The rows as the driver takes them."""
        picked = [self.pick(row) for row in rows]
        if not self.converts:
            return picked
        columns: list[Sequence[Any]] = list(zip(*picked, strict=True))
        for place, convert in self.converts:
            columns[place] = _converted(columns[place], convert)
        return list(zip(*columns, strict=True))


def insert_many(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns.

    Raises:
        IntegrityError: a constraint of the table refuses one; the transaction is spoilt.
    """
    if not rows:
        return
    connection = session.connection()
    names = tuple(rows[0])
    if connection.dialect.name == "sqlite":
        prepared = _prepared_insert(table, names, connection.dialect)
        connection.exec_driver_sql(prepared.text, prepared.values(rows))
        return
    if len(rows) < _FEW:
        connection.execute(insert(table), list(rows))
        return
    _copy(session, table, names, rows)


def insert_new(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert rows whose `id` is not there yet.

    Args:
        session: of the unit.
        table: with a primary key `id`.
        rows: that all name the same columns, each id once.

    Returns:
        Ids of the rows that are new.
    """
    if not rows:
        return set()
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        once = postgresql.insert(table).on_conflict_do_nothing().returning(table.c.id)
        return set(connection.execute(once, list(rows)).scalars())
    # SQLite has one writer, and this is it: what is not there now is not there when it is written.
    there = set(connection.execute(select(table.c.id).where(table.c.id.in_([row["id"] for row in rows]))).scalars())
    new = [row for row in rows if row["id"] not in there]
    insert_many(session, table, new)
    return {row["id"] for row in new}


def update_many(session: Session, statement: Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run an update once for each row of values, by the names of its `bindparam`s.

    Args:
        session: of the unit.
        statement: built once and kept: what was compiled of it is kept with it.
        rows: that all name the same values.
    """
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        connection.execute(statement, list(rows))
        return
    prepared = _prepared_update(statement, tuple(rows[0]), connection.dialect)
    connection.exec_driver_sql(prepared.text, prepared.values(rows))


@lru_cache(maxsize=64)
def _prepared_insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Prepared:
    compiled: Any = insert(table).compile(dialect=dialect, column_keys=list(names))
    return _prepared(compiled, {name: table.c[name].type for name in names}, dialect)


@lru_cache(maxsize=64)
def _prepared_update(statement: Update, names: tuple[str, ...], dialect: Dialect) -> _Prepared:
    compiled: Any = statement.compile(dialect=dialect)
    return _prepared(compiled, {name: compiled.binds[name].type for name in names}, dialect, fixed=compiled.params)


def _prepared(
    compiled: Any, types: Mapping[str, TypeEngine[Any]], dialect: Dialect, *, fixed: Mapping[str, Any] | None = None
) -> _Prepared:
    order: list[str] = compiled.positiontup
    own = {name: (fixed or {})[name] for name in order if name not in types}
    if own:
        given = itemgetter(*order)
        pick: Callable[[Mapping[str, Any]], tuple[Any, ...]] = lambda row: given({**own, **row})  # noqa: E731
    elif len(order) == 1:
        pick = lambda row: (row[order[0]],)  # noqa: E731
    else:
        pick = itemgetter(*order)
    converts = tuple(
        (place, convert)
        for place, name in enumerate(order)
        if name in types and (convert := _convert(types[name], dialect)) is not None
    )
    return _Prepared(compiled.string, pick, converts)


def _convert(kind: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(kind, _AS_IT_IS):
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _converted(values: Sequence[Any], convert: _Convert) -> list[Any]:
    """All rows of a chunk have nearly always one instant, and the same object."""
    before: Any = _converted
    after: Any = None
    found = []
    for value in values:
        if value is not before:
            before, after = value, convert(value)
        found.append(after)
    return found


def _copy(session: Session, table: Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    from psycopg import errors, sql  # noqa: PLC0415 - the embedded default never gets here

    columns = sql.SQL(", ").join(sql.Identifier(name) for name in names)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    documents = [name for name in names if isinstance(table.c[name].type, JSON)]
    dialect = session.connection().dialect
    instants = [(name, kind) for name in names if isinstance(kind := table.c[name].type, UtcDateTime)]
    raw: Any = session.connection().connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                told: dict[str, Any] = {name: json.dumps(row[name]) for name in documents if row[name] is not None}
                told |= {name: kind.process_bind_param(row[name], dialect) for name, kind in instants}
                copy.write_row([told.get(name, row[name]) for name in names])
    except errors.IntegrityError as error:  # its own text quotes the row
        told_error = type(error)(f"SQLSTATE {error.sqlstate}, constraint {error.diag.constraint_name}")
        raise IntegrityError(None, None, told_error) from None
