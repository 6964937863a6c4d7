"""The audit sample of automatic merges: which pairs, by a recorded seed, and what it says about all of them."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import ceil, comb, floor
from typing import Final

SHARE: Final = 2  # per cent of automatic merges
FEWEST: Final = 5
CONFIDENCE: Final = 0.95
# What the check of a sampled pair found, as the pair keeps it.
SAMPLE_RIGHT: Final = "sample-right"
SAMPLE_WRONG: Final = "sample-wrong"
_STEPS: Final = 60


def audit_sample(pairs: Collection[str], *, seed: str) -> tuple[str, ...]:
    """2 % of the pairs, at least 5: those whose names come first when hashed with the seed. All can draw it again."""
    count = min(len(pairs), max(FEWEST, -(-len(pairs) * SHARE // 100)))
    drawn = sorted(pairs, key=lambda pair: hashlib.sha256(f"{seed}\x00{pair}".encode()).digest())
    return tuple(drawn[:count])


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a share, in millionths, that hold with 95 % (Clopper and Pearson, 1934)."""

    low: int
    high: int


def clopper_pearson(right: int, checked: int) -> Interval:
    """Exact bounds of a share of which `right` of `checked` were seen; nothing checked says nothing.

    Raises:
        ValueError: more right than checked, or fewer than none.
    """
    if not 0 <= right <= checked:
        raise ValueError("right is at least 0 and at most what was checked")
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if right == 0 else _root(lambda share: _at_least(right, checked, share) - tail)
    high = 1.0 if right == checked else _root(lambda share: tail - _at_most(right, checked, share))
    return Interval(floor(low * 1_000_000), ceil(high * 1_000_000))


def _at_most(right: int, checked: int, share: float) -> float:
    return sum(comb(checked, count) * share**count * (1 - share) ** (checked - count) for count in range(right + 1))


def _at_least(right: int, checked: int, share: float) -> float:
    return sum(
        comb(checked, count) * share**count * (1 - share) ** (checked - count) for count in range(right, checked + 1)
    )


def _root(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
