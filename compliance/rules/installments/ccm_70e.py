"""CCM-70e: signing stops the collection (停止催收) (商业银行信用卡业务监督管理办法 Art. 70).

Once the agreement is signed, the bank and those who work for it stop collecting, unless the customer does not perform.
Reminders of what falls due stay allowed (Art. 67). The stop counts only when it has reached the agencies.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import AgreementStatus, ContactPurpose

COLLECTABLE: Final = (AgreementStatus.NONE.value, AgreementStatus.IN_DEFAULT.value)


def check_contact(facts: Mapping[str, Any]) -> Finding:
    """No agreement, or default on record."""
    status = facts["agreement_status"]
    return passed("may-collect", status=status) if status in COLLECTABLE else failed("agreement-kept", status=status)


def check_recall(facts: Mapping[str, Any]) -> Finding:
    """Every agency has acknowledged."""
    count = facts["agencies_not_recalled"]
    return failed("recall-open", count=count) if count > 0 else passed("recalled")


CCM_70E: Final = Rule(
    id="CCM-70e",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("contact_purpose", "agreement_status"),
    only_if=Condition(
        facts=("contact_purpose",),
        holds=lambda facts: facts["contact_purpose"] != ContactPurpose.SERVICE_REMINDER,
        otherwise="service-reminder",
    ),
    reasons=("may-collect", "agreement-kept", "service-reminder"),
    params=(
        Parameter(
            name="collectable",
            value=COLLECTABLE,
            source="商业银行信用卡业务监督管理办法 Art. 70",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check_contact,
)
CCM_70E_RECALL: Final = Rule(
    id="CCM-70e-RECALL",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("agencies_not_recalled"),
    reasons=("recalled", "recall-open"),
    check=check_recall,
)
