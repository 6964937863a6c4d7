"""A packed record: the columns that nobody searches, as one value (docs/wire-format.md).

One authenticated encryption of a kilobyte costs a fraction of ten of a hundred bytes, above all in software SM4. The
form is canonical: one map has one encoding, and bytes that are not that encoding are refused, so that equal records
have equal digests and nothing hides behind the last entry.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from models.errors import CannotOpen

PACK_FORM: Final = 1
MOST_COLUMNS: Final = 0xFFFF
_HEAD_BYTES: Final = 3  # form(1) count(2)
_NAME_LENGTH: Final = 2
_VALUE_LENGTH: Final = 4


def entry_head(name: str) -> bytes:
    """What stands before the value's length: `length of the name (2) name`.

    Raises:
        ValueError: the name is empty or longer than 65,535 bytes of UTF-8.
    """
    encoded = name.encode()
    if not 0 < len(encoded) <= MOST_COLUMNS:
        raise ValueError("a packed column needs a name of 1 to 65,535 bytes")
    return len(encoded).to_bytes(_NAME_LENGTH) + encoded


def pack(values: Mapping[str, bytes]) -> bytes:
    """`form(1) count(2)`, then for each column, by name in the order of its bytes, name and value behind lengths.

    Raises:
        ValueError: a name is empty or too long, or there are more than 65,535 columns.
    """
    return pack_entries([(entry_head(name), values[name]) for name in sorted(values, key=str.encode)])


def pack_entries(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """As `pack`, of heads and values that are in order already: for whoever packs the same columns many times."""
    pieces = [b""]
    for head, value in entries:
        pieces += (head, len(value).to_bytes(_VALUE_LENGTH), value)
    count = len(pieces) // 3
    if count > MOST_COLUMNS:
        raise ValueError(f"a packed record holds at most {MOST_COLUMNS} columns")
    pieces[0] = bytes((PACK_FORM,)) + count.to_bytes(2)
    return b"".join(pieces)


def unpack(packed: bytes) -> dict[str, bytes]:
    """The columns by name.

    Raises:
        CannotOpen: another form, cut short, longer than its entries, or names that are not text in rising order.
    """
    if len(packed) < _HEAD_BYTES or packed[0] != PACK_FORM:
        raise CannotOpen(detail="a packed record of an unknown form")
    values: dict[str, bytes] = {}
    before, end, size = b"", _HEAD_BYTES, len(packed)
    for _ in range(int.from_bytes(packed[1:_HEAD_BYTES])):
        begin = end + _NAME_LENGTH
        middle = begin + int.from_bytes(packed[end:begin])
        first = middle + _VALUE_LENGTH
        name, end = packed[begin:middle], first + int.from_bytes(packed[middle:first])
        if end > size:
            raise CannotOpen(detail="a packed record is cut short")
        if name <= before:
            raise CannotOpen(detail="the columns of a packed record are not in order")
        before = name
        try:
            values[name.decode()] = packed[first:end]
        except UnicodeDecodeError:
            raise CannotOpen(detail="a column of a packed record has no readable name") from None
    if end != size:
        raise CannotOpen(detail="a packed record goes on behind its last column")
    return values
