"""CCM-70c: what the agreement must hold (个性化分期还款协议的内容) (商业银行信用卡业务监督管理办法 Art. 70).

The six contents are asked for in their parts. Whether annual fee, interest and other fees are charged while the plan
runs must be said for each kind: the article leaves the choice to the parties, and silence is no choice.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, lacking, passed
from models.domain.rule_words import AGREEMENT_CONTENTS, FeeCharge

FEES: Final = ("annual_fee_charge", "interest_charge", "other_fees_charge")
FEE_WORDS: Final = tuple(each.value for each in FeeCharge)


def check(facts: Mapping[str, Any]) -> Finding:
    """Every content, and a word about each kind of fee."""
    gone = lacking(AGREEMENT_CONTENTS, facts["agreement_contents"])
    if gone:
        return failed("content-lacking", count=len(gone), item=gone[0])
    silent = next((fee for fee in FEES if facts[fee] not in FEE_WORDS), None)
    if silent is not None:
        return failed("fee-not-said", fee=silent)
    return passed("complete")


CCM_70C: Final = Rule(
    id="CCM-70c",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("agreement_contents", *FEES),
    reasons=("complete", "content-lacking", "fee-not-said"),
    params=(
        Parameter(
            name="agreement_contents",
            value=AGREEMENT_CONTENTS,
            source="商业银行信用卡业务监督管理办法 Art. 70",
            as_of=CARD_MEASURES.since,
        ),
        Parameter(
            name="fee_words",
            value=FEE_WORDS,
            source="商业银行信用卡业务监督管理办法 Art. 70: whether (是否) each is charged",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check,
)
