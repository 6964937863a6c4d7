"""Cells: one sealed value of one column of one row about one person (docs/wire-format.md).

What a cell is bound to never appears in it; it must be said again to open it. So a cell that was copied to another
place, or whose header names another key version, does not open.
"""

import functools
from dataclasses import dataclass
from typing import Final

from compliance.vault.framing import framed, utf8
from compliance.vault.suites import NONCE_BYTES, TAG_BYTES, SealingKey
from models.errors import CannotOpen

CELL_FORMAT: Final = 1
HEADER_BYTES: Final = 4
OVERHEAD_BYTES: Final = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
COMMITMENT_BYTES: Final = 16
_LENGTH_OF_8: Final = (8).to_bytes(4)


@dataclass(frozen=True, slots=True)
class CellAddress:
    """Where a cell lies and whose it is; every part is bound. Identifiers only.

    Attributes:
        schema_version: of the column's meaning; a value read under another meaning does not open.
    """

    tenant: str
    table: str
    column: str
    row: str
    subject: str
    schema_version: int = 1


@dataclass(frozen=True, slots=True)
class RowAddress:
    """The row of several cells."""

    tenant: str
    table: str
    row: str
    subject: str
    schema_version: int = 1

    def cell(self, column: str) -> CellAddress:
        """The address of one of its cells."""
        return CellAddress(self.tenant, self.table, column, self.row, self.subject, self.schema_version)


def seal_cell(key: SealingKey, address: CellAddress, value: bytes | str) -> bytes:
    """`format(1) suite(1) dek_version(2) nonce(12) ciphertext tag(16)`: 32 bytes longer than the value."""
    header = _header(key)
    return header + key.seal(value if isinstance(value, bytes) else utf8(value), _associated_data(address, header))


def seal_cell_under(key: SealingKey, address: CellAddress, value: bytes, *, nonce: bytes) -> bytes:
    """As `seal_cell` with a given nonce: for the frozen example of the format, nothing else."""
    header = _header(key)
    return header + key.seal_under(nonce, value, _associated_data(address, header))


def open_cell(key: SealingKey, address: CellAddress, sealed: bytes) -> bytes:
    """The value.

    Raises:
        CannotOpen: altered, moved, cut short, or sealed under another key.
    """
    header = sealed[:HEADER_BYTES]
    if len(sealed) < OVERHEAD_BYTES or header != _header(key):
        raise CannotOpen(detail=_where(address))
    try:
        return key.open(sealed[HEADER_BYTES:], _associated_data(address, header))
    except CannotOpen:
        raise CannotOpen(detail=_where(address)) from None


def key_version_of(sealed: bytes) -> int:
    """Which version of the subject's key a cell names; it still has to open.

    Raises:
        CannotOpen: this is no cell of a known format.
    """
    if len(sealed) < OVERHEAD_BYTES or sealed[0] != CELL_FORMAT:
        raise CannotOpen(detail="not a cell of a known format")
    return int.from_bytes(sealed[2:HEADER_BYTES])


def suite_of_header(header: bytes) -> int | None:
    """Which suite the first bytes of a cell name; None where they are no cell's of a known format."""
    return header[1] if len(header) >= HEADER_BYTES and header[0] == CELL_FORMAT else None


def header_of(suite_id: int, version: int) -> bytes:
    """The first bytes of every cell that a key of this suite and version seals."""
    return bytes((CELL_FORMAT, suite_id)) + version.to_bytes(2)


def _header(key: SealingKey) -> bytes:
    return bytes((CELL_FORMAT, key.suite.id)) + key.version.to_bytes(2)


def _where(address: CellAddress) -> str:
    return f"cell {address.table}.{address.column} of {address.row}"


@functools.lru_cache(maxsize=1024)  # few columns, many cells
def _column_binding(tenant: str, table: str, column: str) -> bytes:
    return framed("casework.cell", tenant, table, column)


def _associated_data(address: CellAddress, header: bytes) -> bytes:
    # framed("casework.cell", tenant, table, column, row, subject, header, schema_version), only faster.
    row, subject = address.row.encode(), address.subject.encode()
    return b"".join(
        (
            _column_binding(address.tenant, address.table, address.column),
            len(row).to_bytes(4),
            row,
            len(subject).to_bytes(4),
            subject,
            b"\x00\x00\x00\x04",
            header,
            _LENGTH_OF_8,
            address.schema_version.to_bytes(8),
        )
    )


# Wrapped keys ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKeyAddress:
    """Whose key a wrapped subject key is, and under which branch key it lies."""

    tenant: str
    subject: str
    version: int
    suite: int
    branch_version: int


def wrap_subject_key(branch: SealingKey, address: SubjectKeyAddress, secret: bytes) -> bytes:
    """`format(1) suite(1) nonce(12) ciphertext tag(16)`; the suite byte is the wrapping key's."""
    header = bytes((CELL_FORMAT, branch.suite.id))
    return header + branch.seal(secret, _wrapping_binding(address, header))


def unwrap_subject_key(branch: SealingKey, address: SubjectKeyAddress, wrapped: bytes) -> bytes:
    """The key itself.

    Raises:
        CannotOpen: altered, another person's, or wrapped under another branch key.
    """
    header = wrapped[:2]
    if len(wrapped) < len(header) + NONCE_BYTES + TAG_BYTES or header != bytes((CELL_FORMAT, branch.suite.id)):
        raise CannotOpen(detail=f"wrapped key of subject {address.subject}")
    try:
        return branch.open(wrapped[2:], _wrapping_binding(address, header))
    except CannotOpen:
        raise CannotOpen(detail=f"wrapped key of subject {address.subject}") from None


def commitment(key: SealingKey, *, tenant: str, subject: str) -> bytes:
    """16 bytes that fit this key and no other: AES-GCM alone would let one ciphertext open under two keys."""
    return key.mac(framed("casework.commitment", tenant, subject, key.version, key.suite.id))[:COMMITMENT_BYTES]


def _wrapping_binding(address: SubjectKeyAddress, header: bytes) -> bytes:
    return framed(
        "casework.subject-key",
        header,
        address.tenant,
        address.subject,
        address.version,
        address.suite,
        address.branch_version,
    )
