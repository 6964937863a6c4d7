"""Column types that both databases treat alike."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; gives back UTC on SQLite, which keeps no zone, as on PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """As usual, but an instant that stands in row after row of one statement is put into its form once."""
        plain = super().bind_processor(dialect)
        if plain is None:
            return None
        last: tuple[datetime | None, Any] = (None, None)  # replaced as one: threads share it

        def process(value: datetime | None) -> Any:
            nonlocal last
            seen, bound = last
            if value is seen:
                return bound
            bound = plain(value)
            last = (value, bound)
            return bound

        return process

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        """Read UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
