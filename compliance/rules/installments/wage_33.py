"""WAGE-33: no debit from a wage account of migrant workers (农民工工资专用账户) (保障农民工工资支付条例 Art. 33).

It may not be frozen or debited for anything but the wages of its project.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import MIGRANT_WAGES
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed
from models.domain.rule_words import AccountKind


def check(facts: Mapping[str, Any]) -> Finding:
    """Any other kind of account."""
    return (
        failed("wage-account") if facts["debit_account_kind"] == AccountKind.WAGE_SPECIAL else passed("other-account")
    )


WAGE_33: Final = Rule(
    id="WAGE-33",
    authority=MIGRANT_WAGES.authority,
    citation=MIGRANT_WAGES.article("第三十三条", "Article 33"),
    effective_from=MIGRANT_WAGES.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("debit_account_kind"),
    reasons=("other-account", "wage-account"),
    check=check,
)
