"""CC-490, CC-496, CC-543, CC-544, SPC-CONTRACT-10: how the agreement comes about and what shows it.

民法典 Art. 490: a written contract stands when both have signed (合同成立). Arts. 496 and 法释〔2023〕13号 Art. 10:
clauses of major interest to the customer are pointed out and explained (提示说明义务); the bank bears the proof, and
a ticked box or a pop-up alone proves nothing (仅以勾选、弹窗等方式). Arts. 543, 544: a change needs both parties, and
one that is unclear is presumed not made (变更不明确推定为未变更).
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CIVIL_CODE, CONTRACT_INTERPRETATION
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.rule_words import ChangeKind, PromptEvidence

NO_PROOF_ALONE: Final = (PromptEvidence.CHECKBOX.value, PromptEvidence.POPUP.value)
# To pay everything at once changes nothing that was agreed: Art. 677 gives the right.
_CHANGES: Final = Condition(
    facts=("change_kind",),
    holds=lambda facts: facts["change_kind"] != ChangeKind.SETTLEMENT,
    otherwise="no-change",
)


def check_concluded(facts: Mapping[str, Any]) -> Finding:
    """Signed by both, kept, and through the gate of signing."""
    if not (facts["change_agreed_by_customer"] and facts["change_agreed_by_bank"]):
        return failed("not-signed")
    if not facts["agreement_archived"]:
        return failed("not-archived")
    return passed("concluded") if facts["signing_gate_open"] else failed("gate-shut")


def check_pointed_out(facts: Mapping[str, Any]) -> Finding:
    """Set off and acknowledged, each clause; every question answered."""
    clauses = facts["major_clauses"]
    for reason, told in (("not-highlighted", "highlighted_clauses"), ("not-acknowledged", "acknowledged_clauses")):
        gone = lacking(clauses, facts[told])
        if gone:
            return failed(reason, count=len(gone))
    if facts["explanations_given"] < facts["explanations_asked"]:
        return failed("not-explained", count=facts["explanations_asked"] - facts["explanations_given"])
    return passed("pointed-out", count=len(clauses))


def check_proof(facts: Mapping[str, Any]) -> Finding:
    """More than a box and a pop-up; an explanation that was asked for is on record."""
    if not lacking(facts["prompt_evidence"], NO_PROOF_ALONE):
        return failed("no-proof")
    if facts["explanations_given"] < facts["explanations_asked"]:
        return failed("explanation-unproven")
    return passed("proven")


def check_agreed(facts: Mapping[str, Any]) -> Finding:
    """Both parties."""
    if not facts["change_agreed_by_customer"]:
        return failed("customer-not-agreed")
    return passed("agreed") if facts["change_agreed_by_bank"] else failed("bank-not-agreed")


def check_clear(facts: Mapping[str, Any]) -> Finding:
    """What changes is beyond doubt."""
    return passed("clear") if facts["change_unambiguous"] else failed("unclear")


CC_490: Final = Rule(
    id="CC-490",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第四百九十条", "Article 490"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("change_agreed_by_customer", "change_agreed_by_bank", "agreement_archived", "signing_gate_open"),
    reasons=("concluded", "not-signed", "not-archived", "gate-shut"),
    check=check_concluded,
)
CC_496: Final = Rule(
    id="CC-496",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第四百九十六条", "Article 496"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks(
        "major_clauses", "highlighted_clauses", "acknowledged_clauses", "explanations_asked", "explanations_given"
    ),
    reasons=("pointed-out", "not-highlighted", "not-acknowledged", "not-explained"),
    check=check_pointed_out,
)
SPC_CONTRACT_10: Final = Rule(
    id="SPC-CONTRACT-10",
    authority=CONTRACT_INTERPRETATION.authority,
    citation=CONTRACT_INTERPRETATION.article("第十条", "Article 10"),
    effective_from=CONTRACT_INTERPRETATION.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("prompt_evidence", "explanations_asked", "explanations_given"),
    reasons=("proven", "no-proof", "explanation-unproven"),
    params=(
        Parameter(
            name="no_proof_alone",
            value=NO_PROOF_ALONE,
            source="法释〔2023〕13号 Art. 10",
            as_of=CONTRACT_INTERPRETATION.since,
        ),
    ),
    check=check_proof,
)
CC_543: Final = Rule(
    id="CC-543",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第五百四十三条", "Article 543"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("change_kind", "change_agreed_by_customer", "change_agreed_by_bank"),
    only_if=_CHANGES,
    reasons=("agreed", "customer-not-agreed", "bank-not-agreed", "no-change"),
    check=check_agreed,
)
CC_544: Final = Rule(
    id="CC-544",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第五百四十四条", "Article 544"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("change_kind", "change_unambiguous"),
    only_if=_CHANGES,
    reasons=("clear", "unclear", "no-change"),
    check=check_clear,
)
