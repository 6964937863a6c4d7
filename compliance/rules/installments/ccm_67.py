"""CCM-67: the customer is told in good time what falls due and when (还款提醒).

商业银行信用卡业务监督管理办法 Art. 67. No reminder is owed if the customer gave false data or changed contacts without
telling the bank. How many days before is bank policy; the law is broken only if the due date comes first.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import ReminderExemption

EXEMPTIONS: Final = (ReminderExemption.FALSE_DATA.value, ReminderExemption.CONTACT_CHANGED.value)


def check(facts: Mapping[str, Any]) -> Finding:
    """Before the due date, with the right amount."""
    sent, due = facts["reminder_sent_on"].isoformat(), facts["row_due_on"].isoformat()
    if facts["reminder_sent_on"] >= facts["row_due_on"]:
        return failed("too-late", sent=sent, due=due)
    if facts["reminder_amount_minor"] != facts["row_amount_minor"]:
        return failed("other-amount", told_minor=facts["reminder_amount_minor"], row_minor=facts["row_amount_minor"])
    return passed("reminded", sent=sent, due=due)


CCM_67: Final = Rule(
    id="CCM-67",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十七条", "Article 67"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("reminder_exemption", "reminder_sent_on", "row_due_on", "reminder_amount_minor", "row_amount_minor"),
    only_if=Condition(
        facts=("reminder_exemption",),
        holds=lambda facts: facts["reminder_exemption"] not in EXEMPTIONS,
        otherwise="exempt",
    ),
    reasons=("reminded", "too-late", "other-amount", "exempt"),
    params=(
        Parameter(
            name="exemptions",
            value=EXEMPTIONS,
            source="商业银行信用卡业务监督管理办法 Art. 67",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check,
)
