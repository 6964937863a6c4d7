"""Orders of the inbox and the opaque cursors that carry them: a page is asked for by the key of the row it follows."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, func, literal_column, true, tuple_
from sqlmodel import col

from models.errors import BadRequest, FieldFault
from models.tables.tasks import Task

Key = tuple[int | str | datetime, ...]

NO_AMOUNT: Final = -1  # a task without an amount sorts below every amount
_MAX_CURSOR: Final = 400
_MAX_PRIORITY: Final = 100
_MAX_AMOUNT: Final = 2**53


class TaskSort(StrEnum):
    """The orders that can be asked for; a leading minus turns one round. The id breaks every tie."""

    PRIORITY = "priority"  # most urgent first: priority falling, then due date rising
    DUE = "due"
    DUE_DESC = "-due"
    CREATED = "created"
    CREATED_DESC = "-created"
    AMOUNT = "amount"
    AMOUNT_DESC = "-amount"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """Columns of one order with their directions; columns that share one form a run that is compared as a row."""

    columns: tuple[tuple[Any, bool], ...]  # expression, descending
    kinds: tuple[type, ...]
    index: str  # of `models.tables.tasks`: the open tasks in this order

    def order_by(self, *, backwards: bool) -> list[ColumnElement[Any]]:
        """The ORDER BY, turned round for a page that is read backwards."""
        return [column.desc() if descending != backwards else column.asc() for column, descending in self.columns]

    def ranges(self, key: Key | None, *, backwards: bool) -> Iterator[ColumnElement[bool]]:
        """Conditions that together hold exactly the rows beyond the key, nearest first."""
        if key is None:
            yield true()
            return
        first_descending = self.columns[0][1]
        split = next((i for i, (_, down) in enumerate(self.columns) if down != first_descending), len(self.columns))
        if split < len(self.columns):
            same = [column == value for (column, _), value in zip(self.columns[:split], key[:split], strict=True)]
            tail_down = self.columns[split][1] != backwards
            yield _all(*same, _beyond([c for c, _ in self.columns[split:]], key[split:], down=tail_down))
        head = [column for column, _ in self.columns[:split]]
        yield _beyond(head, key[:split], down=first_descending != backwards)


def _all(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    result = conditions[0]
    for condition in conditions[1:]:
        result = result & condition
    return result


def _beyond(columns: Sequence[Any], values: Sequence[Any], *, down: bool) -> ColumnElement[bool]:
    if len(columns) == 1:
        return columns[0] < values[0] if down else columns[0] > values[0]  # type: ignore[no-any-return]
    row, bound = tuple_(*columns), tuple_(*values)
    return row < bound if down else row > bound


_AMOUNT: Final = func.coalesce(col(Task.amount_minor), literal_column(str(NO_AMOUNT)))  # spelt as in its index
_ID: Final = col(Task.id)


def _order(column: Any, kind: type, index: str, *, descending: bool) -> Order:
    return Order(columns=((column, descending), (_ID, descending)), kinds=(kind, str), index=index)


ORDERS: Final[dict[TaskSort, Order]] = {
    TaskSort.PRIORITY: Order(
        columns=((col(Task.priority), True), (col(Task.due_at), False), (_ID, False)),
        kinds=(int, datetime, str),
        index="ix_tasks_open_order",
    ),
    TaskSort.DUE: _order(col(Task.due_at), datetime, "ix_tasks_open_due", descending=False),
    TaskSort.DUE_DESC: _order(col(Task.due_at), datetime, "ix_tasks_open_due", descending=True),
    TaskSort.CREATED: _order(col(Task.created_at), datetime, "ix_tasks_open_created", descending=False),
    TaskSort.CREATED_DESC: _order(col(Task.created_at), datetime, "ix_tasks_open_created", descending=True),
    TaskSort.AMOUNT: _order(_AMOUNT, int, "ix_tasks_open_amount", descending=False),
    TaskSort.AMOUNT_DESC: _order(_AMOUNT, int, "ix_tasks_open_amount", descending=True),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """Where a page begins: behind the row of this key, or before it."""

    sort: TaskSort
    key: Key | None = None
    backwards: bool = False


def write_cursor(sort: TaskSort, key: Key, *, backwards: bool = False) -> str:
    """A cursor for the page behind (or before) the row of this key. It holds no personal data and grants nothing."""
    values = [value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value for value in key]
    text = json.dumps([sort.value, int(backwards), *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str | None, *, sort: TaskSort | None) -> Position:
    """The position a cursor stands for.

    Raises:
        BadRequest: it was not written by `write_cursor`, or it belongs to another order than the one asked for.
    """
    if cursor is None:
        return Position(sort=sort or TaskSort.PRIORITY)
    try:
        position = _decode(cursor)
    except (ValueError, TypeError, binascii.Error, OverflowError, RecursionError):
        raise BadRequest(faults=(FieldFault(pointer="/cursor", code="cursor"),)) from None
    if sort is not None and sort is not position.sort:
        raise BadRequest(faults=(FieldFault(pointer="/sort", code="not-one-of", params={"allowed": position.sort}),))
    return position


def _decode(cursor: str) -> Position:
    if len(cursor) > _MAX_CURSOR:
        raise ValueError
    text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    name, backwards, *values = json.loads(text)
    if backwards not in (0, 1):
        raise ValueError
    sort = TaskSort(name)
    kinds = ORDERS[sort].kinds
    limit = _MAX_AMOUNT if sort in (TaskSort.AMOUNT, TaskSort.AMOUNT_DESC) else _MAX_PRIORITY
    return Position(
        sort=sort,
        key=tuple(_value(kind, value, limit=limit) for kind, value in zip(kinds, values, strict=True)),
        backwards=bool(backwards),
    )


def _value(kind: type, raw: object, *, limit: int) -> int | str | datetime:
    if kind is int:
        if not isinstance(raw, int) or isinstance(raw, bool) or abs(raw) > limit:
            raise ValueError
        return raw
    if not isinstance(raw, str):
        raise TypeError
    if kind is datetime:
        value = datetime.fromisoformat(raw)
        if value.tzinfo is None:
            raise ValueError
        return value.astimezone(UTC)
    if not raw.isprintable():
        raise ValueError
    return raw
