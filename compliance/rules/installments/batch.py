"""BATCH-ONCE, BATCH-CUT: each row is debited once, and never for more than is due when the run begins.

Rules of the house, resting on 商业银行法 Art. 73 (no debit without cause) and on 商业银行信用卡业务监督管理办法 Arts.
69, 70 (a disputed account, a kept agreement). State is read when the run begins (批量扣款), not when the order was
planned.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import BANK_LAW, CARD_MEASURES
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, passed
from models.domain.rule_words import AgreementStatus

DEBITABLE: Final = (AgreementStatus.ACTIVE.value, AgreementStatus.IN_DEFAULT.value)


def check_once(facts: Mapping[str, Any]) -> Finding:
    """No other order for the row is settled or without a final answer."""
    if facts["orders_settled"] > 0:
        return failed("settled-before")
    return failed("answer-open", count=facts["orders_open"]) if facts["orders_open"] > 0 else passed("only-order")


def check_cut(facts: Mapping[str, Any]) -> Finding:
    """A running agreement, a row that is not paid, no dispute, no more than is due."""
    status = facts["agreement_status"]
    if status not in DEBITABLE:
        return failed("not-running", status=status)
    if facts["account_disputed"]:
        return failed("disputed")
    if facts["row_paid"]:
        return failed("row-paid")
    amount, due = facts["debit_amount_minor"], facts["due_now_minor"]
    if amount > due:
        return failed("more-than-due", amount_minor=amount, due_minor=due)
    return passed("due", amount_minor=amount)


BATCH_ONCE: Final = Rule(
    id="BATCH-ONCE",
    authority=BANK_LAW.authority,
    citation=BANK_LAW.article("第七十三条", "Article 73"),
    effective_from=BANK_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("orders_settled", "orders_open"),
    reasons=("only-order", "settled-before", "answer-open"),
    check=check_once,
)
BATCH_CUT: Final = Rule(
    id="BATCH-CUT",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第六十九条、第七十条", "Articles 69 and 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("agreement_status", "account_disputed", "row_paid", "debit_amount_minor", "due_now_minor"),
    reasons=("due", "not-running", "disputed", "row-paid", "more-than-due"),
    params=(
        Parameter(
            name="debitable",
            value=DEBITABLE,
            source="bank policy, from 商业银行信用卡业务监督管理办法 Art. 70",
            as_of=CARD_MEASURES.since,
        ),
    ),
    check=check_cut,
)
