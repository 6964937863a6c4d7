"""CCM-57a, CCM-57b: whose money may be taken, and what it pays first (商业银行信用卡业务监督管理办法 Art. 57).

a: a card debt is not set off against other assets of the customer (抵销) unless the customer authorised it, and the
procedure stands in the contract. b: up to 90 days past due a payment reduces interest or fees first, then principal;
from the 91st day principal first (冲还顺序).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import AccountKind, FirstPaid, MandateStatus

SWITCH_DAYS: Final = 91


def check_offset(facts: Mapping[str, Any]) -> Finding:
    """Authorised, for this account, by a procedure that was agreed."""
    if facts["mandate_status"] != MandateStatus.ACTIVE:
        return failed("not-authorised")
    if facts["debit_account"] != facts["mandate_account"]:
        return failed("other-account")
    if not facts["offset_procedure_agreed"]:
        return failed("no-procedure")
    return passed("authorised")


def check_order(facts: Mapping[str, Any]) -> Finding:
    """The order that goes with the age of the debt."""
    days = facts["days_past_due"]
    first = FirstPaid.PRINCIPAL if days >= SWITCH_DAYS else FirstPaid.INTEREST_AND_FEES
    if facts["first_paid"] != first:
        return failed("other-order", days=days, first=first.value)
    return passed("right-order", days=days, first=first.value)


CCM_57A: Final = Rule(
    id="CCM-57a",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第五十七条", "Article 57"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("debit_account_kind", "mandate_status", "debit_account", "mandate_account", "offset_procedure_agreed"),
    only_if=Condition(
        facts=("debit_account_kind",),
        holds=lambda facts: facts["debit_account_kind"] != AccountKind.CREDIT_CARD,
        otherwise="card-account",
    ),
    reasons=("authorised", "not-authorised", "other-account", "no-procedure", "card-account"),
    check=check_offset,
)
CCM_57B: Final = Rule(
    id="CCM-57b",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第五十七条", "Article 57"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("days_past_due", "first_paid"),
    reasons=("right-order", "other-order"),
    params=(
        Parameter(
            name="switch_days",
            value=SWITCH_DAYS,
            source="商业银行信用卡业务监督管理办法 Art. 57: principal first from this day past due, inclusive",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check_order,
)
