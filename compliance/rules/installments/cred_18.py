"""CRED-18: a credit report is queried only with the person's written consent to that purpose (征信业管理条例 Art. 18).

A reliable electronic signature has the effect of a signature by hand (电子签名法 Arts. 3 and 14), so a consent signed
with one counts as written. A ticked box, a one-time code or a recorded word does not.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.results import Authority, Citation, Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed
from models.domain.application import ConsentForm

ELECTRONIC_SIGNATURE: Final = "ELECTRONIC_SIGNATURE"
WRITTEN_FORMS: Final[tuple[str, ...]] = (ConsentForm.WRITTEN.value, ELECTRONIC_SIGNATURE)


def check(facts: Mapping[str, Any]) -> Finding:
    """Not withdrawn, in written form, for the purpose of this query."""
    if facts["consent_withdrawn"]:
        return failed("consent-withdrawn")
    if facts["consent_form"] not in WRITTEN_FORMS:
        return failed("consent-not-written", form=facts["consent_form"])
    if facts["consent_purpose"] != facts["query_purpose"]:
        return failed("other-purpose", agreed=facts["consent_purpose"], asked=facts["query_purpose"])
    return passed("signed-electronically" if facts["consent_form"] == ELECTRONIC_SIGNATURE else "written-consent")


CRED_18: Final = Rule(
    id="CRED-18",
    authority=Authority.ADMINISTRATIVE_REGULATION,
    citation=Citation(
        law_zh="征信业管理条例",
        law_en="Regulation on the Administration of the Credit Reporting Industry",
        article_zh="第十八条",
        article_en="Article 18",
    ),
    effective_from=date(2013, 3, 15),
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("consent_form", "consent_purpose", "query_purpose", "consent_withdrawn"),
    reasons=("written-consent", "signed-electronically", "consent-withdrawn", "consent-not-written", "other-purpose"),
    params=(
        Parameter(
            name="written_forms",
            value=WRITTEN_FORMS,
            source="征信业管理条例 Art. 18; 电子签名法 Arts. 3, 14",
            as_of=date(2013, 3, 15),
        ),
    ),
    check=check,
)
