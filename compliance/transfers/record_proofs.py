"""Roots and checksums over customers' records, by which two books are compared without either being shown.

Everything is keyed by the job's own key (`compliance.transfers.proof_keys`): an unkeyed hash of an ID number is read
back by trying all of them. Three figures, each over what a record means and never over how it is stored:

- the *digest* of a record: 32 bytes over its canonical spelling; what a row of a job carries as `digest`;
- the *leaf* of a record: its name in the comparison and its digest, hashed as RFC 9162 hashes; leaves in the rising
  order of their names make the Merkle root (`compliance.audit.log`);
- the *checksum* of a column: the sum modulo 2^128 of a keyed hash over each name, column and value, in no order, so
  that parts that were computed apart add up.

A record's *name* is what both sides of a comparison call it: the id of the record, or of the row it came from.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self, TypeVar

from compliance.audit.log import LEAF_PREFIX, Edge
from compliance.vault.customer_layout import as_stored
from compliance.vault.framing import framed, utf8
from compliance.vault.suites import AES_256_GCM, SM4_GCM, Suite
from models.domain.customers.record import FIELDS, canonical_record

DIGEST_BYTES: Final = 32
CELL_BYTES: Final = 16
KEY_BYTES: Final = 32
PROOF_FORM: Final = 1
_MODULUS: Final = 1 << 8 * CELL_BYTES
_SM3_BLOCK: Final = 64
# The pieces of a record's one spelling, taken from where it is spelt.
_LENGTH_BYTES: Final = 4
_KNOWN: Final = frozenset(FIELDS)
_DEFAULTS: Final = as_stored({})
_FORM: Final = canonical_record({})
_HEADS: Final = {name: canonical_record({name: ""})[len(_FORM) : -_LENGTH_BYTES] for name in FIELDS}

Hashing = Callable[[bytes], bytes]
Values = Mapping[str, str | None]
R = TypeVar("R", bound=tuple[Any, ...])  # a record of a comparison: its name first


class Named(NamedTuple):
    """One record of a comparison: its name, and its values by field."""

    name: str
    values: Mapping[str, str | None]

    def __repr__(self) -> str:
        return f"Named(name={self.name!r})"


class ProofKey:
    """The key of one job's comparisons, ready for use. It never shows itself but to who seals it (`secret`).

    Under `aes-256-gcm` the keyed hash is BLAKE2b (RFC 7693), under `sm4-gcm` HMAC-SM3.
    """

    __slots__ = ("_digest", "_of_column", "_walk", "secret", "suite")

    def __init__(self, suite: Suite, secret: bytes) -> None:
        """Prepare what all hashes have in common.

        Raises:
            ValueError: the key is not 32 bytes long, or the suite has no keyed hash for this.
        """
        if len(secret) != KEY_BYTES:
            raise ValueError(f"a proof key is {KEY_BYTES} bytes long")
        keyed = _KEYED.get(suite.id)
        if keyed is None:
            raise ValueError(f"suite {suite.code} has no keyed hash for comparisons")
        self.suite, self.secret = suite, secret
        self._digest = keyed(secret, framed("casework.record-digest", PROOF_FORM), DIGEST_BYTES)
        self._of_column = {
            name: keyed(secret, framed("casework.record-cell", PROOF_FORM, name), CELL_BYTES) for name in FIELDS
        }
        self._walk = [
            (place, column, _DEFAULTS.get(column), _HEADS[column], self._of_column[column])
            for place, column in enumerate(FIELDS)
        ]

    def __repr__(self) -> str:
        return f"ProofKey(suite={self.suite.id})"

    def digest(self, values: Mapping[str, str | None]) -> bytes:
        """The keyed digest of a record, 32 bytes: the same for a row of a job and for the record it became.

        Raises:
            ValueError: a field that no record has.
        """
        return self._digest(canonical_record(as_stored(values)))

    def cells(self, name: str, values: Mapping[str, str | None]) -> dict[str, bytes]:
        """The keyed hash of each value that is there, 16 bytes, by field: to find the column in which two differ.

        Raises:
            ValueError: as `digest`.
        """
        who = framed(name)
        return {column: self._of_column[column](who + utf8(value)) for column, value in as_stored(values).items()}

    def count_in(self, tally: "Tally", name: str, values: Mapping[str, str | None], *also: "Tally") -> bytes:
        """`digest`, and the record counted into the tally: both in one pass over the values, for whole books.

        Args:
            tally: counts it in.
            name: of the record.
            values: by field.
            also: other tallies that count the same values in, each for its own side.

        Raises:
            ValueError: as `digest`; nothing is counted then.
        """
        if not values.keys() <= _KNOWN:
            raise ValueError(f"a customer's record has no field {min(values.keys() - _KNOWN)}")
        who, pieces = framed(name), [_FORM]
        nulls: list[int] = []
        numbers: list[tuple[int, int]] = []
        from_bytes = int.from_bytes
        try:
            for place, column, default, head, hashing in self._walk:
                value = values.get(column, default)
                if value is None and (value := default) is None:
                    nulls.append(place)
                    continue
                plain = value.encode()
                pieces += (head, len(plain).to_bytes(_LENGTH_BYTES), plain)
                numbers.append((place, from_bytes(hashing(who + plain))))
        except UnicodeEncodeError:  # whose own text would show the value
            raise ValueError(f"a text of {name} is not valid Unicode") from None
        for each in (tally, *also):
            each.rows += 1
            by_null, by_sum = each.by_null, each.by_sum
            for place in nulls:
                by_null[place] += 1
            for place, number in numbers:
                by_sum[place] += number
        return self._digest(b"".join(pieces))


def leaf_of(name: str, digest: bytes) -> bytes:
    """The leaf of a record in the Merkle tree; from here on no key is needed."""
    return hashlib.sha256(LEAF_PREFIX + framed(name, digest)).digest()


def differing_columns(
    key: ProofKey, name: str, one: Mapping[str, str | None], other: Mapping[str, str | None]
) -> tuple[str, ...]:
    """The columns in which two records differ, in their order; the values are not compared, only keyed hashes."""
    left, right = key.cells(name, one), key.cells(name, other)
    return tuple(column for column in FIELDS if left.get(column) != right.get(column))


@dataclass(slots=True)
class Tally:
    """How many records, how many of them lack each column, and the checksum of each column. Order does not matter.

    Attributes:
        rows: how many.
        by_null: how many lack it, by column in the order of `FIELDS`.
        by_sum: the sum of its hashes, so too; counts modulo 2^128.
    """

    rows: int = 0
    by_null: list[int] = field(default_factory=lambda: [0] * len(FIELDS))
    by_sum: list[int] = field(default_factory=lambda: [0] * len(FIELDS))

    def add(self, cells: Mapping[str, bytes]) -> None:
        """Count one record in, by the hashes of its values (`ProofKey.cells`)."""
        self.rows += 1
        for place, column in enumerate(FIELDS):
            cell = cells.get(column)
            if cell is None:
                self.by_null[place] += 1
            else:
                self.by_sum[place] += int.from_bytes(cell)

    def remove(self, cells: Mapping[str, bytes]) -> None:
        """Take one record out again that was counted in."""
        one = Tally()
        one.add(cells)
        self.rows -= 1
        self.by_null = [count - gone for count, gone in zip(self.by_null, one.by_null, strict=True)]
        self.by_sum = [total - gone for total, gone in zip(self.by_sum, one.by_sum, strict=True)]

    def merge(self, other: "Tally") -> None:
        """Count in what was counted apart."""
        self.rows += other.rows
        self.by_null = [one + more for one, more in zip(self.by_null, other.by_null, strict=True)]
        self.by_sum = [one + more for one, more in zip(self.by_sum, other.by_sum, strict=True)]

    @property
    def nulls(self) -> dict[str, int]:
        """How many records lack each column."""
        return dict(zip(FIELDS, self.by_null, strict=True))

    def checksums(self) -> dict[str, str]:
        """The checksum of each column, in 32 hexadecimal digits."""
        return {column: f"{total % _MODULUS:032x}" for column, total in zip(FIELDS, self.by_sum, strict=True)}

    def __eq__(self, other: object) -> bool:
        """Equal figures; the sums count modulo 2^128."""
        if not isinstance(other, Tally):
            return NotImplemented
        return (self.rows, self.nulls, self.checksums()) == (other.rows, other.nulls, other.checksums())

    __hash__ = None  # type: ignore[assignment]  # it changes

    def dump(self) -> dict[str, Any]:
        """As JSON, for a manifest or to go on later."""
        return {"rows": self.rows, "nulls": self.nulls, "checksums": self.checksums()}

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> Self:
        """What `dump` gave.

        Raises:
            ValueError: other columns than those of a record, or no figures.
        """
        nulls, checksums = dumped["nulls"], dumped["checksums"]
        if nulls.keys() != set(FIELDS) or checksums.keys() != set(FIELDS):
            raise ValueError("a tally is of exactly the columns of a customer's record")
        return cls(
            int(dumped["rows"]),
            [int(nulls[column]) for column in FIELDS],
            [int(checksums[column], 16) for column in FIELDS],
        )


@dataclass(slots=True)
class Proof:
    """Tally and Merkle tree of a book while it is walked over, in the rising order of the records' names.

    Attributes:
        tally: may be merged with others.
        tree: goes on where it was, never merged: its order is that of the names.
        last: the name of the last record.
    """

    tally: Tally = field(default_factory=Tally)
    tree: Edge = field(default_factory=Edge)
    last: str = ""

    def extend(self, key: ProofKey, records: Iterable[Named]) -> list[bytes]:
        """Go on with these records.

        Returns:
            Their leaves, in order, for whoever keeps them to find differences (`compliance.transfers.record_descent`).

        Raises:
            ValueError: a name does not rise by its bytes, or a field that no record has.
        """
        leaves = []
        for name, values in self._rising(records):
            leaves.append(leaf_of(name, key.count_in(self.tally, name, values)))
        self.tree.extend(leaves)
        return leaves

    def _rising(self, records: Iterable[R]) -> Iterator[R]:
        last = self.last.encode()
        for record in records:
            named = utf8(record[0])
            if named <= last:
                raise ValueError(f"record {record[0]} does not come behind {last.decode()}: a tree is in rising order")
            last = named
            yield record
        self.last = last.decode()

    def root(self) -> str:
        """The Merkle root so far, in 64 hexadecimal digits."""
        return self.tree.root().hex()

    def figures(self) -> dict[str, Any]:
        """What is compared, as JSON: rows, nulls and checksums by column, root."""
        return {**self.tally.dump(), "root": self.root()}

    def dump(self) -> dict[str, Any]:
        """As JSON, to go on later."""
        return {"tally": self.tally.dump(), "tree": self.tree.dump(), "last": self.last}

    @classmethod
    def load(cls, dumped: Mapping[str, Any]) -> Self:
        """What `dump` gave.

        Raises:
            ValueError: it does not fit together.
        """
        tally = Tally.load(dumped["tally"])
        return cls(tally=tally, tree=Edge.load(tally.rows, dumped["tree"]), last=str(dumped["last"]))


def extend_both(
    key: ProofKey, left: Proof, right: Proof, records: Iterable[tuple[str, Values, Values]]
) -> tuple[list[bytes], list[bytes]]:
    """Go on with both sides of a comparison, given as name, values of the left and values of the right.

    The figures are those that `Proof.extend` gives for each side by itself. Values that are the same on both sides have
    the same hashes, so these are worked out once.

    Returns:
        The leaves of either side, in order.

    Raises:
        ValueError: as `Proof.extend`.
    """
    ours: list[bytes] = []
    theirs: list[bytes] = []
    for name, one, other in right._rising(left._rising(records)):  # noqa: SLF001 - both sides, of this file
        if one == other or as_stored(one) == as_stored(other):
            leaf = leaf_of(name, key.count_in(left.tally, name, one, right.tally))
            ours.append(leaf)
            theirs.append(leaf)
        else:
            ours.append(leaf_of(name, key.count_in(left.tally, name, one)))
            theirs.append(leaf_of(name, key.count_in(right.tally, name, other)))
    left.tree.extend(ours)
    right.tree.extend(theirs)
    return ours, theirs


def differing_figures(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Which figures (`Proof.figures`) differ: `rows`, `root`, `nulls.<column>`, `checksums.<column>`, in that order."""
    found = [name for name in ("rows", "root") if one.get(name) != other.get(name)]
    for name in ("nulls", "checksums"):
        left, right = one.get(name, {}), other.get(name, {})
        found += [f"{name}.{column}" for column in FIELDS if left.get(column) != right.get(column)]
    return tuple(found)


# Keyed hashes: prepared once, copied for each value -------------------------------------------------------------------


def _blake2b(secret: bytes, context: bytes, length: int) -> Hashing:
    ready = hashlib.blake2b(context, key=secret, digest_size=length).copy

    def keyed(message: bytes) -> bytes:
        one = ready()
        one.update(message)
        return one.digest()

    return keyed


def _hmac_sm3(secret: bytes, context: bytes, length: int) -> Hashing:
    # HMAC (RFC 2104) over two prepared states: `hmac` would hash the key again for every value.
    padded = secret.ljust(_SM3_BLOCK, b"\0")
    inner = hashlib.new("sm3", bytes(byte ^ 0x36 for byte in padded) + context).copy
    outer = hashlib.new("sm3", bytes(byte ^ 0x5C for byte in padded)).copy

    def keyed(message: bytes) -> bytes:
        one, around = inner(), outer()
        one.update(message)
        around.update(one.digest())
        return around.digest()[:length]

    return keyed


_KEYED: Final[Mapping[int, Callable[[bytes, bytes, int], Hashing]]] = {
    AES_256_GCM.id: _blake2b,
    SM4_GCM.id: _hmac_sm3,
}
