"""Tests of a filter as conditions on columns: true or false, never NULL where they stand under a negation."""

from typing import Any

from sqlalchemy import ColumnElement, and_, not_

from models.domain.filter_language import FieldTest, Op, Value


def condition(column: Any, test: FieldTest[Any]) -> ColumnElement[bool]:
    """What a test asks of a column; a column that is absent is in no set and in no range."""
    value = test.values[0]
    found: ColumnElement[bool]
    match test.op:
        case Op.IN:
            found = member_of(column, set(test.values))
        case Op.NOT_IN:
            found = not_(member_of(column, set(test.values)))
        case Op.EXISTS:
            found = column.is_not(None) if value else column.is_(None)
        case Op.GT:
            found = column > value
        case Op.GTE:
            found = column >= value
        case Op.LT:
            found = column < value
        case Op.LTE:
            found = column <= value
    return found


def member_of(column: Any, values: set[Value]) -> ColumnElement[bool]:
    """Membership, so that its negation lets absent values through."""
    return and_(column.is_not(None), column.in_(sorted(values, key=str)))
