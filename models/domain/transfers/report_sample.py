"""The auditor's sample: how large, and which rows. Who has seed, job and list of rows draws the same. Pure.

A row's place in the draw is SHA-256 over seed, job, stratum and row number; the sample is the rows with the smallest
hashes. The seed is recorded in the audit log before the first row is looked at, so nobody can choose it to fit.
"""

import hashlib
import heapq
from collections.abc import Iterable
from typing import Final

# Discovery sampling (发现抽样): if ten rows in a thousand were wrong, the sample would show none of them with a
# probability of no more than fifty in a thousand.
TOLERABLE_PER_MILLE: Final = 10
RISK_PER_MILLE: Final = 50
_MILLE: Final = 1000


def draw_key(seed: str, job: str, stratum: str, row: int) -> bytes:
    """The row's place in the draw."""
    return hashlib.sha256(f"casework.transfer-sample/1\n{seed}\n{job}\n{stratum}\n{row}".encode()).digest()


def draw_sample(seed: str, job: str, stratum: str, rows: Iterable[int], size: int) -> tuple[int, ...]:
    """The sampled row numbers, ascending; the order in which `rows` come makes no difference."""
    keyed = ((draw_key(seed, job, stratum, row), row) for row in rows)
    return tuple(sorted(row for _, row in heapq.nsmallest(size, keyed)))


def sample_size(
    population: int, *, tolerable_per_mille: int = TOLERABLE_PER_MILLE, risk_per_mille: int = RISK_PER_MILLE
) -> int:
    """The smallest sample that misses a tolerable share of faults with no more than the given risk; hypergeometric.

    Drawn without replacement, so a small population is looked at almost whole, and a large one needs 299 rows.
    """
    if population <= 0:
        return 0
    wrong = -(-population * tolerable_per_mille // _MILLE)  # rounded up: one wrong row at least
    missed, all_draws = 1, 1  # the chance to see no wrong row is their quotient, exactly
    for size in range(1, population - wrong + 1):
        missed *= population - wrong - size + 1
        all_draws *= population - size + 1
        if missed * _MILLE <= all_draws * risk_per_mille:
            return size
    return population - wrong + 1  # finds one for certain
