"""CONV-1 to CONV-5: words for figures, dates, ranks, missing facts and clocks, each at its boundary."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from compliance.rules.conventions import default_severity, lets_pass, outranks, reaches, wall_clock
from compliance.rules.evaluate import blocks, evaluate_rule
from compliance.rules.registry import REGISTRY, rule_on
from compliance.rules.results import Authority, Result, Severity
from tests.compliance.boundaries.asking import FAIL, NOT_APPLICABLE, ask
from tests.compliance.rules.example import TODAY
from tests.compliance.rules.world import kept


@pytest.mark.parametrize(("word", "below", "at", "above"), [
    pytest.param("以上", False, True, True, id="CONV-1: yi shang (and above) includes the figure"),
    pytest.param("届满", False, True, True, id="CONV-1: jie man (expiry) includes the figure"),
    pytest.param("以下", True, True, False, id="CONV-1: yi xia (and below) includes the figure"),
    pytest.param("以内", True, True, False, id="CONV-1: yi nei (within) includes the figure"),
    pytest.param("超过", False, False, True, id="CONV-1: chao guo (exceeds) excludes the figure"),
    pytest.param("以外", False, False, True, id="CONV-1: yi wai (beyond) excludes the figure"),
    pytest.param("不满", True, False, False, id="CONV-1: bu man (less than) excludes the figure"),
])  # fmt: skip
def test_words_for_figures(word: str, below: bool, at: bool, above: bool) -> None:
    figure = 10_000_000
    assert [reaches(word, figure + step, figure) for step in (-1, 0, 1)] == [below, at, above]


def test_conv_1_a_word_that_the_code_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="以上"):
        reaches("左右", 1, 1)


def test_conv_2_the_date_of_the_legal_fact_chooses_the_version() -> None:
    assert ask("CSL-42", as_of=date(2025, 12, 31), network_law_cited=("网络安全法/40",)) is NOT_APPLICABLE
    assert ask("CSL-42", as_of=date(2026, 1, 1), network_law_cited=("网络安全法/40",)) is FAIL
    older, younger = (rule_on("CSL-LOG", as_of=day) for day in (date(2025, 12, 31), date(2026, 1, 1)))
    assert older is not None
    assert younger is not None
    assert (older.citation.article_zh, younger.citation.article_zh) == ("第二十一条", "第二十三条")


@pytest.mark.parametrize(("authority", "severity"), [
    (Authority.LAW, Severity.BLOCK),
    (Authority.ADMINISTRATIVE_REGULATION, Severity.BLOCK),
    (Authority.JUDICIAL_INTERPRETATION, Severity.BLOCK),
    (Authority.DEPARTMENT_RULE, Severity.BLOCK),
    (Authority.NORMATIVE_DOCUMENT, Severity.BLOCK),
    (Authority.STANDARD, Severity.WARN),
    (Authority.SELF_REGULATION, Severity.WARN),
])  # fmt: skip
def test_conv_3_rank_decides_whether_a_step_stops(authority: Authority, severity: Severity) -> None:
    assert default_severity(authority) is severity


def test_conv_3_sources_stand_in_one_order() -> None:
    order = [
        Authority.LAW,
        Authority.ADMINISTRATIVE_REGULATION,
        Authority.JUDICIAL_INTERPRETATION,
        Authority.DEPARTMENT_RULE,
        Authority.NORMATIVE_DOCUMENT,
        Authority.STANDARD,
        Authority.SELF_REGULATION,
    ]
    for place, one in enumerate(order):
        assert [outranks(one, other) for other in order] == [place < other for other in range(len(order))]


def test_conv_3_what_is_stricter_than_its_rank_names_the_policy() -> None:
    for rule in REGISTRY:
        if rule.severity is Severity.BLOCK and default_severity(rule.authority) is Severity.WARN:
            sources = {each.name: each.source for each in rule.params}
            assert sources["severity"].startswith("bank policy"), rule.id


@pytest.mark.parametrize("result", Result)
def test_conv_4_only_a_pass_or_what_does_not_apply_lets_pass(result: Result) -> None:
    assert lets_pass(result) is (result in {Result.PASS, Result.NOT_APPLICABLE})
    assert blocks(result=result, severity=Severity.BLOCK) is not lets_pass(result)


def test_conv_4_unknown_on_a_blocking_rule_stops_and_names_what_is_missing() -> None:
    facts = {**kept("INC-CAC"), "cac_reported_at": None}
    verdict = evaluate_rule("INC-CAC", facts, as_of=TODAY)
    assert (verdict.result, verdict.missing) == (Result.UNKNOWN, ("cac_reported_at",))
    assert blocks(result=verdict.result, severity=verdict.severity)


@pytest.mark.parametrize(
    ("at", "abroad", "shown"),
    [
        pytest.param(
            datetime(2026, 11, 20, 0, tzinfo=UTC), None, time(8), id="CONV-5: midnight UTC is 08:00 in Shanghai"
        ),
        pytest.param(
            datetime(2026, 11, 20, 14, tzinfo=UTC),
            None,
            time(22),
            id="CONV-5: 14:00 UTC is 22:00 on the whole mainland",
        ),
        pytest.param(
            datetime(2026, 11, 20, 7, tzinfo=UTC), "Europe/Paris", time(8), id="CONV-5: abroad the customer's own zone"
        ),
        pytest.param(
            datetime(2026, 7, 20, 6, tzinfo=UTC), "Europe/Paris", time(8), id="CONV-5: abroad summer time counts"
        ),
    ],
)
def test_clock_on_the_wall(at: datetime, abroad: str | None, shown: time) -> None:
    assert wall_clock(at, abroad=ZoneInfo(abroad) if abroad else None) == shown


def test_conv_5_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        wall_clock(datetime(2026, 11, 20, 8))
