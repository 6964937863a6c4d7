"""Weights that are learnt from a job's own pairs: near the truth, within bounds, the same in any order."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from models.domain.matching.learning import FEWEST_PAIRS, learn
from models.domain.matching.levels import FIELDS, LEVELS, Agreement, Level
from models.domain.matching.weights import MOST_MOVED, OF_ONE, OF_TWO, PRIOR, PRIOR_WEIGHTS, Weights

AGREEMENTS = st.builds(
    Agreement, **{field: st.sampled_from((*levels, Level.MISSING)) for field, levels in LEVELS.items()}
)


@given(counts=st.dictionaries(AGREEMENTS, st.integers(1, 100_000), max_size=40))
def test_no_data_however_odd_moves_a_weight_out_of_its_bounds(counts: dict[Agreement, int]) -> None:
    weights = learn(counts)
    for field in FIELDS:
        assert set(weights.table[field]) == set(LEVELS[field])
        for level, weight in weights.table[field].items():
            assert abs(weight - PRIOR[field][level]) <= MOST_MOVED
            assert isinstance(weight, int)


def test_few_pairs_teach_nothing() -> None:
    agreement = Agreement(*(Level.EQUAL for _ in FIELDS))
    assert learn({agreement: FEWEST_PAIRS - 1}) == PRIOR_WEIGHTS


def test_a_book_in_which_mobiles_seldom_change_gives_a_changed_one_more_weight() -> None:
    rng = Random(5)

    def drawn(shares: dict[str, dict[Level, float]], mobile_kept: float) -> Agreement:
        levels = {field: rng.choices(list(row), list(row.values()))[0] for field, row in shares.items()}
        levels["mobile"] = Level.EQUAL if rng.random() < mobile_kept else Level.DIFFERENT
        return Agreement(**levels)

    counts: dict[Agreement, int] = {}
    for _ in range(4_000):
        for agreement in (drawn(OF_ONE, 0.97), drawn(OF_TWO, 0.002)):
            counts[agreement] = counts.get(agreement, 0) + 1
    learnt = learn(counts)
    assert learnt.pairs == 8_000
    assert learnt.table["mobile"][Level.DIFFERENT] < PRIOR["mobile"][Level.DIFFERENT] - 1_000
    turned = dict(reversed(list(counts.items())))
    assert learn(turned) == learnt


def test_a_table_comes_back_from_its_record_as_it_was() -> None:
    assert Weights.of_record(PRIOR_WEIGHTS.as_record()) == PRIOR_WEIGHTS
