"""Candidates of a whole job at once: which records share a token, and whether others share a contact with them.

Of each record only the first 64 bits of each of its tokens are held (64 bytes a record), and tokens are grouped in
passes of a bounded number, so memory is about 70 bytes a record and 100 MB for a pass, however large the books. Two
tokens that differ only behind these bits would at worst be compared in vain.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from models.domain.matching.blocking import BEARER, SEARCHED, Block

# So many bearers of one value are no candidates for each other: it is a placeholder, or a company's telephone.
MOST_IN_BLOCK: Final = 50
# By what somebody is reached: the last is the home of those who were born on one day.
CONTACTS: Final = {
    Block.MOBILE: "mobile", Block.EMAIL: "email", Block.ACCOUNT: "account", Block.BORN_ADDRESS: "address",
}  # fmt: skip
TOKEN_BYTES: Final = 16
KINDS: Final = tuple(Block)
_SLOTS: Final = len(KINDS)
ROW_BYTES: Final = _SLOTS * TOKEN_BYTES
_NONE: Final = bytes(TOKEN_BYTES)
_PREFIXES: Final = Struct(">" + "Q8x" * _SLOTS)
_IN_A_PASS: Final = 1_000_000  # tokens
_SLOT_OF: Final = {kind: slot for slot, kind in enumerate(KINDS)}
_CROWD: Final = -1  # stands for so many bearers that they are not told apart


def packed_tokens(tokens: dict[Block, bytes]) -> bytes:
    """A record's tokens as they are kept: one place of 16 bytes for each kind, zeros where there is none."""
    return b"".join([tokens.get(kind, _NONE) for kind in KINDS])


@dataclass(slots=True)
class Paired:
    """Candidates of rows.

    Attributes:
        others: by row, the records to compare it with; rows that have none are not in it.
        crowded: how many values of each kind have more bearers than are compared.
        records: how many records take part.
        names: by row, how many records bear its name; only of rows with candidates.
        bearers: by record, what stands for its name's sound and birth date; 0 where it has none.
        circles: by row and contact, who bears it.
    """

    others: dict[int, list[int]] = field(default_factory=dict)
    crowded: Counter[Block] = field(default_factory=Counter)
    records: int = 0
    names: dict[int, int] = field(default_factory=dict)
    bearers: dict[int, int] = field(default_factory=dict)
    circles: dict[tuple[int, Block], frozenset[int]] = field(default_factory=dict)

    def shared(self, row: int, other: int) -> set[str]:
        """Contacts of the row which somebody has who is neither of the two; persons differ in name's sound or birth."""
        mine = {self.bearers.get(row, 0), self.bearers.get(other, 0)}
        found = set()
        for kind, name in CONTACTS.items():
            circle = self.circles.get((row, kind))
            if circle is not None and circle - mine:
                found.add(name)
        return found

    def bearers_of_name(self, row: int) -> int:
        """How many records bear the row's name, itself among them; only of rows with candidates, else 0."""
        return self.names.get(row, 0)


class Pairing:
    """Takes up every record's tokens, rows first, then pairs them. Records are called by the order they came in."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._tokens = array("Q")
        self._rows = 0

    def add_rows(self, packed: Iterable[bytes]) -> None:
        """Rows of the job, by number; before any record of the target's book."""
        self._rows += self._take(packed)

    def add_targets(self, packed: Iterable[bytes]) -> None:
        """Records of the target's book: nobody of them is compared with another of them."""
        self._take(packed)

    def _take(self, packed: Iterable[bytes]) -> int:
        before, unpack = len(self._tokens), _PREFIXES.unpack
        for one in packed:
            self._tokens.extend(unpack(one))
        return (len(self._tokens) - before) // _SLOTS

    def paired(self, beat: Callable[[], object] = lambda: None) -> Paired:
        """Find the candidates; `beat` is called now and then."""
        paired = Paired(records=len(self._tokens) // _SLOTS)
        found: dict[int, set[int]] = defaultdict(set)
        circles: dict[tuple[int, Block], set[int]] = {}
        for kind in SEARCHED:
            for members in self._groups(kind, beat):
                self._pair(kind, members, paired, found, circles)
        paired.others = {row: sorted(others) for row, others in sorted(found.items()) if others}
        paired.names = self._names(paired.others, beat)
        bearers, at = self._tokens, _SLOT_OF[BEARER]
        told = {*paired.others, *(other for others in paired.others.values() for other in others)}
        paired.bearers = {one: bearers[one * _SLOTS + at] for one in told}
        paired.circles = {name: frozenset(circle) for name, circle in circles.items() if name[0] in paired.others}
        return paired

    def _groups(self, kind: Block, beat: Callable[[], object]) -> Iterable[list[int]]:
        """The records that share a value of this kind, two or more, at least one of them a row."""
        slot = self._tokens[_SLOT_OF[kind] :: _SLOTS]
        passes = len(slot) // _IN_A_PASS + 1
        for part in range(passes):
            beat()
            first: dict[int, int] = {}
            several: dict[int, list[int]] = {}
            for at, token in enumerate(slot):
                if not token or (passes > 1 and token % passes != part):
                    continue
                known = first.setdefault(token, at)
                if known != at:
                    if token in several:
                        several[token].append(at)
                    else:
                        several[token] = [known, at]
            del first
            yield from several.values()

    def _pair(
        self,
        kind: Block,
        members: list[int],
        paired: Paired,
        found: dict[int, set[int]],
        circles: dict[tuple[int, Block], set[int]],
    ) -> None:
        rows = [one for one in members if one < self._rows]
        if len(members) > MOST_IN_BLOCK:
            paired.crowded[kind] += 1
            if kind in CONTACTS:
                circles.update(((row, kind), {_CROWD}) for row in rows)
            return
        for place, row in enumerate(members):
            if row >= self._rows:
                break
            found[row].update(members[:place])
            found[row].update(members[len(rows) :])
        if kind in CONTACTS and rows:
            at = _SLOT_OF[BEARER]
            circle = {bearer for one in members if (bearer := self._tokens[one * _SLOTS + at])}
            if circle:
                circles.update(((row, kind), circle) for row in rows)

    def _names(self, rows: Collection[int], beat: Callable[[], object]) -> dict[int, int]:
        """How many bear the name of each of these rows."""
        slot = self._tokens[_SLOT_OF[Block.NAME] :: _SLOTS]
        wanted = {slot[row] for row in rows} - {0}
        beat()
        counts = Counter(token for token in slot if token in wanted)
        return {row: counts[slot[row]] for row in rows if slot[row]}
