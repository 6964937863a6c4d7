"""JSON pointers (RFC 6901) into what a caller sent. A name the caller made up may be a person's: it is not repeated."""

import re
from collections.abc import Iterable
from typing import Final

_FIELD_NAME: Final = re.compile(r"\A\$?[A-Za-z][A-Za-z_]{0,39}\Z")
_HIDDEN: Final = "?"


def pointer_of(parts: Iterable[str | int]) -> str:
    """The pointer; a part that does not look like the name of a field becomes `?`."""
    return "".join(f"/{_part(part)}" for part in parts)


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return str(part)
    return part if _FIELD_NAME.match(part) else _HIDDEN
