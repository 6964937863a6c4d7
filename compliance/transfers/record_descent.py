"""From two roots that differ to the very records that do, with O(log n) comparisons for each of them.

Each side answers for a stretch of names with how many records lie in it and with the Merkle root over their leaves.
Stretches are cut where one side's records lie, by name and not by position, so a record that only one side has costs as
little as one that differs. Names and hashes go between the sides, no value does.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple, Protocol

from compliance.audit.log import EMPTY_ROOT, root_hash

MOST_FOUND: Final = 1000


class How(StrEnum):
    """In what way two books differ at a name."""

    DIFFERS = "differs"  # both have the record, with other content
    ONLY_LEFT = "only-left"
    ONLY_RIGHT = "only-right"


class Difference(NamedTuple):
    """One record in which two books differ."""

    name: str
    how: How


class Stretch(NamedTuple):
    """The records of one side from one name on and before another: how many, and the root over their leaves."""

    size: int
    root: bytes


class Side(Protocol):
    """One of the two books; the other company's may lie behind a file or a wire."""

    def stretch(self, begin: str, end: str | None) -> Stretch:
        """Count and root of the records named from `begin` on and before `end` (None: to the last)."""

    def middle(self, begin: str, end: str | None) -> str:
        """The name in the middle of a stretch of at least two records: not its first."""

    def only(self, begin: str, end: str | None) -> tuple[str, bytes] | None:
        """Name and leaf of the record of a stretch that holds at most one."""


class LeafTree:
    """One side in memory: names in rising order, and a leaf for each."""

    __slots__ = ("_leaves", "_names")

    def __init__(self, names: Sequence[str], leaves: Sequence[bytes]) -> None:
        """Keep them.

        Raises:
            ValueError: there are not as many names as leaves.
        """
        if len(names) != len(leaves):
            raise ValueError("a tree has one leaf for each name")
        self._names, self._leaves = names, leaves

    @classmethod
    def of(cls, records: Iterable[tuple[str, bytes]]) -> "LeafTree":
        """Of names and leaves in any order."""
        ordered = sorted(records)
        return cls([name for name, _ in ordered], [leaf for _, leaf in ordered])

    def stretch(self, begin: str, end: str | None) -> Stretch:
        """As `Side.stretch`."""
        first, last = self._range(begin, end)
        return Stretch(last - first, root_hash(self._leaves[first:last]) if last > first else EMPTY_ROOT)

    def middle(self, begin: str, end: str | None) -> str:
        """As `Side.middle`."""
        first, last = self._range(begin, end)
        return self._names[(first + last + 1) // 2]

    def only(self, begin: str, end: str | None) -> tuple[str, bytes] | None:
        """As `Side.only`."""
        first, last = self._range(begin, end)
        return (self._names[first], self._leaves[first]) if last > first else None

    def _range(self, begin: str, end: str | None) -> tuple[int, int]:
        names = self._names
        return bisect_left(names, begin), len(names) if end is None else bisect_left(names, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """What a descent found.

    Attributes:
        found: in the order of the names.
        comparisons: how many pairs of hashes were compared.
        whole: everything was found; otherwise it ended at the limit.
    """

    found: tuple[Difference, ...]
    comparisons: int
    whole: bool


class _Known(Enum):
    """What is known of a stretch before it is compared."""

    NOTHING = auto()
    FIRST_HALF = auto()  # of a stretch that differs; its other half lies behind it
    DIFFERS = auto()


def descend(left: Side, right: Side, *, most: int = MOST_FOUND) -> Descent:
    """The records in which two books differ, at most `most` of them; none where the roots are equal."""
    found: list[Difference] = []
    compared = 0
    open_stretches: list[tuple[str, str | None, _Known]] = [("", None, _Known.NOTHING)]
    while open_stretches and len(found) < most:
        begin, end, known = open_stretches.pop()
        one, other = left.stretch(begin, end), right.stretch(begin, end)
        if known is not _Known.DIFFERS:
            compared += 1
            if one == other:
                if known is _Known.FIRST_HALF:  # the whole of it differs, so the other half must
                    second, second_end, _ = open_stretches.pop()
                    open_stretches.append((second, second_end, _Known.DIFFERS))
                continue
        if one.size <= 1 and other.size <= 1:
            found += _at_most_one(left, right, begin, end)
            continue
        middle = (left if one.size >= other.size else right).middle(begin, end)
        open_stretches.append((middle, end, _Known.NOTHING))
        open_stretches.append((begin, middle, _Known.FIRST_HALF))
    return Descent(found=tuple(found[:most]), comparisons=compared, whole=not open_stretches and len(found) <= most)


def _at_most_one(left: Side, right: Side, begin: str, end: str | None) -> list[Difference]:
    one, other = left.only(begin, end), right.only(begin, end)
    if one is not None and other is not None and one[0] == other[0]:
        return [Difference(one[0], How.DIFFERS)]
    found = [Difference(one[0], How.ONLY_LEFT)] if one is not None else []
    found += [Difference(other[0], How.ONLY_RIGHT)] if other is not None else []
    return sorted(found)
