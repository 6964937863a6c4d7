"""PIPL-28, PIPL-30: sensitive personal data (敏感个人信息) (个人信息保护法 Arts. 28-30).

Accounts are sensitive (金融账户), and so is the proof of an illness (医疗健康): Art. 28 lets either be processed only
for a specific purpose and if it is fully necessary, so the notice that was given must name a purpose for each kind that
lies with the case. Art. 30 wants necessity and effect told. Whether this holds where the ground is no consent is
debated; strictly read, it is always told. A separate consent (单独同意, Art. 29) belongs to processing by consent, and
must be to the version of the notice that was given (Art. 14).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.rule_words import SENSITIVE_ITEMS, LegalBasis

_ANY: Final = Condition(
    facts=("sensitive_data",), holds=lambda facts: bool(facts["sensitive_data"]), otherwise="none-held"
)


def check_purpose(facts: Mapping[str, Any]) -> Finding:
    """A purpose is named for each kind."""
    unnamed = lacking(facts["sensitive_data"], facts["sensitive_data_noticed"])
    return failed("not-named", items=",".join(unnamed)) if unnamed else passed("named")


def check_told(facts: Mapping[str, Any]) -> Finding:
    """Necessity and effect, and the separate consent where consent is the ground."""
    gone = lacking(SENSITIVE_ITEMS, facts["notice_items"])
    if gone:
        return failed("incomplete", items=",".join(gone))
    if facts["processing_basis"] == LegalBasis.CONSENT and not facts["separate_consent"]:
        return failed("no-separate-consent")
    return passed("told")


PIPL_28: Final = Rule(
    id="PIPL-28",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第二十八条", "Article 28"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("sensitive_data", "sensitive_data_noticed"),
    only_if=_ANY,
    reasons=("named", "not-named", "none-held"),
    check=check_purpose,
)
PIPL_30: Final = Rule(
    id="PIPL-30",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第二十九条、第三十条", "Articles 29 and 30"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("sensitive_data", "notice_items", "processing_basis", "separate_consent"),
    only_if=_ANY,
    reasons=("told", "incomplete", "no-separate-consent", "none-held"),
    params=(
        Parameter(name="items", value=SENSITIVE_ITEMS, source="个人信息保护法 Art. 30", as_of=PERSONAL_DATA_LAW.since),
    ),
    check=check_told,
)
