"""CRED-15: the customer is told before bad information is reported (不良信息告知) (征信业管理条例 Art. 15)."""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CREDIT_REPORTING
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed


def check(facts: Mapping[str, Any]) -> Finding:
    """Told first."""
    return passed("told-before") if facts["adverse_notice_at"] < facts["adverse_report_at"] else failed("told-late")


CRED_15: Final = Rule(
    id="CRED-15",
    authority=CREDIT_REPORTING.authority,
    citation=CREDIT_REPORTING.article("第十五条", "Article 15"),
    effective_from=CREDIT_REPORTING.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("adverse_report_planned", "adverse_notice_at", "adverse_report_at"),
    only_if=Condition(
        facts=("adverse_report_planned",),
        holds=lambda facts: bool(facts["adverse_report_planned"]),
        otherwise="nothing-to-report",
    ),
    reasons=("told-before", "told-late", "nothing-to-report"),
    check=check,
)
