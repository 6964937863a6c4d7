"""How rules are asked: gates, missing facts, types of facts, the version by date, and what a verdict carries."""

import itertools
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.deeds import canonical_json
from compliance.rules.evaluate import blocks, evaluate_gate, evaluate_rule
from compliance.rules.fact_table import FACTS
from compliance.rules.facts import facts_needed
from compliance.rules.gates import GATES
from compliance.rules.registry import REGISTRY, rule_on, versions_of
from compliance.rules.results import Result, Severity, Verdict, Verified
from compliance.rules.rule import MISSING_FACTS, NOT_IN_FORCE, FactKind, Rule
from models.domain.states import Gate
from models.texts.render import render
from tests.compliance.rules.example import TODAY
from tests.compliance.rules.world import WORLD, kept


def ask(rule_id: str, **changes: object) -> tuple[Result, str]:
    verdict = evaluate_rule(rule_id, {**kept(rule_id), **changes}, as_of=TODAY)
    return verdict.result, verdict.reason


def is_blocked(verdict: Verdict) -> bool:
    return blocks(result=verdict.result, severity=verdict.severity)


@pytest.mark.parametrize("gate", Gate)
def test_a_gate_is_open_when_its_rules_are_kept(gate: Gate) -> None:
    verdicts = evaluate_gate(gate, WORLD, as_of=TODAY)
    assert [verdict.rule_id for verdict in verdicts] == list(GATES[gate])
    for verdict in verdicts:
        assert (verdict.result in {Result.PASS, Result.NOT_APPLICABLE}, verdict.missing) == (True, ()), verdict.rule_id
        assert not is_blocked(verdict)


@pytest.mark.parametrize("gate", Gate)
def test_a_gate_without_facts_is_shut_and_says_what_is_missing(gate: Gate) -> None:
    for verdict in evaluate_gate(gate, {}, as_of=TODAY):
        rule = rule_on(verdict.rule_id, as_of=TODAY)
        assert rule is not None
        assert (verdict.result, verdict.reason) == (Result.UNKNOWN, MISSING_FACTS)
        assert verdict.missing == tuple(rule.facts)
        assert is_blocked(verdict) == (rule.severity is Severity.BLOCK)


@pytest.mark.parametrize("gate", Gate)
def test_a_gate_names_every_fact_that_its_rules_ask_for(gate: Gate) -> None:
    needed = facts_needed(gate)
    assert {name for verdict in evaluate_gate(gate, {}, as_of=TODAY) for name in verdict.missing} <= set(needed)
    assert needed == {name: FACTS[name].kind for name in needed}


@pytest.mark.parametrize(("rule_id", "fact"), [(rule.id, fact) for rule in REGISTRY for fact in rule.facts])
@pytest.mark.parametrize("gone", [True, False])
def test_each_missing_fact_is_named(rule_id: str, fact: str, gone: bool) -> None:
    facts = {**kept(rule_id), fact: None}
    if gone:
        del facts[fact]
    verdict = evaluate_rule(rule_id, facts, as_of=TODAY)
    assert (verdict.result, verdict.missing) == (Result.UNKNOWN, (fact,))
    assert is_blocked(verdict) == (verdict.severity is Severity.BLOCK)


@pytest.mark.parametrize(("capacity", "due", "expected"), [
    (99_999, 100_000, (Result.PASS, "debt-exceeds-capacity")),
    (100_000, 100_000, (Result.FAIL, "debt-within-capacity")),  # 不超过: at equality it does not exceed
    (100_001, 100_000, (Result.FAIL, "debt-within-capacity")),
    (0, 1, (Result.PASS, "debt-exceeds-capacity")),
    (0, 0, (Result.FAIL, "debt-within-capacity")),
])  # fmt: skip
def test_debt_must_exceed_the_ability_to_repay(capacity: int, due: int, expected: tuple[Result, str]) -> None:
    assert ask("CCM-70a", capacity_minor=capacity, total_due_minor=due) == expected


def test_hardship_must_be_recognised_and_proven_and_the_will_be_there() -> None:
    assert ask("CCM-70a", hardship_code="holiday") == (Result.FAIL, "hardship-not-recognised")
    assert ask("CCM-70a", hardship_evidence=False) == (Result.FAIL, "hardship-without-evidence")
    assert ask("CCM-70a", willing_to_repay=False) == (Result.FAIL, "not-willing-to-repay")


def test_everything_that_lacks_for_the_plan_is_named_not_only_the_first() -> None:
    facts = {**kept("CCM-70a"), "hardship_evidence": False, "capacity_minor": 5_000_000, "willing_to_repay": False}
    verdict = evaluate_rule("CCM-70a", facts, as_of=TODAY)
    assert verdict.reason == "hardship-without-evidence"
    assert verdict.text_params["lacks"] == "hardship-without-evidence,debt-within-capacity,not-willing-to-repay"
    told = render(verdict.reason_key, verdict.text_params, "zh-CN")
    assert "困难证明、欠款超出还款能力、还款意愿" in told


@pytest.mark.parametrize(("form", "expected"), [
    ("WRITTEN", (Result.PASS, "written-consent")),
    ("ELECTRONIC_SIGNATURE", (Result.PASS, "signed-electronically")),
    ("ELECTRONIC", (Result.FAIL, "consent-not-written")),
    ("ORAL", (Result.FAIL, "consent-not-written")),
    ("written", (Result.FAIL, "consent-not-written")),
    ("", (Result.FAIL, "consent-not-written")),
])  # fmt: skip
def test_a_credit_query_needs_consent_in_writing(form: str, expected: tuple[Result, str]) -> None:
    assert ask("CRED-18", consent_form=form) == expected


def test_a_credit_query_needs_consent_to_its_own_purpose_and_until_now() -> None:
    assert ask("CRED-18", query_purpose="marketing") == (Result.FAIL, "other-purpose")
    assert ask("CRED-18", consent_withdrawn=True) == (Result.FAIL, "consent-withdrawn")


def test_no_decision_of_a_machine_alone() -> None:
    assert ask("PIPL-24", explanation_available=False) == (Result.FAIL, "no-explanation")
    assert ask("PIPL-24", human_review_route=False) == (Result.FAIL, "no-human-review")


@pytest.mark.parametrize(("rule_id", "fact", "value", "error"), [
    ("CCM-70a", "capacity_minor", True, TypeError),
    ("CCM-70a", "capacity_minor", 1.5, TypeError),
    ("CCM-70a", "total_due_minor", "100", TypeError),
    ("CCM-70a", "total_due_minor", -1, ValueError),
    ("CCM-70a", "willing_to_repay", 1, TypeError),
    ("CRED-18", "consent_withdrawn", "perhaps", TypeError),
    ("CRED-18", "consent_form", 3, TypeError),
    ("CCM-70b", "term_months", True, TypeError),
    ("CCM-70b", "term_months", -1, ValueError),
    ("CCM-70b", "last_due_on", datetime(2029, 11, 20, tzinfo=UTC), TypeError),
    ("CCM-70b", "last_due_on", "2029-11-20", TypeError),
    ("CCM-70c", "agreement_contents", ["debt-balance"], TypeError),
    ("CCM-70c", "agreement_contents", ("debt-balance", 7), TypeError),
    ("CCN22-APPLY", "signing_at", datetime(2026, 11, 20, 12), TypeError),
    ("CCN22-APPLY", "signing_at", date(2026, 11, 20), TypeError),
    ("APR21-3", "rate_shown_ppm", -1, ValueError),
    ("COLL-CBA-HOURS", "contact_local_time", time(10, 30, tzinfo=UTC), TypeError),
    ("COLL-CBA-HOURS", "contact_local_time", 10, TypeError),
])  # fmt: skip
def test_a_fact_of_another_type_is_refused_by_name_without_its_value(
    rule_id: str, fact: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=fact) as refused:
        ask(rule_id, **{fact: value})
    assert str(value) not in str(refused.value)


# Properties -----------------------------------------------------------------------------------------------------------

amounts = st.integers(0, 10**12)
hardships = st.fixed_dictionaries(
    {},
    optional={
        "hardship_code": st.none() | st.sampled_from(["illness", "other", "holiday"]),
        "hardship_evidence": st.none() | st.booleans(),
        "capacity_minor": st.none() | amounts,
        "total_due_minor": st.none() | amounts,
        "willing_to_repay": st.none() | st.booleans(),
    },
)
ORDER = {Result.FAIL: 0, Result.PASS: 1}


@given(hardships)
def test_nothing_unknown_ever_passes(facts: dict[str, Any]) -> None:
    (verdict,) = evaluate_gate(Gate.NEEDS, facts, as_of=TODAY)
    rule = rule_on("CCM-70a", as_of=TODAY)
    assert rule is not None
    unknown = tuple(name for name in rule.facts if facts.get(name) is None)
    assert verdict.missing == unknown
    assert (verdict.result is Result.UNKNOWN) == bool(unknown)
    assert is_blocked(verdict) == (verdict.result is not Result.PASS)


@given(capacity=amounts, due=amounts, less=amounts, more=amounts)
def test_a_heavier_debt_or_a_smaller_capacity_never_shuts_an_open_gate(
    capacity: int, due: int, less: int, more: int
) -> None:
    before, _ = ask("CCM-70a", capacity_minor=capacity, total_due_minor=due)
    after, _ = ask("CCM-70a", capacity_minor=max(0, capacity - less), total_due_minor=due + more)
    assert ORDER[after] >= ORDER[before]


@given(st.fixed_dictionaries({
    "hardship_evidence": st.booleans(), "willing_to_repay": st.booleans(),
    "capacity_minor": amounts, "total_due_minor": amounts,
}))  # fmt: skip
def test_more_evidence_or_more_will_never_shuts_an_open_gate(facts: dict[str, Any]) -> None:
    before, _ = ask("CCM-70a", **facts)
    for fact in ("hardship_evidence", "willing_to_repay"):
        after, _ = ask("CCM-70a", **{**facts, fact: True})
        assert ORDER[after] >= ORDER[before]


@given(hardships, hardships)
def test_the_same_inputs_have_the_same_hash_and_others_another(one: dict[str, Any], other: dict[str, Any]) -> None:
    (first,) = evaluate_gate(Gate.NEEDS, {**one, "unasked": "x"}, as_of=TODAY)
    (second,) = evaluate_gate(Gate.NEEDS, other, as_of=TODAY)
    known = [{key: value for key, value in facts.items() if value is not None} for facts in (one, other)]
    assert (first.inputs_hash == second.inputs_hash) == (known[0] == known[1])


def hash_of(rule_id: str, **changes: object) -> str:
    return evaluate_rule(rule_id, {**kept(rule_id), **changes}, as_of=TODAY).inputs_hash


def test_the_spelling_of_a_fact_does_not_change_the_hash() -> None:
    here = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=8)))
    assert hash_of("CCN22-APPLY", signing_at=here) == hash_of("CCN22-APPLY", signing_at=here.astimezone(UTC))
    assert hash_of("CCN22-APPLY", signing_at=here) != hash_of("CCN22-APPLY", signing_at=here + timedelta(seconds=1))
    either = hash_of("CCN22-LUMP", interest_options=("lump-sum", "per-row", "lump-sum"))
    assert either == hash_of("CCN22-LUMP", interest_options=("per-row", "lump-sum"))
    assert either != hash_of("CCN22-LUMP", interest_options=("per-row",))


def test_a_rule_that_does_not_apply_asks_for_no_more() -> None:
    verdict = evaluate_rule("CRED-15", {"adverse_report_planned": False}, as_of=TODAY)
    assert (verdict.result, verdict.missing) == (Result.NOT_APPLICABLE, ())
    assert not is_blocked(verdict)


@pytest.mark.parametrize("rule", [rule for rule in REGISTRY if rule.only_if is not None], ids=lambda rule: rule.id)
def test_whether_a_rule_applies_is_no_guess(rule: Rule) -> None:
    assert rule.only_if is not None
    assert set(rule.only_if.facts) <= set(rule.facts)
    others = {name: value for name, value in kept(rule.id).items() if name not in rule.only_if.facts}
    assert evaluate_rule(rule.id, others, as_of=TODAY).result is Result.UNKNOWN


# The date of the legal fact decides -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule_id", "first_day"), [
    ("CCM-70a", date(2011, 1, 13)),
    ("CRED-18", date(2013, 3, 15)),
    ("PIPL-24", date(2021, 11, 1)),
    ("CCM-70d", date(2011, 1, 13)),
    ("CC-490", date(2021, 1, 1)),
    ("CCN22-SEP", date(2022, 7, 7)),
    ("APR21-1", date(2021, 3, 31)),
])  # fmt: skip
def test_a_rule_holds_from_its_first_day(rule_id: str, first_day: date) -> None:
    broken = {name: False if kind is FactKind.YES_NO else None for name, kind in versions_of(rule_id)[0].facts.items()}
    before = evaluate_rule(rule_id, broken, as_of=date.fromordinal(first_day.toordinal() - 1))
    assert (before.result, before.reason, is_blocked(before)) == (Result.NOT_APPLICABLE, NOT_IN_FORCE, False)
    assert is_blocked(evaluate_rule(rule_id, broken, as_of=first_day))


def test_no_two_versions_of_a_rule_hold_on_one_day() -> None:
    for rule_id in {rule.id for rule in REGISTRY}:
        for older, younger in itertools.pairwise(versions_of(rule_id)):
            assert older.effective_to is not None
            assert older.effective_to < younger.effective_from


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(LookupError):
        evaluate_rule("XX-1", {}, as_of=TODAY)


# What a verdict carries -----------------------------------------------------------------------------------------------


def test_every_gate_has_rules_and_every_rule_a_gate() -> None:
    assert set(GATES) == set(Gate)
    assert {rule_id for rule_ids in GATES.values() for rule_id in rule_ids} == {rule.id for rule in REGISTRY}


def test_a_verdict_says_what_it_rests_on() -> None:
    at = datetime(2026, 11, 21, 3, tzinfo=UTC)
    (verdict,) = evaluate_gate(Gate.BUREAU, WORLD, as_of=TODAY, evaluated_at=at)
    assert (verdict.citation.law_zh, verdict.citation.article_zh) == ("征信业管理条例", "第十八条")
    assert (verdict.as_of, verdict.evaluated_at, verdict.effective_to) == (TODAY, at, None)
    assert verdict.severity is Severity.BLOCK
    assert verdict.verified is Verified.TEXT
    assert not verdict.provisional
    assert canonical_json(verdict.stored_params()) == canonical_json({
        "written_forms": {
            "value": ["WRITTEN", "ELECTRONIC_SIGNATURE"],
            "source": "征信业管理条例 Art. 18; 电子签名法 Arts. 3, 14",
            "as_of": "2013-03-15",
        },
        "text": {},
    })  # fmt: skip


@pytest.mark.parametrize(("result", "severity", "expected"), [
    ("PASS", "BLOCK", False), ("FAIL", "BLOCK", True), ("UNKNOWN", "BLOCK", True), ("NOT_APPLICABLE", "BLOCK", False),
    ("PASS", "WARN", False), ("FAIL", "WARN", False), ("UNKNOWN", "WARN", False),
])  # fmt: skip
def test_only_a_blocking_rule_that_fails_or_is_unanswered_blocks(result: str, severity: str, expected: bool) -> None:
    assert blocks(result=result, severity=severity) is expected
