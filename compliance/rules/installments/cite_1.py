"""CITE-1: an agreement cites the Civil Code, not the Contract Law that it repealed (合同法) (民法典 Art. 1260).

The Contract Law ended on 2021-01-01; what happened before may still be judged by it. The articles of the Civil Code are
read from its text; which old article became which is recalled.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed

REPEALED: Final = "合同法"
SUCCESSORS: Final = {
    10: 469, 11: 469, 16: 137, 32: 490, 33: 491, 39: 496, 40: 497, 41: 498, 44: 502, 53: 506, 60: 509, 77: 543, 78: 544,
    79: 545, 80: 546, 81: 547, 82: 548, 83: 549, 84: 551, 85: 553, 86: 554, 88: 555, 89: 556, 90: 67, 92: 558, 94: 563,
    99: 568, 114: 585, 196: 667, 197: 668, 200: 670, 205: 674, 206: 675, 207: 676, 208: 677, 209: 678,
}  # fmt: skip


def check(facts: Mapping[str, Any]) -> Finding:
    """No article of the repealed law; the first one that stands there is mapped."""
    for cited in facts["cited_articles"]:
        law, _, number = cited.partition("/")
        if law != REPEALED:
            continue
        successor = SUCCESSORS.get(int(number)) if number.isdecimal() else None
        if successor is None:
            return failed("repealed-law", article=number)
        return failed("repealed-article", article=number, successor=successor)
    return passed("law-in-force")


CITE_1: Final = Rule(
    id="CITE-1",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第一千二百六十条", "Article 1260"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    facts=asks("cited_articles"),
    reasons=("law-in-force", "repealed-article", "repealed-law"),
    params=(
        Parameter(
            name="successors",
            value=tuple(f"{old}→{new}" for old, new in SUCCESSORS.items()),
            source="民法典; the numbers of the repealed law from memory",
            as_of=CIVIL_CODE.since,
        ),
    ),
    check=check,
)
