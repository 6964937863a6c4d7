"""CCM-69a, CCM-69b: what a collection letter says (催收函件), and what an objection stops (催收异议).

商业银行信用卡业务监督管理办法 Art. 69. That no new collection contact is made while an objection is verified is the
bank's reading of "mark the account and verify promptly".
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.application import ContactChannel
from models.domain.rule_words import LETTER_FIELDS, ContactPurpose


def check_letter(facts: Mapping[str, Any]) -> Finding:
    """Every field of a letter."""
    gone = lacking(LETTER_FIELDS, facts["letter_fields"])
    return failed("incomplete", count=len(gone), item=gone[0]) if gone else passed("complete")


def check_objection(facts: Mapping[str, Any]) -> Finding:
    """Marked as soon as it came; no collection until it is verified."""
    if facts["objections_open"] > 0 and not facts["account_disputed"]:
        return failed("not-marked")
    if facts["account_disputed"]:
        return failed("being-verified")
    return passed("no-objection")


CCM_69A: Final = Rule(
    id="CCM-69a",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十九条", "Article 69"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("contact_channel", "letter_fields"),
    only_if=Condition(
        facts=("contact_channel",),
        holds=lambda facts: facts["contact_channel"] == ContactChannel.LETTER,
        otherwise="no-letter",
    ),
    reasons=("complete", "incomplete", "no-letter"),
    params=(
        Parameter(
            name="letter_fields",
            value=LETTER_FIELDS,
            source="商业银行信用卡业务监督管理办法 Art. 69",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check_letter,
)
CCM_69B: Final = Rule(
    id="CCM-69b",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十九条", "Article 69"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("contact_purpose", "objections_open", "account_disputed"),
    only_if=Condition(
        facts=("contact_purpose",),
        holds=lambda facts: facts["contact_purpose"] != ContactPurpose.SERVICE_REMINDER,
        otherwise="service-reminder",
    ),
    reasons=("no-objection", "not-marked", "being-verified", "service-reminder"),
    check=check_objection,
)
