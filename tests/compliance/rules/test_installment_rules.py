"""Every rule, over every answer it can give: result, reason, whether it stops the step, and the citation people see."""

import pytest

from compliance.rules.evaluate import blocks, evaluate_rule
from compliance.rules.registry import REGISTRY
from compliance.rules.results import Result, Severity
from models.texts.render import render
from tests.compliance.rules.examples import EXAMPLES, Example


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_rule_answers_as_its_provision_says(example: Example) -> None:
    verdict = evaluate_rule(example.rule_id, example.facts, as_of=example.as_of)
    assert (verdict.result, verdict.reason) == (example.result, example.reason)
    stops = example.result is Result.FAIL and verdict.severity is Severity.BLOCK
    assert blocks(result=verdict.result, severity=verdict.severity) is stops
    for locale, law in (("zh-CN", verdict.citation.law_zh), ("en", verdict.citation.law_en)):
        assert law in render(verdict.citation_key, {}, locale)
        assert "…" not in render(verdict.reason_key, verdict.text_params, locale)


@pytest.mark.parametrize("rule_id", sorted({rule.id for rule in REGISTRY}))
def test_every_rule_has_a_case_that_keeps_it_and_one_that_breaks_it(rule_id: str) -> None:
    assert {Result.PASS, Result.FAIL} <= {each.result for each in EXAMPLES if each.rule_id == rule_id}


def test_only_these_rules_warn() -> None:
    warning = {"SPC-CONTRACT-65", "CC-695", "CITE-1", "PIPL-6", "NFRA-CP-1"}
    assert {rule.id for rule in REGISTRY if rule.severity is Severity.WARN} == warning


def test_what_was_not_seen_in_force_is_provisional() -> None:
    provisional = {
        each.rule_id for each in EXAMPLES if evaluate_rule(each.rule_id, each.facts, as_of=each.as_of).provisional
    }
    assert provisional == {"DDB-AUTH", "DDB-MATCH", "DDB-LIMIT", "DDB-REVOKE", "CCM-70f-KEEP", "CCN22-EARLY"}
