"""A trial against the live run: every row has one answer, and the lines explain the difference of the totals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.batches.line_differences import CAUSES, Kind, Line, compare_runs, compare_versions
from models.texts.render import LOCALES, catalogue, render

DONE = Line(outcome="done", amount_minor=100, rule="r1")


@pytest.mark.parametrize(
    ("trial", "live", "kind", "cause"),
    [
        (DONE, DONE, Kind.SAME, "none"),
        (DONE, Line(outcome="done", amount_minor=60), Kind.AMOUNT, "paid-since"),
        (DONE, Line(outcome="done", amount_minor=160), Kind.AMOUNT, "grown-since"),
        (DONE, Line(outcome="barred", amount_minor=100, rule="DDB-REVOKE"), Kind.OUTCOME, "barred-since"),
        (Line(outcome="barred", amount_minor=100, rule="x"), DONE, Kind.OUTCOME, "freed-since"),
        (DONE, Line(outcome="refused", amount_minor=100, reason="AM04"), Kind.OUTCOME, "refused-by-bank"),
        (DONE, Line(outcome="withdrawn", amount_minor=100), Kind.OUTCOME, "changed-outcome"),
        (
            Line(outcome="barred", amount_minor=9, rule="x"),
            Line(outcome="barred", amount_minor=9, rule="y"),
            Kind.OUTCOME,
            "other-reason",
        ),
        (
            Line(outcome="barred", amount_minor=9, rule="x"),
            Line(outcome="barred", amount_minor=8, rule="x"),
            Kind.SAME,
            "none",
        ),
        (DONE, None, Kind.ONLY_BEFORE, "not-reached"),
        (None, DONE, Kind.ONLY_AFTER, "not-foreseen"),
    ],
)
def test_each_row_has_its_kind_and_its_cause(trial, live, kind, cause):
    found = compare_runs({"1": trial} if trial else {}, {"1": live} if live else {})
    assert [(each.kind, each.cause) for each in found.lines] == [(kind, cause)]


def test_versions_differ_by_their_rules_alone():
    (rule,) = compare_versions({"1": DONE}, {"1": Line(outcome="done", amount_minor=60, rule="r2")}).lines
    (terms,) = compare_versions({"1": DONE}, {"1": Line(outcome="done", amount_minor=60, rule="r1")}).lines
    assert (rule.cause, terms.cause) == ("other-rule", "other-terms")
    assert render(f"line-difference.{rule.cause}", rule.params, "en") == (
        "another rule holds: r1 became r2; ¥1.00 became ¥0.60"
    )


lines = st.builds(
    Line,
    outcome=st.sampled_from(["done", "barred", "refused"]),
    amount_minor=st.integers(0, 10**9),
    rule=st.sampled_from(["", "a", "b"]),
)
sides = st.dictionaries(st.text("0123456789", min_size=1, max_size=2), lines, max_size=12)


@given(sides, sides)
def test_no_row_is_lost_and_the_lines_explain_the_total(trial, live):
    found = compare_runs(trial, live)
    assert [each.row for each in found.lines] == sorted(trial.keys() | live.keys())
    assert found.before_minor + found.moved_minor == found.after_minor
    assert sum(found.counts()[kind.value] for kind in Kind) == len(found.lines)
    assert all(each.kind is Kind.SAME for each in compare_runs(live, live).lines)


def test_every_cause_has_words():
    for locale in LOCALES:
        assert {f"line-difference.{cause}" for cause in CAUSES} <= catalogue(locale).keys()
        assert {f"line-difference-kind.{kind}" for kind in Kind} <= catalogue(locale).keys()
