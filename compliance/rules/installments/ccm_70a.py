"""CCM-70a: who may get an individual installment plan (个性化分期还款协议).

商业银行信用卡业务监督管理办法 Art. 70: in special circumstances, when it is confirmed that the debt exceeds the
cardholder's ability to repay, and the cardholder is still willing to repay. The bank may agree (可以); it need not.

`capacity_minor` is what a month leaves for repayment, `total_due_minor` the whole debt on the card. The article
compares the debt with the ability to pay it as it falls due, and a card debt falls due whole; so the debt exceeds the
ability exactly if `capacity_minor < total_due_minor`. At equality one month's surplus pays the debt: no special case.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.results import Authority, Citation, Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed
from models.domain.application import HardshipCode

HARDSHIP_CODES: Final = tuple(code.value for code in HardshipCode)


def check(facts: Mapping[str, Any]) -> Finding:
    """Hardship confirmed by evidence, debt above ability, will to repay; the reason is the first lack, `lacks` all."""
    amounts = {"capacity_minor": facts["capacity_minor"], "total_due_minor": facts["total_due_minor"]}
    lacks = tuple(reason for reason, is_lacking in _lacking(facts) if is_lacking)
    if not lacks:
        return passed("debt-exceeds-capacity", **amounts)
    return failed(lacks[0], **amounts, hardship=facts["hardship_code"], lacks=",".join(lacks))


def _lacking(facts: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    return (
        ("hardship-not-recognised", facts["hardship_code"] not in HARDSHIP_CODES),
        ("hardship-without-evidence", not facts["hardship_evidence"]),
        ("debt-within-capacity", facts["capacity_minor"] >= facts["total_due_minor"]),
        ("not-willing-to-repay", not facts["willing_to_repay"]),
    )


CCM_70A: Final = Rule(
    id="CCM-70a",
    authority=Authority.DEPARTMENT_RULE,
    citation=Citation(
        law_zh="商业银行信用卡业务监督管理办法",
        law_en="Measures for the Supervision and Administration of the Credit Card Business of Commercial Banks",
        article_zh="第七十条",
        article_en="Article 70",
    ),
    effective_from=date(2011, 1, 13),
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("hardship_code", "hardship_evidence", "capacity_minor", "total_due_minor", "willing_to_repay"),
    reasons=(
        "debt-exceeds-capacity",
        "hardship-not-recognised",
        "hardship-without-evidence",
        "debt-within-capacity",
        "not-willing-to-repay",
    ),
    params=(
        Parameter(
            name="hardship_codes",
            value=HARDSHIP_CODES,
            source="bank policy: what counts as special circumstances (特殊情况)",
            as_of=date(2011, 1, 13),
        ),
    ),
    check=check,
)
