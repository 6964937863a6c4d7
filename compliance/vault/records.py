"""Whole records of many people, sealed and opened in bulk (docs/wire-format.md).

A layout says which columns of a table are cells of their own, which ones nobody searches and so lie packed in one cell,
and which ones are indexed. Cells are the same as those that `Vault.seal` makes: either opens the other's.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, islice
from typing import Final, NamedTuple, Protocol, TypeVar

from compliance.vault import cells
from compliance.vault.blind import INDEX_BITS, BlindField, blind_indexes
from compliance.vault.bulk_keys import CHUNK, SubjectKeys
from compliance.vault.cells import CELL_FORMAT, HEADER_BYTES, OVERHEAD_BYTES, PACKED_FORMAT
from compliance.vault.packing import entry_head, pack_entries, unpack, unpack_known
from compliance.vault.suites import SealingKey
from models.errors import CannotOpen

DEFAULT_PACKED_COLUMN: Final = "packed_cell"
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Indexed:
    """A blind index over one column of text.

    Attributes:
        bits: of the token; fewer than 256 only as `compliance.vault.blind_plan` plans it.
    """

    column: str
    field: BlindField
    bits: int = INDEX_BITS


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLayout:
    """How the records of one table lie in it. Names are columns; a changed meaning gets a new schema version.

    Attributes:
        cells: columns that are sealed one by one, because they are opened or changed one by one.
        packed: columns that are sealed together, into `packed_into`.
        indexes: what is computed beside them, by the column that takes the token.
        binary: columns of bytes; all others are text.

    Raises:
        ValueError: a column stands twice, or an index is over a column of bytes or one that is not there.
    """

    table: str
    cells: tuple[str, ...]
    packed: tuple[str, ...] = ()
    packed_into: str = DEFAULT_PACKED_COLUMN
    indexes: Mapping[str, Indexed] = field(default_factory=dict)
    binary: frozenset[str] = frozenset()
    schema_version: int = 1

    def __post_init__(self) -> None:
        """Refuse a layout that would lose a column."""
        columns = [*self.cells, *self.packed, self.packed_into, *self.indexes]
        twice = {column for column in columns if columns.count(column) > 1}
        if twice or "" in columns:
            raise ValueError(
                f"layout of {self.table}: {min(twice) if twice else 'a column without a name'} stands twice"
            )
        sealed = {*self.cells, *self.packed}
        for column in self.binary - sealed:
            raise ValueError(f"layout of {self.table}: {column} is no column of it")
        for index in self.indexes.values():
            if index.column not in sealed - self.binary:
                raise ValueError(f"layout of {self.table}: an index needs a column of text, not {index.column}")


class Record(NamedTuple):
    """One row in clear; a column that is None or missing is not sealed."""

    row: str
    subject: str
    values: Mapping[str, str | bytes | None]

    def __repr__(self) -> str:
        return f"Record(row={self.row!r}, subject={self.subject!r})"


class SealedRecord(NamedTuple):
    """One row as it is stored: cells by column, the packed one among them, and tokens by their column."""

    row: str
    subject: str
    cells: Mapping[str, bytes]
    indexes: Mapping[str, bytes] = {}


class Keys(Protocol):
    """What of the vault is needed here."""

    def subject_keys(
        self, *, tenant: str, subject_ids: Collection[str], create: bool = False
    ) -> Mapping[str, SubjectKeys]:
        """Keys of at most `CHUNK` subjects."""

    def index_keys(self, *, tenant: str, field: BlindField) -> tuple[SealingKey, ...]:
        """The keys of one field's blind index that open: the one under which is written first."""


class RecordVault:
    """Seals and opens the records of one table of one tenant. Safe to share between threads."""

    def __init__(self, vault: Keys, *, tenant: str, layout: RecordLayout) -> None:
        """Work out once what all records have in common."""
        self._vault = vault
        self._tenant = tenant
        self._layout = layout
        self._columns = frozenset({*layout.cells, *layout.packed})
        self._packed = frozenset(layout.packed)
        self._packed_names = {name.encode(): name for name in layout.packed}
        self._cells = {
            column: cells.column_binding(tenant, layout.table, column, CELL_FORMAT) for column in layout.cells
        }
        self._names, self._bindings = tuple(self._cells), tuple(self._cells.values())
        self._pack = cells.column_binding(tenant, layout.table, layout.packed_into, PACKED_FORMAT)
        self._heads = [(column, entry_head(column)) for column in sorted(layout.packed, key=str.encode)]

    def seal(self, records: Iterable[Record], *, create: bool = False) -> Iterator[SealedRecord]:
        """Seal records as they come, in chunks of `CHUNK`; keys that are not in memory are read once a chunk.

        Args:
            records: taken from as far as the chunk under way.
            create: give a key to a subject who has none, committed before the first of the chunk is handed out.

        Raises:
            ValueError: a column that the layout does not have, a text that is no Unicode, or an empty value to index.
            SubjectShredded: a subject of the chunk was shredded.
            KeysUnavailable: a subject of the chunk has no key, or the key store does not answer.
        """
        for chunk in _chunks(records):
            subjects = {record.subject for record in chunk}
            keys = self._vault.subject_keys(tenant=self._tenant, subject_ids=subjects, create=create)
            index_keys = {
                index.field: self._vault.index_keys(tenant=self._tenant, field=index.field)[0]
                for index in self._layout.indexes.values()
            }
            yield from self._sealed_chunk(chunk, keys, index_keys)

    def tokens(self, into: str, values: Iterable[str]) -> list[tuple[bytes, ...]]:
        """By what values are looked up in an index of the layout, in the order of the values.

        Of each value the present token first, as `seal` gives it, then those of the other index keys that open: while
        index keys change, a value may stand under any of them, so a look-up asks for all.

        Raises:
            ValueError: the layout has no such index, or a value is empty.
        """
        index = self._layout.indexes.get(into)
        if index is None:
            raise ValueError(f"{self._layout.table} has no index {into}")
        keys, wanted = self._vault.index_keys(tenant=self._tenant, field=index.field), [*values]
        under = [blind_indexes(key, field=index.field, values=wanted, bits=index.bits) for key in keys]
        return list(zip(*under, strict=True))

    def open(self, sealed: Iterable[SealedRecord]) -> Iterator[Record]:
        """Open records, in chunks; of a record that carries only some of its cells, only these.

        Raises:
            ValueError: a cell of a column that the layout does not have.
            CannotOpen: a cell was altered, moved, or sealed under a key or a layout that is not here.
            SubjectShredded: as `seal`.
            KeysUnavailable: as `seal`.
        """
        for chunk in _chunks(sealed):
            keys = self._vault.subject_keys(tenant=self._tenant, subject_ids={record.subject for record in chunk})
            yield from [
                self._opened_at_once(record, keys[record.subject].versions)
                or self._opened(record, keys[record.subject].versions)
                for record in chunk
            ]

    # Sealing ----------------------------------------------------------------------------------------------------------

    def _sealed_chunk(
        self,
        chunk: Sequence[Record],
        keys: Mapping[str, SubjectKeys],
        index_keys: Mapping[BlindField, SealingKey],
    ) -> list[SealedRecord]:
        sealed = [self._cells_of(record, keys[record.subject].current) for record in chunk]
        indexes: list[dict[str, bytes]] = [{} for _ in chunk]
        for into, index in self._layout.indexes.items():
            self._index(chunk, indexes, into, index, index_keys[index.field])
        return [
            SealedRecord(record.row, record.subject, cells_, tokens)
            for record, cells_, tokens in zip(chunk, sealed, indexes, strict=True)
        ]

    def _cells_of(self, record: Record, key: SealingKey) -> dict[str, bytes]:
        row, subject, values = record
        if not values.keys() <= self._columns:
            raise ValueError(f"{self._layout.table} has no column {min(values.keys() - self._columns)} to seal")
        who, header = cells.row_binding(row, subject), cells.header_of(key)
        rest = who + cells.form_binding(header, self._layout.schema_version)
        columns, bindings, found = self._names, self._bindings, [values.get(column) for column in self._names]
        if None in found:
            there = [value is not None for value in found]
            columns, bindings = tuple(compress(columns, there)), tuple(compress(bindings, there))
        try:
            contents = [value if isinstance(value, bytes) else value.encode() for value in found if value is not None]
            bound = [binding + rest for binding in bindings]
            sealed = dict(zip(columns, key.seal_each(header, contents, bound), strict=True))
            if self._heads:
                sealed |= self._packed_cell(values, key, self._pack + who)
        except UnicodeEncodeError:  # whose own text would show the value
            raise ValueError(f"a text of {row} is not valid Unicode") from None
        return sealed

    def _packed_cell(
        self, values: Mapping[str, str | bytes | None], key: SealingKey, binding: bytes
    ) -> dict[str, bytes]:
        entries = [
            (head, value if isinstance(value, bytes) else value.encode())
            for name, head in self._heads
            if (value := values.get(name)) is not None
        ]
        if not entries:
            return {}
        header = cells.header_of(key, PACKED_FORMAT)
        bound = binding + cells.form_binding(header, self._layout.schema_version)
        [sealed] = key.seal_all(header, [(pack_entries(entries), bound)])
        return {self._layout.packed_into: sealed}

    def _index(
        self,
        chunk: Sequence[Record],
        indexes: Sequence[dict[str, bytes]],
        into: str,
        index: Indexed,
        key: SealingKey,
    ) -> None:
        """Put the tokens of one index beside the records that have a value for it."""
        places, values = [], []
        for place, record in enumerate(chunk):
            value = record.values.get(index.column)
            if value is None:
                continue
            if not isinstance(value, str):
                raise ValueError(f"{self._layout.table}.{index.column} is indexed: text only")  # noqa: TRY004 - of the data
            places.append(place)
            values.append(value)
        tokens = blind_indexes(key, field=index.field, values=values, bits=index.bits)
        for place, token in zip(places, tokens, strict=True):
            indexes[place][into] = token

    # Opening ----------------------------------------------------------------------------------------------------------

    def _opened_at_once(self, record: SealedRecord, versions: Mapping[int, SealingKey]) -> Record | None:
        """A record whose cells all lie under one key, as nearly always; None says nothing of what is wrong with it."""
        sealed_cells, bound = record.cells, []
        first = next(iter(sealed_cells.values()), b"")
        key = versions.get(int.from_bytes(first[2:HEADER_BYTES]))
        if key is None:
            return None
        who = cells.row_binding(record.row, record.subject)
        plain, packed = cells.header_of(key), cells.header_of(key, PACKED_FORMAT)
        rest = who + cells.form_binding(plain, self._layout.schema_version)
        for column, sealed in sealed_cells.items():
            binding = self._cells.get(column)
            if binding is not None and sealed.startswith(plain):
                bound.append((sealed, binding + rest))
            elif column == self._layout.packed_into and sealed.startswith(packed):
                bound.append((sealed, self._pack + who + cells.form_binding(packed, self._layout.schema_version)))
            else:
                return None
        try:
            contents = key.open_all(bound, begin=HEADER_BYTES)
        except CannotOpen:
            return None
        return self._read(record, contents)

    def _read(self, record: SealedRecord, contents: Sequence[bytes]) -> Record | None:
        """What was opened of a record, as text where it is text; None where something of it is not as laid out."""
        found = dict(zip(record.cells, contents, strict=True))
        packed = found.pop(self._layout.packed_into, None)
        if packed is not None:
            known = unpack_known(packed, self._heads)
            if known is None:
                return None
            found |= known
        values: dict[str, str | bytes | None] = {}
        binary = self._layout.binary
        try:
            if not binary:  # nearly always
                values.update(zip(found, map(bytes.decode, found.values()), strict=True))
            else:
                values.update((name, value if name in binary else value.decode()) for name, value in found.items())
        except UnicodeDecodeError:
            return None
        return Record(record.row, record.subject, values)

    def _opened(self, record: SealedRecord, versions: Mapping[int, SealingKey]) -> Record:
        who, packed_into = cells.row_binding(record.row, record.subject), self._layout.packed_into
        known: dict[bytes, tuple[SealingKey, bytes]] = {}  # nearly always all cells of a row have one header
        values: dict[str, str | bytes | None] = {}
        for column, sealed in record.cells.items():
            binding, cell_format = self._cells.get(column), CELL_FORMAT
            if binding is None:
                if column != packed_into:
                    raise ValueError(f"{self._layout.table} has no column {column} to open")
                binding, cell_format = self._pack, PACKED_FORMAT
            header = sealed[:HEADER_BYTES]
            if header not in known:
                known[header] = self._opener(record, column, header, versions, who)
            key, rest = known[header]
            if header[0] != cell_format or len(sealed) < OVERHEAD_BYTES:
                raise CannotOpen(detail=self._place(record, column))
            try:
                content = key.open(sealed, binding + rest, begin=HEADER_BYTES)
            except CannotOpen:
                raise CannotOpen(detail=self._place(record, column)) from None
            if cell_format == CELL_FORMAT:
                values[column] = content if column in self._layout.binary else self._text(record, column, content)
            else:
                self._unpack_into(values, record, content)
        return Record(record.row, record.subject, values)

    def _opener(
        self, record: SealedRecord, column: str, header: bytes, versions: Mapping[int, SealingKey], who: bytes
    ) -> tuple[SealingKey, bytes]:
        key = versions.get(int.from_bytes(header[2:]))
        if key is None or len(header) < HEADER_BYTES or header != cells.header_of(key, header[0]):
            raise CannotOpen(detail=self._place(record, column))
        return key, who + cells.form_binding(header, self._layout.schema_version)

    def _unpack_into(self, values: dict[str, str | bytes | None], record: SealedRecord, content: bytes) -> None:
        packed, binary = unpack(content, self._packed_names), self._layout.binary
        if not packed.keys() <= self._packed:
            where = self._place(record, self._layout.packed_into)
            raise CannotOpen(detail=f"{where} holds columns of another layout")
        if not binary:
            try:
                for name, value in packed.items():
                    values[name] = value.decode()
            except UnicodeDecodeError:  # whose own text would show the value
                raise CannotOpen(detail=f"{self._place(record, name)} holds no text") from None
            return
        for name, value in packed.items():
            values[name] = value if name in binary else self._text(record, name, value)

    def _text(self, record: SealedRecord, column: str, value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError:  # whose own text would show the value
            raise CannotOpen(detail=f"{self._place(record, column)} holds no text") from None

    def _place(self, record: SealedRecord, column: str) -> str:
        return f"cell {self._layout.table}.{column} of {record.row}"


def _chunks(items: Iterable[R]) -> Iterator[list[R]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
