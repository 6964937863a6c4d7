"""PIPL-24: no decision of major effect by a machine alone (个人信息保护法 Art. 24).

The person may ask for an explanation and may refuse a decision made by automated means only; so the bank must be able
to explain it, and a person must be there to decide.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.results import Authority, Citation, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed


def check(facts: Mapping[str, Any]) -> Finding:
    """Both the explanation and the human route."""
    if not facts["explanation_available"]:
        return failed("no-explanation")
    if not facts["human_review_route"]:
        return failed("no-human-review")
    return passed("explained-and-reviewed")


PIPL_24: Final = Rule(
    id="PIPL-24",
    authority=Authority.LAW,
    citation=Citation(
        law_zh="中华人民共和国个人信息保护法",
        law_en="Personal Information Protection Law of the People's Republic of China",
        article_zh="第二十四条",
        article_en="Article 24",
    ),
    effective_from=date(2021, 11, 1),
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("explanation_available", "human_review_route"),
    reasons=("explained-and-reviewed", "no-explanation", "no-human-review"),
    check=check,
)
