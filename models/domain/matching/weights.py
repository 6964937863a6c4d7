"""What a level is worth: log2 of how much likelier it is for records of one person than of two (Fellegi-Sunter).

Shares are estimated; what is kept and added up are whole thousandths of a bit, so that a score is the same everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2
from typing import Any, Final

from models.domain.matching.levels import FIELDS, LEVELS, Agreement, Level

MILLI: Final = 1_000
# However odd a job's data, a weight stays this near to the one that is known beforehand.
MOST_MOVED: Final = 3 * MILLI
_MOST_COMMON_NAME: Final = 0.02
_RAREST_NAME: Final = 1e-6
_MOST_FOR_RARITY: Final = 4 * MILLI

Shares = dict[str, dict[Level, float]]

# Shares known beforehand, among values that both sides give. Of one person: from the noise that bank books are known to
# have (reference set of docs/matching.md). Of two: what chance gives, with room for households.
OF_ONE: Final[Shares] = {
    "name": {Level.EQUAL: 0.93, Level.SOUND: 0.03, Level.NEAR: 0.02, Level.FAMILY: 0.015, Level.DIFFERENT: 0.005},
    "identity": {
        Level.EQUAL: 0.95, Level.UNCHECKED: 0.01, Level.REPAIRED: 0.03, Level.NEAR: 0.005, Level.DIFFERENT: 0.004,
        Level.CONFLICT: 0.001,
    },
    "birth_date": {Level.EQUAL: 0.96, Level.NEAR: 0.025, Level.DIFFERENT: 0.015},
    "sex": {Level.EQUAL: 0.99, Level.DIFFERENT: 0.01},
    "mobile": {Level.EQUAL: 0.70, Level.NEAR: 0.02, Level.DIFFERENT: 0.28},
    "email": {Level.EQUAL: 0.60, Level.PART: 0.05, Level.DIFFERENT: 0.35},
    "account": {Level.EQUAL: 0.30, Level.NEAR: 0.01, Level.DIFFERENT: 0.69},
    "address": {Level.EQUAL: 0.50, Level.NEAR: 0.15, Level.PART: 0.10, Level.DIFFERENT: 0.25},
}  # fmt: skip
OF_TWO: Final[Shares] = {
    "name": {Level.EQUAL: 0.0005, Level.SOUND: 0.0005, Level.NEAR: 0.002, Level.FAMILY: 0.06, Level.DIFFERENT: 0.937},
    "identity": {
        Level.EQUAL: 1e-6, Level.UNCHECKED: 1e-4, Level.REPAIRED: 1e-5, Level.NEAR: 1e-4, Level.DIFFERENT: 0.05079,
        Level.CONFLICT: 0.949,
    },
    "birth_date": {Level.EQUAL: 0.0005, Level.NEAR: 0.005, Level.DIFFERENT: 0.9945},
    "sex": {Level.EQUAL: 0.5, Level.DIFFERENT: 0.5},
    "mobile": {Level.EQUAL: 0.002, Level.NEAR: 0.0005, Level.DIFFERENT: 0.9975},
    "email": {Level.EQUAL: 0.0002, Level.PART: 0.001, Level.DIFFERENT: 0.9988},
    "account": {Level.EQUAL: 0.0002, Level.NEAR: 0.0005, Level.DIFFERENT: 0.9993},
    "address": {Level.EQUAL: 0.01, Level.NEAR: 0.01, Level.PART: 0.08, Level.DIFFERENT: 0.90},
}  # fmt: skip


def milli_bits(of_one: float, of_two: float) -> int:
    """The weight of a level with these shares."""
    return round(log2(of_one / of_two) * MILLI)


PRIOR: Final[dict[str, dict[Level, int]]] = {
    field: {level: milli_bits(OF_ONE[field][level], OF_TWO[field][level]) for level in LEVELS[field]}
    for field in FIELDS
}


@dataclass(frozen=True, slots=True)
class Weights:
    """The table of one job, in milli-bits.

    Attributes:
        table: by field and level; what is missing weighs nothing.
        pairs: of how many pairs it was learnt; 0: it is the one known beforehand.
    """

    table: Mapping[str, Mapping[Level, int]]
    pairs: int = 0

    def of(self, agreement: Agreement, *, name_share: float | None = None) -> dict[str, tuple[Level, int]]:
        """What each field adds. `name_share`: which part of all records bears the name; a rare one says more."""
        found = {
            field: (level, self.table[field].get(level, 0)) for field, level in zip(FIELDS, agreement, strict=True)
        }
        if name_share is not None and agreement.name is Level.EQUAL:
            found["name"] = (Level.EQUAL, self._by_rarity(name_share))
        return found

    def _by_rarity(self, share: float) -> int:
        base = self.table["name"][Level.EQUAL]
        chance = min(max(share, _RAREST_NAME), _MOST_COMMON_NAME)
        weight = milli_bits(OF_ONE["name"][Level.EQUAL], chance)
        return min(max(weight, base - _MOST_FOR_RARITY), base + _MOST_FOR_RARITY)

    def as_record(self) -> dict[str, Any]:
        """As a job keeps it: words and whole numbers."""
        return {
            "pairs": self.pairs,
            "table": {field: {level.value: worth for level, worth in row.items()} for field, row in self.table.items()},
        }

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> "Weights":
        """A table as it was kept."""
        table = {
            field: {Level(level): int(worth) for level, worth in row.items()} for field, row in record["table"].items()
        }
        return cls(table=table, pairs=int(record["pairs"]))


PRIOR_WEIGHTS: Final = Weights(table=PRIOR)


def bounded(field: str, level: Level, weight: int) -> int:
    """A weight, no further from the one known beforehand than `MOST_MOVED`."""
    known = PRIOR[field][level]
    return min(max(weight, known - MOST_MOVED), known + MOST_MOVED)
