"""The canary: nothing of the book's people may stand in clear where the product keeps or says things."""

import base64
import sys
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Protocol

_Code = Literal["Q", "I"]

_FIELDS: Final = ("name", "id_number", "mobile", "email", "address", "employer", "card_number")
_BASE64_GROUP: Final = 3
# Three letters may stand together by chance in megabytes of ciphertext; shorter spellings are not looked for.
_SHORTEST: Final = 6
# Codes of native numbers, the widest first, with their bytes.
_WIDTHS: Final[dict[_Code, int]] = {"Q": 8, "I": 4}


class Sought(Protocol):
    """Somebody who is looked for: the number of their row, and the values of `_FIELDS`."""

    @property
    def row(self) -> int:
        """Which row of which book."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A value found where it must not be. It says which row and field, never the value."""

    where: str
    row: int
    field: str
    spelling: str


def needles(rows: Iterable[Sought]) -> Iterator[tuple[int, str, str, bytes]]:
    """Every identifying value of the rows in each spelling it could be kept in: row, field, spelling, bytes."""
    for row in rows:
        for field in _FIELDS:
            for spelling, needle in _spellings(str(getattr(row, field))):
                if len(needle) >= _SHORTEST:
                    yield row.row, field, spelling, needle


def search(texts: Iterable[tuple[str, bytes]], rows: Iterable[Sought]) -> list[Hit]:
    """Look for every needle in every text (name, content).

    Each text is read once as numbers, at every offset; only needles whose beginning is among those numbers are looked
    for. So the work grows with the texts, not with texts times needles.
    """
    wanted: dict[tuple[_Code, int], list[tuple[int, str, str, bytes]]] = {}
    for needle in needles(rows):
        wanted.setdefault(_head(needle[-1]), []).append(needle)
    numbers = {code: frozenset(number for width, number in wanted if width == code) for code in _WIDTHS}
    return [
        Hit(where=where, row=row, field=field, spelling=spelling)
        for where, content in texts
        for code in _WIDTHS
        for number in sorted(_found(content, code, numbers[code]))
        for row, field, spelling, needle in wanted[code, number]
        if needle in content
    ]


def files_below(*roots: Path) -> Iterator[tuple[str, bytes]]:
    """Every file at or below the roots, by its path from the root."""
    for root in roots:
        for path in sorted([root] if root.is_file() else root.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()


def _head(needle: bytes) -> tuple[_Code, int]:
    """The beginning of a needle as a number of the widest kind that fits, and the code of that kind."""
    code = next(code for code, width in _WIDTHS.items() if width <= len(needle))
    return code, int.from_bytes(needle[: _WIDTHS[code]], sys.byteorder)


def _found(content: bytes, code: _Code, numbers: frozenset[int]) -> set[int]:
    """Which of the numbers stand in a text, at whichever offset."""
    width, found = _WIDTHS[code], set[int]()
    for offset in range(min(width, len(content))):
        whole = (len(content) - offset) // width * width
        found |= numbers.intersection(memoryview(content)[offset : offset + whole].cast(code))
    return found


def _spellings(value: str) -> Iterator[tuple[str, bytes]]:
    plain = value.encode()
    yield "plain", plain
    yield "utf-16", value.encode("utf-16-le")
    yield "hex", plain.hex().encode()
    if not value.isascii():
        yield "url", urllib.parse.quote(value).encode()
        yield "json", value.encode("ascii", "backslashreplace")
        yield "gb18030", value.encode("gb18030")
    for shift in range(_BASE64_GROUP):
        # In base64 a value can begin at any of three places; the groups at its edges mix with what is beside it.
        encoded = base64.b64encode(b"\0" * shift + plain)
        tail = 4 if len(b"\0" * shift + plain) % _BASE64_GROUP else 0
        yield "base64", encoded[4 if shift else 0 : len(encoded) - tail]
