"""PIPL-6, NFRA-CP-1: no more is collected, and no more consent asked for, than the product needs (最小必要).

个人信息保护法 Art. 6: the smallest scope for the purpose; the bank's list by cause of hardship says what that is.
银行保险机构消费者权益保护管理办法: nobody is asked for consent to what the product does not depend on, so that nothing
can hang on a refusal (不得捆绑授权). Its articles were not seen. Both are shown and stop nothing.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CONSUMER_MEASURES, PERSONAL_DATA_LAW
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, lacking, passed


def check_scope(facts: Mapping[str, Any]) -> Finding:
    """Nothing outside the list."""
    surplus = lacking(facts["data_held"], facts["data_needed"])
    return failed("more-than-needed", items=",".join(surplus)) if surplus else passed("as-needed")


def check_consents(facts: Mapping[str, Any]) -> Finding:
    """No consent beside those that the product depends on."""
    surplus = lacking(facts["consents_asked"], facts["consents_needed"])
    return failed("not-needed", items=",".join(surplus)) if surplus else passed("as-needed")


PIPL_6: Final = Rule(
    id="PIPL-6",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第六条", "Article 6"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    facts=asks("data_held", "data_needed"),
    reasons=("as-needed", "more-than-needed"),
    check=check_scope,
)
NFRA_CP_1: Final = Rule(
    id="NFRA-CP-1",
    authority=CONSUMER_MEASURES.authority,
    citation=CONSUMER_MEASURES.unnumbered(),
    effective_from=CONSUMER_MEASURES.since,
    verified=Verified.SUMMARY,
    severity=Severity.WARN,
    facts=asks("consents_asked", "consents_needed"),
    reasons=("as-needed", "not-needed"),
    check=check_consents,
)
