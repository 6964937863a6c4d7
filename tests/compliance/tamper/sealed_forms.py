"""Everything that is sealed under a key of ours, in one shape, so that every attack is tried on each of them."""

import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from compliance.vault import cells
from compliance.vault.blind import BlindField
from compliance.vault.bulk_keys import SubjectKeys
from compliance.vault.cells import CellAddress, SubjectKeyAddress
from compliance.vault.files import FileAddress, open_file, seal_file
from compliance.vault.records import Record, RecordLayout, RecordVault, SealedRecord
from compliance.vault.suites import AES_256_GCM, SM4_GCM, SealingKey, Suite

SUITES = (AES_256_GCM, SM4_GCM)
_TEXTS = ("acme", "other", "subjects", "name_cell", "sub_a", "sub_b", "a", "b", "ab", "", "办件", "\x00", "row-1")


@dataclass(frozen=True)
class Form:
    """One kind of sealed thing.

    Attributes:
        address: makes one at random; each of its parts is bound.
        seal: under a key, at an address.
        open: what `seal` made; must raise `CannotOpen` for anything else.
        header: how many bytes of it are its header: format, suite, and the key's version where it stands there.
        version_at: where in the header the key's version stands, if it does.
    """

    name: str
    address: Callable[[Random], Any]
    seal: Callable[[SealingKey, Any, bytes], bytes]
    open: Callable[[SealingKey, Any, bytes], bytes]
    header: int
    suite_at: int
    version_at: int | None


def _text(random: Random) -> str:
    return random.choice(_TEXTS) + str(random.randrange(1000)) * random.randrange(2)


def _cell_address(random: Random) -> CellAddress:
    return CellAddress(*(_text(random) for _ in range(5)), schema_version=random.randrange(1, 1 << 33))


def _key_address(random: Random) -> SubjectKeyAddress:
    return SubjectKeyAddress(
        tenant=_text(random),
        subject=_text(random),
        version=random.randrange(1, 1 << 16),
        suite=random.choice((1, 2)),
        branch_version=random.randrange(1, 1 << 16),
    )


def _file_address(random: Random) -> FileAddress:
    return FileAddress(_text(random), _text(random), _text(random))


def _seal_packed(key: SealingKey, address: CellAddress, value: bytes) -> bytes:
    return cells.seal_packed(key, address, {"address": value, "employer": b"x"})


def _open_packed(key: SealingKey, address: CellAddress, sealed: bytes) -> bytes:
    return cells.open_packed(key, address, sealed)["address"]


class _OneKey:
    """What a `RecordVault` asks of the vault, with one key for everybody."""

    def __init__(self, key: SealingKey) -> None:
        self._keys = SubjectKeys(key, {key.version: key})

    def subject_keys(
        self, *, tenant: str, subject_ids: Collection[str], create: bool = False
    ) -> dict[str, SubjectKeys]:
        return dict.fromkeys(subject_ids, self._keys)

    def index_keys(self, *, tenant: str, field: BlindField) -> tuple[SealingKey, ...]:
        return (self._keys.current,)


def _book(key: SealingKey, address: CellAddress, *, packed: bool) -> tuple[RecordVault, str]:
    """The bulk interface has a way of its own to a cell; it must be no wider one."""
    name = f"c{address.column}"
    layout = RecordLayout(
        table=address.table,
        cells=() if packed else (name,),
        packed=("address",) if packed else (),
        packed_into=name if packed else "rest",
        binary=frozenset({"address" if packed else name}),
        schema_version=address.schema_version,
    )
    return RecordVault(_OneKey(key), tenant=address.tenant, layout=layout), name


def _seal_record(key: SealingKey, address: CellAddress, value: bytes, *, packed: bool) -> bytes:
    book, name = _book(key, address, packed=packed)
    [sealed] = book.seal([Record(address.row, address.subject, {"address" if packed else name: value})])
    return sealed.cells[name]


def _open_record(key: SealingKey, address: CellAddress, sealed: bytes, *, packed: bool) -> bytes:
    book, name = _book(key, address, packed=packed)
    [record] = book.open([SealedRecord(address.row, address.subject, {name: sealed})])
    [value] = record.values.values()
    assert isinstance(value, bytes)
    return value


def forms(folder: Path) -> Iterator[Form]:
    """All of them; files go through `folder`."""
    source, target = folder / "sealed", folder / "attacked"

    def seal_in_file(key: SealingKey, address: FileAddress, value: bytes) -> bytes:
        seal_file(key, address, io.BytesIO(value), source)
        return source.read_bytes()

    def open_from_file(key: SealingKey, address: FileAddress, sealed: bytes) -> bytes:
        target.write_bytes(sealed)
        return b"".join(open_file(key, address, target))

    yield Form("cell", _cell_address, cells.seal_cell, cells.open_cell, 4, 1, 2)
    yield Form("packed", _cell_address, _seal_packed, _open_packed, 4, 1, 2)
    for name, packed in (("record", False), ("packed record", True)):
        seal, opener = partial(_seal_record, packed=packed), partial(_open_record, packed=packed)
        yield Form(name, _cell_address, seal, opener, 4, 1, 2)
    yield Form("wrapped key", _key_address, cells.wrap_subject_key, cells.unwrap_subject_key, 2, 1, None)
    yield Form("file", _file_address, seal_in_file, open_from_file, 8, 5, 6)


def key_of(suite: Suite, random: Random, *, version: int | None = None) -> SealingKey:
    """A key that the seed decides."""
    chosen = random.randrange(1, 1 << 16) if version is None else version
    return SealingKey(suite, random.randbytes(suite.key_bytes), version=chosen)
