"""CCM-70b: an individual installment plan ends within five years (最长期限不得超过5年).

商业银行信用卡业务监督管理办法 Art. 70. Counted both ways: the rows' periods add up to at most 60 months, and the last
row falls due within five calendar years of signing. 不得超过 includes the figure (民法典 Art. 1259).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.periods import years_after
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed

MAX_MONTHS: Final = 60
MAX_YEARS: Final = 5


def check(facts: Mapping[str, Any]) -> Finding:
    """At most 60 months, and no row later than five years after signing."""
    if facts["term_months"] > MAX_MONTHS:
        return failed("term-too-long", months=facts["term_months"], most=MAX_MONTHS)
    latest = years_after(facts["agreement_signed_on"], MAX_YEARS)
    if facts["last_due_on"] > latest:
        return failed("last-row-too-late", last=facts["last_due_on"].isoformat(), latest=latest.isoformat())
    return passed("within-five-years", months=facts["term_months"])


CCM_70B: Final = Rule(
    id="CCM-70b",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("term_months", "last_due_on", "agreement_signed_on"),
    reasons=("within-five-years", "term-too-long", "last-row-too-late"),
    params=(
        Parameter(
            name="max_term_months",
            value=MAX_MONTHS,
            source="商业银行信用卡业务监督管理办法 Art. 70: five years, inclusive",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check,
)
