"""Learning a job's own weights by expectation and maximisation over its candidate pairs. Nobody labels anything.

What is known beforehand counts as a number of pairs seen before, so few pairs move little; every weight is bounded
(`bounded`). The order of the pairs does not matter: they are counted first, and counts are taken in a fixed order.
"""

from collections.abc import Mapping
from math import exp, log
from typing import Final

from models.domain.matching.levels import FIELDS, LEVELS, Agreement, Level
from models.domain.matching.weights import OF_ONE, OF_TWO, PRIOR_WEIGHTS, Shares, Weights, bounded, milli_bits

FEWEST_PAIRS: Final = 200
_SEEN_BEFORE: Final = 200.0  # pairs that the known shares count as
_ROUNDS: Final = 25
_FIRST_SHARE: Final = 0.5  # of candidate pairs that are one person
_LEAST: Final = 1e-7


def learn(counts: Mapping[Agreement, int]) -> Weights:
    """Weights from how often each agreement occurs among candidate pairs; the known ones where pairs are few."""
    total = sum(counts.values())
    if total < FEWEST_PAIRS:
        return PRIOR_WEIGHTS
    patterns = sorted(counts.items())
    one, two, share = OF_ONE, OF_TWO, _FIRST_SHARE
    for _ in range(_ROUNDS):
        chances = [_chance(pattern, one, two, share) for pattern, _ in patterns]
        ones = [(pattern, count * chance) for (pattern, count), chance in zip(patterns, chances, strict=True)]
        twos = [(pattern, count * (1 - chance)) for (pattern, count), chance in zip(patterns, chances, strict=True)]
        one, two = _shares(ones, OF_ONE), _shares(twos, OF_TWO)
        share = min(max(sum(weight for _, weight in ones) / total, 0.01), 0.99)
    table = {
        field: {level: bounded(field, level, milli_bits(one[field][level], two[field][level])) for level in levels}
        for field, levels in LEVELS.items()
    }
    return Weights(table=table, pairs=total)


def _chance(pattern: Agreement, one: Shares, two: Shares, share: float) -> float:
    """That a pair with this pattern is one person."""
    odds = log(share / (1 - share))
    for field, level in zip(FIELDS, pattern, strict=True):
        if level is not Level.MISSING:
            odds += log(one[field][level] / two[field][level])
    return 1 / (1 + exp(-max(min(odds, 60.0), -60.0)))


def _shares(patterns: list[tuple[Agreement, float]], known: Shares) -> Shares:
    shares: Shares = {}
    for at, field in enumerate(FIELDS):
        sums = {level: _SEEN_BEFORE * known[field][level] for level in LEVELS[field]}
        for pattern, weight in patterns:
            level = pattern[at]
            if level is not Level.MISSING:
                sums[level] += weight
        total = sum(sums.values())
        shares[field] = {level: max(found / total, _LEAST) for level, found in sums.items()}
    return shares
