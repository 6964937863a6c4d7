"""When a run stops by itself: at the figure it goes on, above it it stops; and no rate of a handful of rows counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.batches.breakers import CODES, Figures, Limits, breaks
from models.texts.render import LOCALES, catalogue, render

LIMITS = Limits(failure_bps=2_000, at_least=50, row_minor=1_000, run_minor=10_000, day_minor=20_000)


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (Figures(answered=50, failed=10), None),
        (Figures(answered=50, failed=11), "failure-rate"),
        (Figures(answered=49, failed=49), None),
        (Figures(next_minor=(1_000,)), None),
        (Figures(next_minor=(1, 1_001)), "row-limit"),
        (Figures(run_minor=9_000, next_minor=(1_000,)), None),
        (Figures(run_minor=9_000, next_minor=(1_000, 1)), "amount-limit"),
        (Figures(day_minor=19_000, next_minor=(1_000,)), None),
        (Figures(day_minor=19_001, next_minor=(1_000,)), "day-limit"),
    ],
)
def test_what_reaches_a_limit_goes_on_and_what_is_above_stops(seen: Figures, code: str | None):
    stop = breaks(LIMITS, seen)
    assert (stop.code if stop else None) == code


def test_the_text_tells_the_figure_and_the_limit():
    stop = breaks(LIMITS, Figures(answered=50, failed=11))
    assert render(f"batch-breaker.{stop.code}", stop.params, "en") == (
        "11 of 50 answered rows failed (22.00%); the limit is 20.00%"
    )
    assert all(f"batch-breaker.{code}" in catalogue(locale) for code in CODES for locale in LOCALES)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000))
def test_ten_thousand_never_stops_and_the_order_of_answers_plays_no_part(answered: int, failed: int, bps: int):
    seen = Figures(answered=answered, failed=min(answered, failed))
    assert breaks(Limits(failure_bps=10_000), seen) is None
    stop = breaks(Limits(failure_bps=bps, at_least=1), seen)
    assert (stop is not None) is (answered > 0 and seen.failed * 10_000 > bps * answered)


def test_limits_and_figures_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="basis points"):
        Limits(failure_bps=10_001)
    with pytest.raises(ValueError, match="below zero"):
        Limits(failure_bps=0, run_minor=-1)
    with pytest.raises(ValueError, match="answered"):
        Figures(answered=1, failed=2)
    with pytest.raises(ValueError, match="below zero"):
        Figures(next_minor=(-1,))
