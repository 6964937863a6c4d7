"""The rules of the installment gates: boundaries, missing facts, the version by date, and the lock on the rule set."""

import hashlib
import itertools
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.deeds import canonical_json
from compliance.rules.evaluate import RULE_SET_VERSION, blocks, evaluate_gate, evaluate_rule
from compliance.rules.gates import GATES
from compliance.rules.registry import REGISTRY, rule_on, versions_of
from compliance.rules.results import Result, Severity, Verdict, Verified
from compliance.rules.rule import MISSING_FACTS, NOT_IN_FORCE, FactKind
from models.domain.states import Gate
from models.texts.render import LOCALES, catalogue, has_text, placeholders, render

TODAY = date(2026, 11, 21)
HARDSHIP: dict[str, Any] = {
    "hardship_code": "illness",
    "hardship_evidence": True,
    "capacity_minor": 150_000,
    "total_due_minor": 5_000_000,
    "requested_amount_minor": 5_000_000,
    "requested_term_months": 36,
    "willing_to_repay": True,
}
CONSENT: dict[str, Any] = {
    "consent_form": "WRITTEN",
    "consent_purpose": "credit-report-query",
    "query_purpose": "credit-report-query",
    "consent_withdrawn": False,
}
DECISION: dict[str, Any] = {"explanation_available": True, "human_review_route": True}
FACTS = {"CCM-70a": HARDSHIP, "CRED-18": CONSENT, "PIPL-24": DECISION}


def ask(rule_id: str, **changes: object) -> tuple[Result, str]:
    verdict = evaluate_rule(rule_id, {**FACTS[rule_id], **changes}, as_of=TODAY)
    return verdict.result, verdict.reason


def is_blocked(verdict: Verdict) -> bool:
    return blocks(result=verdict.result, severity=verdict.severity)


@pytest.mark.parametrize(("gate", "facts", "rule_id"), [
    (Gate.BUREAU, CONSENT, "CRED-18"),
    (Gate.NEEDS, HARDSHIP, "CCM-70a"),
    (Gate.DECISION, DECISION, "PIPL-24"),
])  # fmt: skip
def test_a_gate_is_open_when_its_rule_is_kept(gate: Gate, facts: dict[str, Any], rule_id: str) -> None:
    (verdict,) = evaluate_gate(gate, facts, as_of=TODAY)
    assert (verdict.rule_id, verdict.result, verdict.missing) == (rule_id, Result.PASS, ())
    assert not is_blocked(verdict)


@pytest.mark.parametrize("gate", Gate)
def test_a_gate_without_facts_is_shut_and_says_what_is_missing(gate: Gate) -> None:
    for verdict in evaluate_gate(gate, {}, as_of=TODAY):
        rule = rule_on(verdict.rule_id, as_of=TODAY)
        assert rule is not None
        assert (verdict.result, verdict.reason) == (Result.UNKNOWN, MISSING_FACTS)
        assert verdict.missing == tuple(rule.facts)
        assert is_blocked(verdict)


@pytest.mark.parametrize(("rule_id", "fact"), [(rule.id, fact) for rule in REGISTRY for fact in rule.facts])
@pytest.mark.parametrize("gone", [True, False])
def test_each_missing_fact_is_named(rule_id: str, fact: str, gone: bool) -> None:
    facts = {**FACTS[rule_id], fact: None}
    if gone:
        del facts[fact]
    verdict = evaluate_rule(rule_id, facts, as_of=TODAY)
    assert (verdict.result, verdict.missing) == (Result.UNKNOWN, (fact,))
    assert is_blocked(verdict)


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


# The date of the legal fact decides -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule_id", "first_day"), [
    ("CCM-70a", date(2011, 1, 13)),
    ("CRED-18", date(2013, 3, 15)),
    ("PIPL-24", date(2021, 11, 1)),
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
    (verdict,) = evaluate_gate(Gate.BUREAU, CONSENT, as_of=TODAY, evaluated_at=at)
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


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("rule", REGISTRY, ids=lambda rule: rule.id)
def test_every_answer_has_a_text_and_the_citation_names_the_law(rule: Any, locale: str) -> None:
    assert has_text(rule.title, locale)
    for fact in rule.facts:
        assert has_text(f"rule.fact.{fact}", locale)
    for reason in (*rule.reasons, MISSING_FACTS, NOT_IN_FORCE):
        assert has_text(f"rule.{rule.id}.reason.{reason}", locale)
    citation = render(f"rule.{rule.id}.citation", {}, locale)
    law, article = (
        (rule.citation.law_zh, rule.citation.article_zh)
        if locale == "zh-CN"
        else (rule.citation.law_en, rule.citation.article_en)
    )
    assert law in citation
    assert article in citation


def every_verdict() -> list[Verdict]:
    """Each rule over a grid that reaches all its reasons."""
    values: dict[FactKind, list[object]] = {
        FactKind.AMOUNT: [None, 0, 1, 100],
        FactKind.YES_NO: [None, False, True],
        FactKind.CODE: [None, "WRITTEN", "ELECTRONIC_SIGNATURE", "ORAL", "illness"],
    }
    days = (date(2000, 1, 1), TODAY)
    return [
        evaluate_rule(rule.id, dict(zip(rule.facts, combination, strict=True)), as_of=day)
        for rule in REGISTRY
        for day in days
        for combination in itertools.product(*(values[kind] for kind in rule.facts.values()))
    ]


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_of_a_verdict_finds_its_parameters(locale: str) -> None:
    for verdict in {(each.rule_id, each.reason): each for each in every_verdict()}.values():
        named = {name.partition(":")[0] for name in placeholders(catalogue(locale)[verdict.reason_key])}
        assert named <= set(verdict.text_params)
        assert "…" not in render(verdict.reason_key, verdict.text_params, locale)


def test_the_rules_give_the_reasons_that_they_declare() -> None:
    given_reasons = {(each.rule_id, each.reason) for each in every_verdict()}
    declared = {(rule.id, reason) for rule in REGISTRY for reason in (*rule.reasons, MISSING_FACTS, NOT_IN_FORCE)}
    assert given_reasons == declared


def test_the_version_of_the_rule_set_stands_for_these_answers() -> None:
    """If this fails, an answer, parameter or citation has changed: raise RULE_SET_VERSION, then lock the new digest."""
    digest = hashlib.sha256()
    for verdict in every_verdict():
        record = {
            "rule": verdict.rule_id,
            "result": verdict.result,
            "reason": verdict.reason,
            "severity": verdict.severity,
            "from": verdict.effective_from.isoformat(),
            "law": [verdict.citation.law_zh, verdict.citation.article_zh],
            "params": verdict.stored_params(),
            "inputs": verdict.inputs_hash,
        }
        digest.update(canonical_json(record).encode())
    assert (RULE_SET_VERSION, digest.hexdigest()) == (
        "2026-11.1",
        "b28162f9f6e410b73bda9b2eb65b0aed6c070ed0f22001825a9b64b43af9559f",
    )
