"""The registry is whole: every answer has words in both languages, the page lists every rule, the version is locked."""

import hashlib
from pathlib import Path
from typing import Any, Final

import pytest

from compliance.audit.deeds import canonical_json
from compliance.rules.evaluate import RULE_SET_VERSION, evaluate_rule
from compliance.rules.fact_table import FACTS
from compliance.rules.facts import facts_needed
from compliance.rules.gates import GATES
from compliance.rules.registry import REGISTRY, versions_of
from compliance.rules.results import Verdict
from compliance.rules.rule import MISSING_FACTS, NOT_IN_FORCE, Rule
from models.domain.states import Gate
from models.texts.render import LOCALES, catalogue, has_text, placeholders, render
from tests.compliance.rules.example import TODAY
from tests.compliance.rules.examples import EXAMPLES
from tests.compliance.rules.world import WORLD, kept

PAGE: Final = Path(__file__).parents[3] / "docs" / "rules.md"


def every_verdict() -> list[Verdict]:
    """Each rule with all its reasons: the examples, each fact missing, and the day before it was in force."""
    verdicts = [evaluate_rule(each.rule_id, each.facts, as_of=each.as_of) for each in EXAMPLES]
    for rule_id in sorted({rule.id for rule in REGISTRY}):
        facts = kept(rule_id)
        first = versions_of(rule_id)[0].effective_from
        verdicts.append(evaluate_rule(rule_id, facts, as_of=first.replace(year=first.year - 1)))
        verdicts += [evaluate_rule(rule_id, {**facts, fact: None}, as_of=TODAY) for fact in sorted(facts)]
    return verdicts


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("rule", REGISTRY, ids=lambda rule: f"{rule.id}-{rule.effective_from}")
def test_every_answer_has_a_text_and_the_citation_names_the_law(rule: Rule, locale: str) -> None:
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


@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_of_a_verdict_finds_its_parameters(locale: str) -> None:
    for verdict in {(each.rule_id, each.reason): each for each in every_verdict()}.values():
        named = {name.partition(":")[0] for name in placeholders(catalogue(locale)[verdict.reason_key])}
        assert named <= set(verdict.text_params)
        assert "…" not in render(verdict.reason_key, verdict.text_params, locale)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_of_a_verdict_is_in_the_readers_language(locale: str) -> None:
    """A code that stands in a sentence has a text; codes of charges are the bank's own and may have none."""
    for verdict in every_verdict():
        for placeholder in placeholders(catalogue(locale)[verdict.reason_key]):
            name, _, kind = placeholder.partition(":")
            if kind.startswith("rule.") and kind != "rule.word.charge":
                for word in str(verdict.text_params[name]).split(","):
                    assert has_text(f"{kind}.{word}", locale), (verdict.rule_id, verdict.reason)


def test_no_text_stands_for_a_rule_fact_or_reason_that_is_gone() -> None:
    reasons = {f"rule.{rule.id}.reason.{each}" for rule in REGISTRY for each in rule.reasons}
    reasons |= {f"rule.{rule.id}.reason.{each}" for rule in REGISTRY for each in (MISSING_FACTS, NOT_IN_FORCE)}
    told = {key for key in catalogue("en") if key.startswith("rule.")}
    assert {key for key in told if ".reason." in key} == reasons
    assert {key.removeprefix("rule.fact.") for key in told if key.startswith("rule.fact.")} == set(FACTS)


def test_the_rules_give_the_reasons_that_they_declare() -> None:
    given_reasons = {(each.rule_id, each.reason) for each in every_verdict()}
    declared = {(rule.id, reason) for rule in REGISTRY for reason in (*rule.reasons, MISSING_FACTS, NOT_IN_FORCE)}
    assert given_reasons == declared


def test_every_fact_is_asked_for_and_each_gate_can_tell_which() -> None:
    assert {name for gate in Gate for name in facts_needed(gate)} == set(FACTS) == set(WORLD)


def test_the_version_of_the_rule_set_stands_for_these_answers() -> None:
    """If this fails, an answer, parameter or citation has changed: raise RULE_SET_VERSION, then lock the new digest."""
    digest = hashlib.sha256()
    for verdict in every_verdict():
        record: dict[str, Any] = {
            "rule": verdict.rule_id,
            "result": verdict.result,
            "reason": verdict.reason,
            "severity": verdict.severity,
            "verified": verdict.verified,
            "from": verdict.effective_from.isoformat(),
            "law": [verdict.citation.law_zh, verdict.citation.article_zh],
            "params": verdict.stored_params(),
            "inputs": verdict.inputs_hash,
        }
        digest.update(canonical_json(record).encode())
    for gate in Gate:
        digest.update(canonical_json([gate, *GATES[gate]]).encode())
    assert (RULE_SET_VERSION, digest.hexdigest()) == (
        "2026-11.6",
        "56f4af968412cb48c2ad2ac9323c5f325f03a212db2bc75230de15e35e6ef338",
    )


# The page in docs/ ----------------------------------------------------------------------------------------------------


def rule_row(rule: Rule) -> str:
    until = f" to {rule.effective_to}" if rule.effective_to is not None else ""
    citation = f"《{rule.citation.law_zh}》{rule.citation.article_zh}"
    cells = (
        f"`{rule.id}`",
        render(rule.title, {}, "en"),
        citation,
        f"{rule.effective_from}{until}",
        rule.severity.value,
        f"{rule.verified.value}{' (provisional)' if rule.verified.value in {'DRAFT', 'MEMORY'} else ''}",
    )
    return f"| {' | '.join(cells)} |"


def page_tables() -> str:
    """What stands between the marks of docs/rules.md: each gate with its rules, then each fact."""
    lines: list[str] = []
    for gate in Gate:
        lines += [f"### {gate.value}", "", "| rule | title | citation | in force from | severity | verified |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        lines += [rule_row(version) for rule_id in GATES[gate] for version in versions_of(rule_id)]
        lines += ["", f"Facts: {', '.join(f'`{name}`' for name in facts_needed(gate))}.", ""]
    lines += ["## Facts", "", "| fact | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {fact.kind.value} | {fact.meaning} |" for name, fact in FACTS.items()]
    return "\n".join(lines)


def test_the_page_lists_every_rule_and_fact_as_it_is() -> None:
    """If this fails, put what `page_tables` returns between the marks."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("<!-- tables -->\n")
    tables, _, _ = rest.partition("\n<!-- end of tables -->")
    assert tables == page_tables()
