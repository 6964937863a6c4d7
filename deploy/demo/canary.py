"""The canary: nothing of the book's people may stand in clear where the product keeps or says things."""

import base64
import urllib.parse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.demo.book import BookRow

_FIELDS: Final = ("name", "id_number", "mobile", "email", "address", "employer", "card_number")
_BASE64_GROUP: Final = 3
# Three letters may stand together by chance in megabytes of ciphertext; shorter spellings are not looked for.
_SHORTEST: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A value found where it must not be. It says which row and field, never the value."""

    where: str
    row: int
    field: str
    spelling: str


def needles(rows: Iterable[BookRow]) -> Iterator[tuple[int, str, str, bytes]]:
    """Every identifying value of the rows in each spelling it could be kept in: row, field, spelling, bytes."""
    for row in rows:
        for field in _FIELDS:
            for spelling, needle in _spellings(str(getattr(row, field))):
                if len(needle) >= _SHORTEST:
                    yield row.row, field, spelling, needle


def search(texts: Iterable[tuple[str, bytes]], rows: Iterable[BookRow]) -> list[Hit]:
    """Look for every needle in every text (name, content)."""
    wanted = list(needles(rows))
    return [
        Hit(where=where, row=row, field=field, spelling=spelling)
        for where, content in texts
        for row, field, spelling, needle in wanted
        if needle in content
    ]


def files_below(*roots: Path) -> Iterator[tuple[str, bytes]]:
    """Every file at or below the roots, by its path from the root."""
    for root in roots:
        for path in sorted([root] if root.is_file() else root.rglob("*")):
            if path.is_file():
                yield path.name, path.read_bytes()


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
