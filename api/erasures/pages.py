"""Where a page of requests or holds begins."""

from datetime import UTC, datetime

from api.paging import decode_cursor, encode_cursor
from models.errors import BadRequest, FieldFault
from models.queries.erasure import Place


def next_place(kind: str, at: datetime, row_id: str) -> str:
    """The cursor of the page behind a row."""
    return encode_cursor(kind, at.isoformat(), row_id)


def place_of(after: str | None, *, kind: str) -> Place | None:
    """The place that a cursor names.

    Raises:
        BadRequest: it was not made for this list.
    """
    values = decode_cursor(after, kind=kind, types=(str, str))
    if values is None:
        return None
    at, row_id = values
    try:
        return datetime.fromisoformat(str(at)).astimezone(UTC), str(row_id)
    except (ValueError, OverflowError):
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),)) from None
