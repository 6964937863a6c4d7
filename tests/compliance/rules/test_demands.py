"""Demands: limits include their figure, days and years are whole, the first that is not met is the reason."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.rules import demands as d
from compliance.rules.demands import Demand
from compliance.rules.laws import NETWORK_DATA
from compliance.rules.periods import years_after
from compliance.rules.results import Result, Severity, Verified

figures = st.integers(0, 10**9)
dates = st.dates(date(2000, 2, 29), date(2080, 12, 31))
words = st.lists(st.sampled_from(["a", "b", "c", "d"]), unique=True).map(tuple)


def met(demand: Demand, **facts: Any) -> bool:
    return demand.lacks(facts) is None


@given(value=figures, figure=figures)
def test_at_least_and_at_most_include_the_figure(value: int, figure: int) -> None:
    assert met(d.at_least("n", figure, otherwise="x"), n=value) == (value >= figure)
    assert met(d.at_most("n", figure, otherwise="x"), n=value) == (value <= figure)
    assert met(d.no_more_than("n", "m", otherwise="x"), n=value, m=figure) == (value <= figure)
    assert met(d.all_of("n", of="m", otherwise="x"), n=value, m=figure) == (value >= figure)


@given(value=figures, figure=figures)
def test_conditions_tell_from_and_above_apart(value: int, figure: int) -> None:
    assert d.if_at_least("n", figure, otherwise="x").holds({"n": value}) == (value >= figure)
    assert d.if_more_than("n", figure, otherwise="x").holds({"n": value}) == (value > figure)


@given(start=dates, days=st.integers(0, 400), allowed=st.integers(0, 400))
def test_the_last_day_belongs_to_the_period(start: date, days: int, allowed: int) -> None:
    demand = d.within_days("done", since="start", days=allowed, otherwise="x")
    assert met(demand, start=start, done=start + timedelta(days=days)) == (days <= allowed)


@given(seconds=st.integers(0, 10_000), minutes=st.integers(0, 160))
def test_the_last_second_belongs_to_the_time(seconds: int, minutes: int) -> None:
    start = datetime(2026, 11, 18, 1, tzinfo=UTC)
    demand = d.within_minutes("done", since="start", minutes=minutes, otherwise="x")
    assert met(demand, start=start, done=start + timedelta(seconds=seconds)) == (seconds <= 60 * minutes)


@given(start=dates, years=st.integers(1, 10), other=dates)
def test_years_end_on_their_day_both_for_keeping_and_for_acting(start: date, years: int, other: date) -> None:
    last = years_after(start, years)
    assert met(d.kept_years("n", since="s", years=years, otherwise="x"), s=start, n=other) == (other >= last)
    assert met(d.within_years("n", since="s", years=years, otherwise="x"), s=start, n=other) == (other <= last)


@given(there=words, needed=words)
def test_lists_are_compared_whole(there: tuple[str, ...], needed: tuple[str, ...]) -> None:
    assert met(d.holds_all("n", needed, otherwise="x"), n=there) == (set(needed) <= set(there))
    assert met(d.covers("n", "m", otherwise="x"), n=there, m=needed) == (set(needed) <= set(there))
    assert met(d.only("n", needed, otherwise="x"), n=there) == (set(there) <= set(needed))
    assert met(d.holds_none("n", needed, otherwise="x"), n=there) == (not set(there) & set(needed))


@given(one=dates, other=dates)
def test_earlier_excludes_the_same_day_and_not_later_includes_it(one: date, other: date) -> None:
    assert met(d.earlier("n", than="m", otherwise="x"), n=one, m=other) == (one < other)
    assert met(d.not_later("n", than="m", otherwise="x"), n=one, m=other) == (one <= other)


@pytest.mark.parametrize(("left", "kept"), [(91, True), (90, False), (0, False)])
def test_the_warning_comes_on_the_day_itself(left: int, kept: bool) -> None:
    start = date(2026, 3, 2)
    asked = years_after(start, 3) - timedelta(days=left)
    assert met(d.days_left("n", since="s", years=3, warn=90, otherwise="x"), s=start, n=asked) is kept


def test_a_rule_names_the_first_demand_that_is_not_met() -> None:
    rule = d.rule(
        "X-1", NETWORK_DATA.unnumbered(), source=NETWORK_DATA, verified=Verified.TEXT, severity=Severity.BLOCK,
        kept="kept",
        demands=(d.yes("restore_tested", otherwise="first"), d.none_of("key_field_mismatches", otherwise="second")),
    )  # fmt: skip
    assert rule.reasons == ("kept", "first", "second")
    assert (rule.effective_from, rule.authority) == (NETWORK_DATA.since, NETWORK_DATA.authority)
    for tested, mismatches, result, reason in (
        (True, 0, Result.PASS, "kept"),
        (False, 1, Result.FAIL, "first"),
        (True, 2, Result.FAIL, "second"),
    ):
        finding = rule.check({"restore_tested": tested, "key_field_mismatches": mismatches})
        assert (finding.result, finding.reason) == (result, reason)


def test_a_rule_about_a_fact_that_no_area_lists_is_refused() -> None:
    with pytest.raises(KeyError):
        d.rule(
            "X-1", NETWORK_DATA.unnumbered(), source=NETWORK_DATA, verified=Verified.TEXT, severity=Severity.BLOCK,
            kept="kept", demands=(d.yes("unheard-of", otherwise="x"),),
        )  # fmt: skip
