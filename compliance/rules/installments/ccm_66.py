"""CCM-66: the bank manages how it collects (催收管理制度) (商业银行信用卡业务监督管理办法 Art. 66).

Collectors may not be judged by one measure alone that counts the money they recover (回款金额).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed


def check(facts: Mapping[str, Any]) -> Finding:
    """A policy in force, and more than one measure."""
    if not facts["collection_policy_version"]:
        return failed("no-policy")
    if len(facts["collector_measures"]) <= 1:
        return failed("single-measure")
    return passed("managed", version=facts["collection_policy_version"])


CCM_66: Final = Rule(
    id="CCM-66",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十六条", "Article 66"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("collection_policy_version", "collector_measures"),
    reasons=("managed", "no-policy", "single-measure"),
    check=check,
)
