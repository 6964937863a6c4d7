"""CCM-68a, CCM-68b, CCM-68c: whom, how, and on record (商业银行信用卡业务监督管理办法 Art. 68).

a: only the debtor and the guarantor (不得对与债务无关的第三人催收). b: no violence, threat, abuse or other improper
means; the rule looks at flags that a phrase check and the complaints set. c: the process is recorded and recordings
are kept for at least two years (催收录音).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import ContactRole

ROLES: Final = (ContactRole.DEBTOR.value, ContactRole.GUARANTOR.value)
RETENTION_MONTHS: Final = 24


def check_person(facts: Mapping[str, Any]) -> Finding:
    """The debtor or the guarantor."""
    role = facts["contact_role"]
    return passed("party", role=role) if role in ROLES else failed("third-party", role=role)


def check_means(facts: Mapping[str, Any]) -> Finding:
    """No banned phrase, no open complaint."""
    if facts["banned_words_found"]:
        return failed("banned-words")
    if facts["misconduct_complaint_open"]:
        return failed("complaint-open")
    return passed("no-sign")


def check_recording(facts: Mapping[str, Any]) -> Finding:
    """Each contact recorded, each recording kept long enough."""
    lacking = facts["collection_contacts"] - facts["contacts_recorded"]
    if lacking > 0:
        return failed("not-recorded", count=lacking)
    if facts["recording_retention_months"] < RETENTION_MONTHS:
        return failed("kept-too-short", months=facts["recording_retention_months"], least=RETENTION_MONTHS)
    return passed("recorded")


CCM_68A: Final = Rule(
    id="CCM-68a",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十八条", "Article 68"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("contact_role"),
    reasons=("party", "third-party"),
    params=(
        Parameter(
            name="roles", value=ROLES, source="商业银行信用卡业务监督管理办法 Art. 68", as_of=CARD_MEASURES.since
        ),
    ),
    check=check_person,
)
CCM_68B: Final = Rule(
    id="CCM-68b",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十八条", "Article 68"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("banned_words_found", "misconduct_complaint_open"),
    reasons=("no-sign", "banned-words", "complaint-open"),
    check=check_means,
)
CCM_68C: Final = Rule(
    id="CCM-68c",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十八条", "Article 68"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("collection_contacts", "contacts_recorded", "recording_retention_months"),
    only_if=Condition(
        facts=("collection_contacts",),
        holds=lambda facts: facts["collection_contacts"] > 0,
        otherwise="no-contact",
    ),
    reasons=("recorded", "not-recorded", "kept-too-short", "no-contact"),
    params=(
        Parameter(
            name="least_retention_months",
            value=RETENTION_MONTHS,
            source="商业银行信用卡业务监督管理办法 Art. 68: at least two years, inclusive",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check_recording,
)
