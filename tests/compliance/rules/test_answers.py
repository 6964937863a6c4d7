"""Every rule, over every answer it can give: result, reason, whether it stops the step, and the citation people see."""

import pytest

from compliance.rules.evaluate import blocks, evaluate_rule
from compliance.rules.installments.registry import RULES as INSTALLMENTS
from compliance.rules.registry import REGISTRY
from compliance.rules.results import Result, Severity, Verified
from compliance.rules.rule import FactKind, Rule
from models.texts.render import render
from tests.compliance.rules.example import TODAY, Example
from tests.compliance.rules.examples import EXAMPLES
from tests.compliance.rules.world import kept

WARNING = """
AFR-18 BATCH-COMPL BATCH-DISP CC-188 CC-195 CC-585 CC-695 CC-696 CITE-1 CONV-3 CONV-5 CRIM-5 CRYPT-38
CRYPT-39786 CRYPT-ALG CSL-42 DDB-PRE GB35273-9.3 GB45574 JRT171-C1 JRT171-C2-C3 JRT171-COMB JRT171-MA
JRT171-SHOW JRT171-TEST NFRA-CP-1 PBOC-DS PIPL-6 SPC-CONTRACT-65
"""
PROVISIONAL = """
BATCH-COMPL CCM-70f-KEEP CCN22-EARLY CCN22-PAGE1 CRYPT-39786 CRYPT-ALG DDB-AUTH DDB-BAN DDB-CHANNEL DDB-LIMIT
DDB-MATCH DDB-REVOKE DDB-REVOKE-NOTICE GB35273-9.3 INC-NFRA INC-PBOC JRT171-C2-C3 JRT171-COMB JRT171-MA
JRT171-SHOW JRT171-STORE JRT171-TEST NFRA-DS-INC PBOC-DS XB-5-1
"""


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


@pytest.mark.parametrize(("rule_id", "fact"), [
    (rule.id, fact)
    for rule in REGISTRY
    if rule.only_if is not None and rule not in INSTALLMENTS
    for fact in rule.only_if.facts
    if rule.facts[fact] is FactKind.CODE
])  # fmt: skip
def test_a_word_nobody_knows_exempts_from_nothing(rule_id: str, fact: str) -> None:
    verdict = evaluate_rule(rule_id, {**kept(rule_id), fact: "no-such-word"}, as_of=TODAY)
    assert verdict.result is not Result.NOT_APPLICABLE


def test_only_these_rules_warn() -> None:
    warning = set(WARNING.split())
    assert {rule.id for rule in REGISTRY if rule.severity is Severity.WARN} == warning


def test_what_was_not_seen_in_force_is_provisional() -> None:
    provisional = {
        each.rule_id for each in EXAMPLES if evaluate_rule(each.rule_id, each.facts, as_of=each.as_of).provisional
    }
    assert provisional == set(PROVISIONAL.split())


@pytest.mark.parametrize(
    "rule", [each for each in REGISTRY if each.verified is Verified.SUMMARY], ids=lambda rule: rule.id
)
def test_what_was_only_reported_cites_no_article(rule: Rule) -> None:
    assert "条款号未核对" in rule.citation.article_zh
    assert "article number not checked" in rule.citation.article_en
