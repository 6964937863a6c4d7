"""The sample can be repeated by anybody, and is as large as its rule says."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.transfers.report_intervals import PPM, share_interval
from models.domain.transfers.report_sample import draw_sample, sample_size

ROWS = st.sets(st.integers(1, 10**6), max_size=60)


@given(ROWS, st.integers(0, 60), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_the_rows_makes_no_difference(rows: set[int], size: int, shuffled: object) -> None:
    listed = list(rows)
    shuffled.shuffle(listed)  # type: ignore[attr-defined]
    first = draw_sample("aa", "main.job", "accepted", sorted(rows), size)
    assert first == draw_sample("aa", "main.job", "accepted", listed, size)
    assert len(first) == min(size, len(rows))
    assert set(first) <= rows


def test_another_seed_job_or_stratum_draws_another_sample() -> None:
    rows = range(1, 2001)
    drawn = {
        draw_sample(seed, job, stratum, rows, 50)
        for seed in ("aa", "ab")
        for job in ("main.a", "main.b")
        for stratum in ("accepted", "merged")
    }
    assert len(drawn) == 8


def test_every_row_has_the_same_chance() -> None:
    hits = dict.fromkeys(range(20), 0)
    for seed in range(2000):
        for row in draw_sample(str(seed), "main.a", "accepted", range(20), 5):
            hits[row] += 1
    assert all(400 < count < 600 for count in hits.values())  # 500 expected; four deviations are 77


@given(st.integers(1, 3000))
@settings(max_examples=60)
def test_the_sample_finds_a_tolerable_share_of_faults(population: int) -> None:
    size = sample_size(population)
    wrong = -(-population // 100)

    def missed(drawn: int) -> Fraction:
        chance = Fraction(1)
        for place in range(drawn):
            chance *= Fraction(max(0, population - wrong - place), population - place)
        return chance

    assert missed(size) <= Fraction(1, 20)
    assert missed(size - 1) > Fraction(1, 20)


@pytest.mark.parametrize(("population", "size"), [(0, 0), (1, 1), (20, 19), (1_000_000, 299)])
def test_sizes_that_auditors_know(population: int, size: int) -> None:
    assert sample_size(population) == size


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [  # from R's binom.test
        (0, 10, 0, 308_498),
        (10, 10, 691_502, PPM),
        (9, 10, 554_984, 997_472),
        (299, 299, 987_738, PPM),
        (1, 2, 12_579, 987_421),
    ],
)
def test_the_interval_is_the_exact_one(hits: int, trials: int, low: int, high: int) -> None:
    found = share_interval(hits, trials)
    assert abs(found[0] - low) <= 1
    assert abs(found[1] - high) <= 1


def test_without_trials_nothing_is_known() -> None:
    assert share_interval(0, 0) == (0, PPM)
    with pytest.raises(ValueError, match="all hits"):
        share_interval(3, 2)
