"""The one clock of the product's processes; everything else takes the time as a value."""

from datetime import UTC, datetime


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - time enters here
