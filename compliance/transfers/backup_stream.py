"""The content of a container: one record after the other, each behind its length (docs/transfer-backup.md).

A record carries what it means, in the one spelling that roots and checksums are computed over, and in front of it what
a restore needs beside that: id, subject, version, state, who it is one person with. Bytes that are not this spelling
are refused.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.vault.customer_layout import Customer
from compliance.vault.framing import framed
from models.domain.customers.record import FIELDS, canonical_record

_LENGTH: Final = 4
_MOST_BYTES: Final = 1 << 24  # a record is some hundred bytes: a longer one is damage
_PARTS: Final = 6
_FORM: Final = canonical_record({})
_FIELD_NUMBER: Final = 2


class BackedUp(NamedTuple):
    """One record of a backup."""

    customer: Customer
    version: int = 1
    state: str = "active"
    person_link: str = ""  # empty: none


def frame(record: BackedUp) -> bytes:
    """One record as it stands in the content."""
    customer = record.customer
    body = framed(
        customer.id,
        customer.subject,
        record.version,
        record.state,
        record.person_link,
        canonical_record(customer.values),
    )
    return len(body).to_bytes(_LENGTH) + body


def read_frames(pieces: Iterable[bytes]) -> Iterator[BackedUp]:
    """The records of a content that comes in pieces of any size.

    Raises:
        BackupFault: a record is not of this form, with its number; while iterating.
    """
    pending, number = bytearray(), 0
    for piece in pieces:
        pending += piece
        begin = 0
        while len(pending) - begin >= _LENGTH:
            length = int.from_bytes(pending[begin : begin + _LENGTH])
            if length > _MOST_BYTES:
                raise BackupFault(FaultCode.RECORD_UNREADABLE, record=number + 1)
            end = begin + _LENGTH + length
            if end > len(pending):
                break
            number += 1
            try:
                yield _record(bytes(pending[begin + _LENGTH : end]))
            except ValueError:
                raise BackupFault(FaultCode.RECORD_UNREADABLE, record=number) from None
            begin = end
        del pending[:begin]
    if pending:
        raise BackupFault(FaultCode.RECORD_UNREADABLE, record=number + 1)


def _record(body: bytes) -> BackedUp:
    row, subject, version, state, link, spelled = _parts(body)
    return BackedUp(
        Customer(row.decode(), subject.decode(), _values(spelled)),
        int.from_bytes(version),
        state.decode(),
        link.decode(),
    )


def _parts(body: bytes) -> list[bytes]:
    parts, begin = [], 0
    while begin < len(body):
        first = begin + _LENGTH
        begin = first + int.from_bytes(body[begin:first])
        parts.append(body[first:begin])
    if len(parts) != _PARTS or begin != len(body):
        raise ValueError("not a record of a backup")
    return parts


def _values(spelled: bytes) -> dict[str, str | None]:
    """The values of a canonical record.

    Raises:
        ValueError: it is not one.
    """
    if not spelled.startswith(_FORM):
        raise ValueError("a record of an unknown form")
    values: dict[str, str | None] = {}
    begin, before = len(_FORM), -1
    while begin < len(spelled):
        length_at = begin + _FIELD_NUMBER
        first = length_at + _LENGTH
        field, end = int.from_bytes(spelled[begin:length_at]), first + int.from_bytes(spelled[length_at:first])
        if not before < field < len(FIELDS) or end > len(spelled) or first > len(spelled):
            raise ValueError("a record that is cut short, or whose fields are not in order")
        values[FIELDS[field]] = spelled[first:end].decode()
        begin, before = end, field
    return values
