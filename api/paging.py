"""Keyset paging: an opaque cursor says after which row to go on; nothing is counted and nothing is skipped twice."""

import base64
import json
import re
from typing import Annotated, Any, Final

from litestar.params import QueryParameter

from models.errors import BadRequest, FieldFault

MAX_LIMIT: Final = 200
DEFAULT_LIMIT: Final = 50
_MAX_CURSOR: Final = 600  # characters
_ALPHABET: Final = re.compile(r"\A[A-Za-z0-9_-]+\Z")
_MAX_INT: Final = 2**63

Limit = Annotated[int, QueryParameter(name="limit", ge=1, le=MAX_LIMIT)]
After = Annotated[str | None, QueryParameter(name="after")]

"""`limit: Limit = DEFAULT_LIMIT, after: After = None` in a handler."""
KeyValue = str | int | None


def encode_cursor(kind: str, *values: KeyValue) -> str:
    """The cursor of a row: the list it belongs to, and the values it is ordered by. Never personal data."""
    text = json.dumps([kind, *values], ensure_ascii=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(
    cursor: str | None, *, kind: str, types: tuple[type[str] | type[int], ...]
) -> tuple[KeyValue, ...] | None:
    """The ordering values of a cursor, or None when the list begins. A value may be null.

    Not signed: a forged cursor begins the list elsewhere, and every row is still checked against the caller.

    Raises:
        BadRequest: it was not made by `encode_cursor` for this list.
    """
    if cursor is None:
        return None
    try:
        values = _values(cursor)
    except (ValueError, RecursionError):
        values = []
    fits = (
        values[:1] == [kind]
        and len(values) == len(types) + 1
        and all(_fits(value, wanted) for value, wanted in zip(values[1:], types, strict=True))
        and encode_cursor(kind, *values[1:]) == cursor  # one spelling per cursor
    )
    if not fits:
        raise BadRequest(faults=(FieldFault(pointer="/after", code="cursor"),))
    return tuple(values[1:])


def _values(cursor: str) -> list[Any]:
    if len(cursor) > _MAX_CURSOR or _ALPHABET.match(cursor) is None:
        return []
    values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    return values if isinstance(values, list) else []


def _fits(value: object, wanted: type[str] | type[int]) -> bool:
    if value is None:
        return True
    if wanted is int:
        return type(value) is int and -_MAX_INT <= value < _MAX_INT
    return isinstance(value, str) and "\x00" not in value and value.isprintable()
