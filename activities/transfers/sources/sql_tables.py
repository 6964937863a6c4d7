"""A table or view of another database (数据库来源): one SELECT through SQLAlchemy, ordered by its key, unbuffered.

The connection's URL, with its password, is an operator's setting; a source knows its name alone.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, column, create_engine, select, table
from sqlalchemy.exc import SQLAlchemyError

from activities.support.tabular.rows import MOST_CELL, RowSource
from models.domain.customers.faults import Fault
from models.domain.tabular.rows import ReadRow, cell_fault
from models.domain.transfers.mapping import SqlOptions, TransferMapping
from models.errors import DatabaseBusy, FieldFault, FormInvalid

_FETCHED: Final = 500


class SqlSource(RowSource):
    """The rows of one table. The line of a row is its place in the order of the key."""

    def __init__(self, url: str, mapping: TransferMapping) -> None:
        """Connect, and begin to read.

        Raises:
            FormInvalid: the mapping names no table, or the table lacks a column.
            DatabaseBusy: the database does not answer.
        """
        if mapping.sql is None or not mapping.fields:
            raise FormInvalid(faults=(FieldFault(pointer="/mapping/sql", code="required"),))
        self.header = list(dict.fromkeys(name for rule in mapping.fields.values() for name in rule.sources))
        self._engine = create_engine(url, hide_parameters=True, pool_size=1, max_overflow=0)
        try:
            self._connection: Connection = self._engine.connect().execution_options(
                stream_results=True, yield_per=_FETCHED
            )
        except SQLAlchemyError as error:
            self._engine.dispose()
            raise DatabaseBusy(detail=f"transfer source: {type(error).__name__}") from None
        try:
            self._result = self._connection.execute(_statement(mapping.sql, self.header))
        except SQLAlchemyError:
            self.close()
            raise FormInvalid(faults=(FieldFault(pointer="/mapping/sql", code="source-table"),)) from None

    def rows(self) -> Iterator[ReadRow]:
        """Every row.

        Raises:
            DatabaseBusy: the connection broke; the step is repeated.
        """
        try:
            for line, values in enumerate(self._result, start=1):
                cells, faults = [], []
                for place, value in enumerate(values):
                    text, rule = _text(value)
                    cells.append(text)
                    if rule is not None:
                        faults.append(cell_fault(place, rule))
                yield ReadRow(line, cells, tuple[Fault, ...](faults))
        except SQLAlchemyError as error:
            raise DatabaseBusy(detail=f"transfer source: {type(error).__name__}") from None

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()
        self._engine.dispose()


def _statement(options: SqlOptions, names: list[str]) -> Any:
    schema, _, name = options.table.rpartition(".")
    # Names only, quoted by the dialect where they need it: a mapping brings no SQL.
    source = table(name, *(column(each) for each in dict.fromkeys((*names, *options.key))), schema=schema or None)
    return select(*(source.c[each] for each in names)).order_by(*(source.c[each] for each in options.key))


def _text(value: Any) -> tuple[str, str | None]:
    if value is None:
        return "", None
    if isinstance(value, str):
        return (value, None) if len(value) <= MOST_CELL else (value[:MOST_CELL], "too-long")
    if isinstance(value, datetime):
        return (value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")), None
    if isinstance(value, date):
        return value.isoformat(), None
    if isinstance(value, float):
        lost = abs(value) >= 10**15
        return (str(int(value)) if value.is_integer() else repr(value)), "number-lost-digits" if lost else None
    if isinstance(value, Decimal):
        return format(value.normalize(), "f"), None
    if isinstance(value, bytes):
        return "", "garbled"
    return str(value), None
