"""AML-28, AML-29: who the customer is (反洗钱法 (2024) Arts. 28, 29).

28: nobody is served who is unidentified, anonymous or under a false name (身份不明、匿名或者假名). 29: due diligence
(客户尽职调查) is done when a relation begins, and anew when earlier identity data are in doubt. An agreement is a new
relation; strictly read, due diligence that is to be done again is not done. The card core keeps the holders, so it is
asked; what it does not say is unknown, and stops the case until it does.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import AML_LAW
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed
from models.domain.rule_words import DueDiligence

_KNOWN: Final = tuple(each.value for each in DueDiligence if each is not DueDiligence.UNIDENTIFIED)


def check_identified(facts: Mapping[str, Any]) -> Finding:
    """Somebody."""
    return passed("identified") if facts["due_diligence"] in _KNOWN else failed("unidentified")


def check_current(facts: Mapping[str, Any]) -> Finding:
    """Done, and in no doubt."""
    standing = facts["due_diligence"]
    return passed("current") if standing == DueDiligence.CURRENT else failed("not-current", standing=standing)


AML_28: Final = Rule(
    id="AML-28",
    authority=AML_LAW.authority,
    citation=AML_LAW.article("第二十八条", "Article 28"),
    effective_from=AML_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("due_diligence"),
    reasons=("identified", "unidentified"),
    check=check_identified,
)
AML_29: Final = Rule(
    id="AML-29",
    authority=AML_LAW.authority,
    citation=AML_LAW.article("第二十九条", "Article 29"),
    effective_from=AML_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("due_diligence"),
    reasons=("current", "not-current"),
    check=check_current,
)
