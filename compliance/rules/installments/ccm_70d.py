"""CCM-70d: no new card while the plan is unsettled (不得申领信用卡) (商业银行信用卡业务监督管理办法 Art. 70).

The customer undertakes it in the agreement, for all banks. That this bank blocks its own new cards, and lifts the block
at settlement, is its own reading of the article; other banks it cannot reach.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed


def check_block(facts: Mapping[str, Any]) -> Finding:
    """The core confirmed the block."""
    return passed("blocked") if facts["own_card_block_set"] else failed("not-blocked")


def check_release(facts: Mapping[str, Any]) -> Finding:
    """The core confirmed that the block is gone."""
    return passed("released") if facts["own_card_block_released"] else failed("not-released")


CCM_70D: Final = Rule(
    id="CCM-70d",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("own_card_block_set"),
    reasons=("blocked", "not-blocked"),
    check=check_block,
)
CCM_70D_RELEASE: Final = Rule(
    id="CCM-70d-RELEASE",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("own_card_block_released"),
    reasons=("released", "not-released"),
    check=check_release,
)
