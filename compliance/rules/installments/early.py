"""CCN22-EARLY, CC-677: who pays early pays interest for the money and time used (提前还款).

民法典 Art. 677: interest for the actual time, unless the parties agreed otherwise. 银保监规〔2022〕13号 says the same
of card installments, without exception for the interest; that sentence was not seen in the text, so the rule is
provisional. Asking less than what accrued is a concession and allowed.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_NOTICE, CIVIL_CODE
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import ChangeKind

EARLY: Final = (ChangeKind.SETTLEMENT.value, ChangeKind.PREPAYMENT.value)
_PAYS_EARLY: Final = Condition(
    facts=("change_kind",), holds=lambda facts: facts["change_kind"] in EARLY, otherwise="not-early"
)


def check_notice(facts: Mapping[str, Any]) -> Finding:
    """No interest of days to come; a fee only if agreed and disclosed."""
    asked, accrued = facts["interest_asked_minor"], facts["interest_accrued_minor"]
    if asked > accrued:
        return failed("unexpired-interest", asked_minor=asked, accrued_minor=accrued)
    if facts["early_fee_minor"] > 0 and not facts["early_fee_agreed"]:
        return failed("fee-not-agreed", fee_minor=facts["early_fee_minor"])
    return passed("for-time-used", asked_minor=asked)


def check_code(facts: Mapping[str, Any]) -> Finding:
    """Interest for the actual time, or as agreed."""
    asked, accrued = facts["interest_asked_minor"], facts["interest_accrued_minor"]
    if asked <= accrued:
        return passed("for-time-used", asked_minor=asked)
    if facts["interest_agreed_otherwise"]:
        return passed("agreed-otherwise")
    return failed("unexpired-interest", asked_minor=asked, accrued_minor=accrued)


CCN22_EARLY: Final = Rule(
    id="CCN22-EARLY",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    facts=asks("change_kind", "interest_asked_minor", "interest_accrued_minor", "early_fee_minor", "early_fee_agreed"),
    only_if=_PAYS_EARLY,
    reasons=("for-time-used", "unexpired-interest", "fee-not-agreed", "not-early"),
    params=(Parameter(name="early", value=EARLY, source="银保监规〔2022〕13号", as_of=CARD_NOTICE.since),),
    check=check_notice,
)
CC_677: Final = Rule(
    id="CC-677",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第六百七十七条", "Article 677"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("change_kind", "interest_asked_minor", "interest_accrued_minor", "interest_agreed_otherwise"),
    only_if=_PAYS_EARLY,
    reasons=("for-time-used", "agreed-otherwise", "unexpired-interest", "not-early"),
    params=(Parameter(name="early", value=EARLY, source="民法典 Art. 677", as_of=CIVIL_CODE.since),),
    check=check_code,
)
