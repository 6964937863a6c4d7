"""Cells: one sealed value of one column of one row about one person (docs/wire-format.md).

What a cell is bound to never appears in it; it must be said again to open it. So a cell that was copied to another
place, or whose header names another key version, does not open. A packed cell holds several columns of one row.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compliance.vault.framing import framed, utf8
from compliance.vault.packing import pack, unpack
from compliance.vault.suites import NONCE_BYTES, TAG_BYTES, SealingKey, Suite
from models.errors import CannotOpen

CELL_FORMAT: Final = 1
PACKED_FORMAT: Final = 2
HEADER_BYTES: Final = 4
OVERHEAD_BYTES: Final = HEADER_BYTES + NONCE_BYTES + TAG_BYTES
COMMITMENT_BYTES: Final = 16
_DOMAIN: Final = {CELL_FORMAT: "casework.cell", PACKED_FORMAT: "casework.packed"}
_LENGTH_OF_4: Final = (4).to_bytes(4)
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
    header = header_of(key)
    return header + key.seal(value if isinstance(value, bytes) else utf8(value), _associated_data(address, header))


def seal_cell_under(key: SealingKey, address: CellAddress, value: bytes, *, nonce: bytes) -> bytes:
    """As `seal_cell` with a given nonce: for the frozen example of the format, nothing else."""
    header = header_of(key)
    return header + key.seal_under(nonce, value, _associated_data(address, header))


def open_cell(key: SealingKey, address: CellAddress, sealed: bytes) -> bytes:
    """The value.

    Raises:
        CannotOpen: altered, moved, cut short, or sealed under another key.
    """
    return _opened(key, address, sealed, header_of(key))


def seal_packed(key: SealingKey, address: CellAddress, values: Mapping[str, bytes]) -> bytes:
    """A packed cell: the header of a cell with format 2, over the packed columns (`compliance.vault.packing`)."""
    header = header_of(key, PACKED_FORMAT)
    return header + key.seal(pack(values), _associated_data(address, header))


def open_packed(key: SealingKey, address: CellAddress, sealed: bytes) -> dict[str, bytes]:
    """The columns by name.

    Raises:
        CannotOpen: altered, moved, cut short, a plain cell, or sealed under another key.
    """
    return unpack(_opened(key, address, sealed, header_of(key, PACKED_FORMAT)))


def key_version_of(sealed: bytes) -> int:
    """Which version of the subject's key a cell, plain or packed, names; it still has to open.

    Raises:
        CannotOpen: this is no cell of a known format.
    """
    if len(sealed) < OVERHEAD_BYTES or sealed[0] not in _DOMAIN:
        raise CannotOpen(detail="not a cell of a known format")
    return int.from_bytes(sealed[2:HEADER_BYTES])


def key_named(start: bytes) -> tuple[int, int] | None:
    """Suite and version of the key that the first bytes of a cell, plain or packed, name; None where they are none."""
    if len(start) < HEADER_BYTES or start[0] not in _DOMAIN:
        return None
    return start[1], int.from_bytes(start[2:HEADER_BYTES])


def resealed(old: SealingKey, new: SealingKey, address: CellAddress, sealed: bytes) -> bytes:
    """The same value, in the same form, under another key of its subject.

    Raises:
        CannotOpen: as `open_cell`.
    """
    form = sealed[0] if sealed and sealed[0] in _DOMAIN else CELL_FORMAT
    header = header_of(new, form)
    value = _opened(old, address, sealed, header_of(old, form))
    return header + new.seal(value, _associated_data(address, header))


def text_of(address: CellAddress, value: bytes) -> str:
    """A value that was sealed as text.

    Raises:
        CannotOpen: it was not.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:  # whose own text would show the value
        raise CannotOpen(detail=f"{place_of(address)} holds no text") from None


def place_of(address: CellAddress) -> str:
    """Where a cell lies, for an error: names and identifiers only."""
    return f"cell {address.table}.{address.column} of {address.row}"


# The binding: framed(domain, tenant, table, column, row, subject, header, schema version), in three parts that are each
# worked out no more often than they change. --------------------------------------------------------------------------


def header_of(key: SealingKey, cell_format: int = CELL_FORMAT) -> bytes:
    """What stands before the nonce of everything that this key seals in this format."""
    return _header(cell_format, key.suite.id, key.version)


@functools.lru_cache(maxsize=1024)  # few versions, many keys
def _header(cell_format: int, suite_id: int, version: int) -> bytes:
    return bytes((cell_format, suite_id)) + version.to_bytes(2)


@functools.lru_cache(maxsize=1024)  # few columns, many cells
def column_binding(tenant: str, table: str, column: str, cell_format: int = CELL_FORMAT) -> bytes:
    """What the cells of one column have in common."""
    return framed(_DOMAIN[cell_format], tenant, table, column)


def row_binding(row: str, subject: str) -> bytes:
    """What the cells of one row have in common."""
    row_bytes, subject_bytes = row.encode(), subject.encode()
    return b"".join((len(row_bytes).to_bytes(4), row_bytes, len(subject_bytes).to_bytes(4), subject_bytes))


@functools.lru_cache(maxsize=1024)  # few headers, many rows
def form_binding(header: bytes, schema_version: int) -> bytes:
    """What the cells of one row under one key have in common."""
    return b"".join((_LENGTH_OF_4, header, _LENGTH_OF_8, schema_version.to_bytes(8)))


def _associated_data(address: CellAddress, header: bytes) -> bytes:
    return (
        column_binding(address.tenant, address.table, address.column, header[0])
        + row_binding(address.row, address.subject)
        + form_binding(header, address.schema_version)
    )


def _opened(key: SealingKey, address: CellAddress, sealed: bytes, header: bytes) -> bytes:
    if len(sealed) < OVERHEAD_BYTES or sealed[:HEADER_BYTES] != header:
        raise CannotOpen(detail=place_of(address))
    try:
        return key.open(sealed[HEADER_BYTES:], _associated_data(address, header))
    except CannotOpen:
        raise CannotOpen(detail=place_of(address)) from None


# Wrapped keys ---------------------------------------------------------------------------------------------------------


_WRAPPED_FORMAT: Final = 1
_WRAPPING_DOMAIN: Final = "casework.subject-key"
_COMMITMENT_DOMAIN: Final = "casework.commitment"


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
    header = _wrapping_header(branch)
    return header + branch.seal(secret, _wrapping_binding(address, header))


def unwrap_subject_key(branch: SealingKey, address: SubjectKeyAddress, wrapped: bytes) -> bytes:
    """The key itself.

    Raises:
        CannotOpen: altered, another person's, or wrapped under another branch key.
    """
    header = wrapped[:2]
    if len(wrapped) < len(header) + NONCE_BYTES + TAG_BYTES or header != _wrapping_header(branch):
        raise CannotOpen(detail=f"wrapped key of subject {address.subject}")
    try:
        return branch.open(wrapped[2:], _wrapping_binding(address, header))
    except CannotOpen:
        raise CannotOpen(detail=f"wrapped key of subject {address.subject}") from None


def commitment(key: SealingKey, *, tenant: str, subject: str) -> bytes:
    """16 bytes that fit this key and no other: GCM alone would let one ciphertext open under two keys."""
    return key.mac(framed(_COMMITMENT_DOMAIN, tenant, subject, key.version, key.suite.id))[:COMMITMENT_BYTES]


class ManySubjectKeys:
    """Wraps and unwraps keys of one version and suite, under one branch key, of many subjects of one tenant.

    The same bytes as `wrap_subject_key` and `commitment`; what all have in common is worked out once.
    """

    __slots__ = ("_begin", "_branch", "_committed", "_end", "_header", "_suite", "_tenant", "_version", "_with")

    def __init__(self, branch: SealingKey, *, tenant: str, version: int, suite: Suite) -> None:
        """Prepare the bindings."""
        self._branch, self._suite, self._version, self._tenant = branch, suite, version, tenant
        self._header = _wrapping_header(branch)
        self._begin = framed(_WRAPPING_DOMAIN, self._header, tenant)
        self._end = framed(version, suite.id, branch.version)
        self._committed, self._with = framed(_COMMITMENT_DOMAIN, tenant), framed(version, suite.id)

    def wrap(self, secrets: Mapping[str, bytes]) -> list[tuple[SealingKey, bytes, bytes]]:
        """For each subject the key, its wrapped form and its commitment."""
        who = [framed(subject) for subject in secrets]
        keys = [SealingKey(self._suite, secret, version=self._version) for secret in secrets.values()]
        bound = [(secret, self._begin + one + self._end) for secret, one in zip(secrets.values(), who, strict=True)]
        wrapped = self._branch.seal_all(self._header, bound)
        commitments = [self._commitment(key, one) for key, one in zip(keys, who, strict=True)]
        return list(zip(keys, wrapped, commitments, strict=True))

    def unwrap(self, stored: Sequence[tuple[str, bytes, bytes]]) -> list[SealingKey]:
        """The keys of subjects, each given with its wrapped form and its commitment.

        Raises:
            CannotOpen: one was altered, is another person's, lies under another branch key, or is not the one
                committed to.
        """
        return self._proved(*self._opened(stored), stored)

    def rewrap(self, stored: Sequence[tuple[str, bytes, bytes]], onto: SealingKey) -> list[bytes]:
        """The wrapped forms of the same keys under another branch key; raises as `unwrap`."""
        who, secrets = self._opened(stored)
        self._proved(who, secrets, stored)
        new = ManySubjectKeys(onto, tenant=self._tenant, version=self._version, suite=self._suite)
        begin, end = new._begin, new._end
        return onto.seal_each(new._header, secrets, [begin + one + end for one in who])

    def _opened(self, stored: Sequence[tuple[str, bytes, bytes]]) -> tuple[list[bytes], list[bytes]]:
        """Who they are, framed, and their bare keys."""
        header, begin, end = self._header, self._begin, self._end
        length, shortest = len(header), len(header) + NONCE_BYTES + TAG_BYTES
        who, bound = [], []
        for subject, wrapped, _ in stored:
            if len(wrapped) < shortest or wrapped[:length] != header:
                raise CannotOpen(detail=f"wrapped key of subject {subject}")
            name = subject.encode()
            one = len(name).to_bytes(4) + name
            who.append(one)
            bound.append((wrapped, begin + one + end))
        try:
            return who, self._branch.open_all(bound, begin=length)
        except CannotOpen:
            raise CannotOpen(detail=f"wrapped key of subject {self._unopened(stored, bound)}") from None

    def _proved(
        self, who: Sequence[bytes], secrets: Sequence[bytes], stored: Sequence[tuple[str, bytes, bytes]]
    ) -> list[SealingKey]:
        """The keys, once each is the one that was committed to."""
        suite, version, committed, end = self._suite, self._version, self._committed, self._with
        keys = [SealingKey(suite, secret, version=version) for secret in secrets]
        for key, one, (subject, _, commitment) in zip(keys, who, stored, strict=True):
            if key.mac(committed + one + end)[:COMMITMENT_BYTES] != commitment:
                raise CannotOpen(detail=f"the key of subject {subject} does not fit its commitment")
        return keys

    def _unopened(self, stored: Sequence[tuple[str, bytes, bytes]], bound: Sequence[tuple[bytes, bytes]]) -> str:
        """The first whose key does not open."""
        for (subject, _, _), (wrapped, associated_data) in zip(stored, bound, strict=True):
            try:
                self._branch.open(wrapped, associated_data, begin=len(self._header))
            except CannotOpen:
                return subject
        return "?"

    def _commitment(self, key: SealingKey, who: bytes) -> bytes:
        return key.mac(self._committed + who + self._with)[:COMMITMENT_BYTES]


def _wrapping_header(branch: SealingKey) -> bytes:
    return bytes((_WRAPPED_FORMAT, branch.suite.id))


def _wrapping_binding(address: SubjectKeyAddress, header: bytes) -> bytes:
    return framed(
        _WRAPPING_DOMAIN,
        header,
        address.tenant,
        address.subject,
        address.version,
        address.suite,
        address.branch_version,
    )
