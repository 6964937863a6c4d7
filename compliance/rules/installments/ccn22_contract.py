"""CCN22-APPLY, -DISC, -SEP, -MIN, -LUMP, -INT: how an installment is applied for, disclosed, contracted and priced.

关于进一步促进信用卡业务规范健康发展的通知 (银保监规〔2022〕13号). Each installment has its own application and
approval before it begins; nature, procedure, risk and breach liability are disclosed and confirmed; it has its own
contract (不得与其他信用卡合同混同或捆绑); no minimum payment (最低还款额); interest for the whole term at once
(一次性收取) is never the only choice nor ticked beforehand; the price of the money is called interest (利息), not fee
(手续费).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_NOTICE
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, lacking, passed
from models.domain.rule_words import DISCLOSURES, Confirmation, FundsCost, InterestCollection

CONFIRMATIONS: Final = (
    Confirmation.RELIABLE_SIGNATURE.value,
    Confirmation.WET_SIGNATURE.value,
    Confirmation.RECORDED_CALL.value,
)
FUNDS_COST_NAMES: Final = (FundsCost.INTEREST.value, FundsCost.NONE.value)
_NOTICE: Final = "银保监规〔2022〕13号"


def check_application(facts: Mapping[str, Any]) -> Finding:
    """Its own application, and approved before it is signed."""
    if not facts["application_recorded"]:
        return failed("no-application")
    return failed("approved-late") if facts["approved_at"] >= facts["signing_at"] else passed("applied-and-approved")


def check_disclosure(facts: Mapping[str, Any]) -> Finding:
    """All four items, confirmed in a way that has effect."""
    gone = lacking(DISCLOSURES, facts["disclosed_items"])
    if gone:
        return failed("not-disclosed", item=gone[0])
    if facts["confirmation_method"] not in CONFIRMATIONS:
        return failed("not-confirmed", method=facts["confirmation_method"])
    return passed("disclosed")


def check_separate(facts: Mapping[str, Any]) -> Finding:
    """One agreement, one installment."""
    if facts["agreement_installments"] != 1:
        return failed("several-installments", count=facts["agreement_installments"])
    return failed("bundled") if facts["agreement_bundled"] else passed("separate")


def check_minimum(facts: Mapping[str, Any]) -> Finding:
    """Every row is due in full."""
    return failed("minimum-offered") if facts["minimum_payment_offered"] else passed("full-rows")


def check_lump(facts: Mapping[str, Any]) -> Finding:
    """Another choice, and nothing ticked."""
    if facts["interest_options"] == (InterestCollection.LUMP_SUM.value,):
        return failed("only-choice")
    if facts["interest_default"] == InterestCollection.LUMP_SUM:
        return failed("ticked-beforehand")
    return passed("free-choice")


def check_name(facts: Mapping[str, Any]) -> Finding:
    """Interest, or nothing charged at all."""
    if facts["funds_cost_shown_as"] in FUNDS_COST_NAMES:
        return passed("shown-as-interest")
    return failed("shown-as-fee")


CCN22_APPLY: Final = Rule(
    id="CCN22-APPLY",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("application_recorded", "approved_at", "signing_at"),
    reasons=("applied-and-approved", "no-application", "approved-late"),
    check=check_application,
)
CCN22_DISC: Final = Rule(
    id="CCN22-DISC",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("disclosed_items", "confirmation_method"),
    reasons=("disclosed", "not-disclosed", "not-confirmed"),
    params=(
        Parameter(name="disclosures", value=DISCLOSURES, source=_NOTICE, as_of=CARD_NOTICE.since),
        Parameter(
            name="confirmations",
            value=CONFIRMATIONS,
            source=f"{_NOTICE}: legally effective means; 电子签名法 Arts. 13, 14",
            as_of=CARD_NOTICE.since,
        ),
    ),
    check=check_disclosure,
)
CCN22_SEP: Final = Rule(
    id="CCN22-SEP",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("agreement_installments", "agreement_bundled"),
    reasons=("separate", "several-installments", "bundled"),
    check=check_separate,
)
CCN22_MIN: Final = Rule(
    id="CCN22-MIN",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("minimum_payment_offered"),
    reasons=("full-rows", "minimum-offered"),
    check=check_minimum,
)
CCN22_LUMP: Final = Rule(
    id="CCN22-LUMP",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("interest_options", "interest_default"),
    reasons=("free-choice", "only-choice", "ticked-beforehand"),
    check=check_lump,
)
CCN22_INT: Final = Rule(
    id="CCN22-INT",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("funds_cost_shown_as"),
    reasons=("shown-as-interest", "shown-as-fee"),
    params=(Parameter(name="names", value=FUNDS_COST_NAMES, source=_NOTICE, as_of=CARD_NOTICE.since),),
    check=check_name,
)
