"""Moments in a query."""

from datetime import UTC, datetime

from models.errors import FieldFault, FormInvalid


def moment_of(name: str, value: str) -> datetime:
    """A moment of the query, in UTC.

    Args:
        name: of the query's member, for the fault.
        value: as it came: ISO 8601 with its offset.

    Raises:
        FormInvalid: it is no moment, has no offset, or lies beyond the years that a clock can show.
    """
    refused = FormInvalid(faults=(FieldFault(pointer=f"/{name}", code="audit-instant"),))
    try:
        at = datetime.fromisoformat(value)
        utc = at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused from None
    if at.tzinfo is None:
        raise refused
    return utc
