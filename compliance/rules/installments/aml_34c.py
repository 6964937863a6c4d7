"""AML-34c: identity and transaction records are kept for ten years (客户身份资料和交易记录保存) (反洗钱法 Art. 34).

Identity data from the end of the relation, transaction data from the transaction; both clocks are run at once from the
later day. 至少 includes the figure. Until 2024-12-31 it was five years (反洗钱法 of 2006, Art. 19).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import AML_LAW
from compliance.rules.periods import years_after
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed

YEARS: Final = 10
OLD_YEARS: Final = 5


def _kept_for(years: int) -> Callable[[Mapping[str, Any]], Finding]:
    def check(facts: Mapping[str, Any]) -> Finding:
        least = years_after(max(facts["relation_ended_on"], facts["last_transaction_on"]), years)
        days = {"until": facts["records_kept_until"].isoformat(), "least": least.isoformat()}
        if facts["records_kept_until"] < least:
            return failed("kept-too-short", years=years, **days)
        return passed("kept", **days)

    return check


_FACTS: Final = asks("records_kept_until", "relation_ended_on", "last_transaction_on")
_REASONS: Final = ("kept", "kept-too-short")

AML_34C_2006: Final = Rule(
    id="AML-34c",
    authority=AML_LAW.authority,
    citation=AML_LAW.article("第十九条（2006年）", "Article 19 (2006)"),
    effective_from=date(2007, 1, 1),
    effective_to=date(2024, 12, 31),
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=_FACTS,
    reasons=_REASONS,
    params=(Parameter(name="years", value=OLD_YEARS, source="反洗钱法 (2006) Art. 19", as_of=date(2007, 1, 1)),),
    check=_kept_for(OLD_YEARS),
)
AML_34C: Final = Rule(
    id="AML-34c",
    authority=AML_LAW.authority,
    citation=AML_LAW.article("第三十四条", "Article 34"),
    effective_from=AML_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=_FACTS,
    reasons=_REASONS,
    params=(Parameter(name="years", value=YEARS, source="反洗钱法 (2024) Art. 34", as_of=AML_LAW.since),),
    check=_kept_for(YEARS),
)
