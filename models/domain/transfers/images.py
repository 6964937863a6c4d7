"""Images of a stored row (前后映像): its columns as they lie there, as bytes with one spelling. Pure.

An image opens nothing: sealed columns stand in it sealed. Two rows are bit for bit equal exactly if their images are.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

_FORM: Final = b"casework.row-image\x00\x01"
_NONE, _BYTES, _TEXT, _INTEGER, _INSTANT = b"n", b"b", b"s", b"i", b"t"


class UnreadableImage(ValueError):
    """Bytes that are no image; which ones is not said."""


def image_of(columns: Mapping[str, Any]) -> bytes:
    """The image of a row: columns in the order of their names, each with the kind of its value, behind lengths.

    Raises:
        TypeError: a value of a kind that no column has; its column is named, the value is not.
    """
    pieces = [_FORM]
    for name, head, absent, of_bytes, of_text in _walk(tuple(columns)):
        value = columns[name]
        if value is None:
            pieces.append(absent)
        elif value.__class__ is bytes:
            pieces += (of_bytes, len(value).to_bytes(4), value)
        elif value.__class__ is str:
            plain = value.encode()
            pieces += (of_text, len(plain).to_bytes(4), plain)
        elif value.__class__ is datetime:
            pieces += (head, _instant(value))
        else:
            kind, content = _content(name, value)
            pieces += (head, kind, len(content).to_bytes(4), content)
    return b"".join(pieces)


@lru_cache(maxsize=16)  # rows of few tables, each with its columns in one order
def _walk(names: tuple[str, ...]) -> tuple[tuple[str, bytes, bytes, bytes, bytes], ...]:
    """Of each column in the order of the image: its name, what stands before its value, and that with its kind."""
    heads = ((name, len(name.encode()).to_bytes(1) + name.encode()) for name in sorted(names))
    return tuple((name, head, head + _NONE + (0).to_bytes(4), head + _BYTES, head + _TEXT) for name, head in heads)


@lru_cache(maxsize=1024)  # rows of one chunk, and of one load, have one instant
def _instant(value: datetime) -> bytes:
    content = value.astimezone(UTC).isoformat(timespec="microseconds").encode()
    return _INSTANT + len(content).to_bytes(4) + content


def columns_of(image: bytes) -> dict[str, Any]:
    """The columns of an image.

    Raises:
        UnreadableImage: another form, or cut short.
    """
    if not image.startswith(_FORM):
        raise UnreadableImage("not an image of a row")
    columns: dict[str, Any] = {}
    place, size = len(_FORM), len(image)
    while place < size:
        name_end = place + 1 + image[place]
        name = image[place + 1 : name_end].decode()
        begin = name_end + 5
        end = begin + int.from_bytes(image[name_end + 1 : begin])
        if end > size:
            raise UnreadableImage("an image of a row is cut short")
        columns[name] = _value(image[name_end : name_end + 1], image[begin:end])
        place = end
    return columns


def _content(name: str, value: Any) -> tuple[bytes, bytes]:
    if isinstance(value, (bytes, memoryview)):
        return _BYTES, bytes(value)
    if isinstance(value, datetime):
        return _INSTANT, value.astimezone(UTC).isoformat(timespec="microseconds").encode()
    if isinstance(value, int) and not isinstance(value, bool):
        return _INTEGER, str(value).encode()
    if isinstance(value, str):  # a word of an enumeration
        return _TEXT, str.__str__(value).encode()
    raise TypeError(f"an image has no place for column {name}")


def _value(kind: bytes, content: bytes) -> Any:
    match kind:
        case b"n":
            return None
        case b"b":
            return content
        case b"s":
            return content.decode()
        case b"i":
            return int(content)
        case b"t":
            return datetime.fromisoformat(content.decode())
        case _:
            raise UnreadableImage("an image of a row holds a value of an unknown kind")
