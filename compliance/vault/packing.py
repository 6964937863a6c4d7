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
_FORM: Final = bytes((PACK_FORM,))
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
    count = 0
    for head, value in entries:
        pieces += (head, len(value).to_bytes(_VALUE_LENGTH), value)
        count += 1
    if count > MOST_COLUMNS:
        raise ValueError(f"a packed record holds at most {MOST_COLUMNS} columns")
    pieces[0] = bytes((PACK_FORM,)) + count.to_bytes(2)
    return b"".join(pieces)


def unpack(packed: bytes, known: Mapping[bytes, str] | None = None) -> dict[str, bytes]:
    """The columns by name.

    Args:
        packed: what `pack` gave.
        known: names that are expected, by their bytes: they need not be decoded again.

    Raises:
        CannotOpen: another form, cut short, longer than its entries, or names that are not text in rising order.
    """
    if len(packed) < _HEAD_BYTES or packed[0] != PACK_FORM:
        raise CannotOpen(detail="a packed record of an unknown form")
    values: dict[str, bytes] = {}
    before, end, size = b"", _HEAD_BYTES, len(packed)
    names, from_bytes = known or {}, int.from_bytes
    for _ in range(from_bytes(packed[1:_HEAD_BYTES])):
        begin = end + _NAME_LENGTH
        middle = begin + from_bytes(packed[end:begin])
        first = middle + _VALUE_LENGTH
        name, end = packed[begin:middle], first + from_bytes(packed[middle:first])
        if end > size:
            raise CannotOpen(detail="a packed record is cut short")
        if name <= before:
            raise CannotOpen(detail="the columns of a packed record are not in order")
        before = name
        text = names.get(name)
        values[_decoded(name) if text is None else text] = packed[first:end]
    if end != size:
        raise CannotOpen(detail="a packed record goes on behind its last column")
    return values


def unpack_known(packed: bytes, heads: Iterable[tuple[str, bytes]]) -> dict[str, bytes] | None:
    """As `unpack`, of columns that are known.

    Args:
        packed: the record.
        heads: name and `entry_head` of every column that may be in it, in rising order.

    Returns:
        None where anything else stands in it than some of these columns; `unpack` says what.
    """
    if packed[:1] != _FORM:
        return None
    values: dict[str, bytes] = {}
    end, at, number = _HEAD_BYTES, packed.startswith, int.from_bytes
    for name, head in heads:
        if at(head, end):
            length = end + len(head)
            first = length + _VALUE_LENGTH
            end = first + number(packed[length:first])
            values[name] = packed[first:end]
    complete = end == len(packed) and len(values) == int.from_bytes(packed[1:_HEAD_BYTES])
    return values if complete else None


def _decoded(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise CannotOpen(detail="a column of a packed record has no readable name") from None
