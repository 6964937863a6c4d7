"""Quick draws from a seeded generator: a book makes some forty a row, and the library takes five times as long."""

from bisect import bisect
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


def pick(rng: Random, items: Sequence[T]) -> T:
    """One of `items`, each as likely as the next."""
    return items[int(rng.random() * len(items))]


def between(rng: Random, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return low + int(rng.random() * (high - low + 1))


def weighted(rng: Random, items: Sequence[T], cumulative: Sequence[int]) -> T:
    """One of `items`, by weight; `cumulative` holds the running sums of the weights."""
    return items[bisect(cumulative, rng.random() * cumulative[-1])]
