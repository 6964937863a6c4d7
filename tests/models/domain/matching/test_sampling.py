"""The audit sample, and the bounds of a precision that was seen on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.matching.sampling import audit_sample, clopper_pearson


def test_the_sample_is_two_per_cent_and_depends_on_the_seed_alone() -> None:
    pairs = [f"tpr_{number}" for number in range(1_000)]
    drawn = audit_sample(pairs, seed="one")
    assert len(drawn) == 20
    assert audit_sample(reversed(pairs) and pairs[::-1], seed="one") == drawn
    assert audit_sample(pairs, seed="two") != drawn
    assert len(audit_sample(pairs[:3], seed="one")) == 3


@pytest.mark.parametrize(
    ("right", "checked", "low", "high"),
    [(20, 20, 831_566, 1_000_000), (0, 10, 0, 308_497), (9, 10, 554_983, 997_472), (50, 100, 398_321, 601_679)],
)
def test_bounds_are_the_published_ones(right: int, checked: int, low: int, high: int) -> None:
    found = clopper_pearson(right, checked)
    assert abs(found.low - low) <= 2
    assert abs(found.high - high) <= 2


@given(checked=st.integers(1, 60), data=st.data())
def test_what_was_seen_lies_within_its_bounds(checked: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, checked))
    found = clopper_pearson(right, checked)
    assert 0 <= found.low <= right * 1_000_000 / checked <= found.high <= 1_000_000
