"""ES-13, ES-14: a reliable electronic signature has the effect of one by hand (可靠的电子签名).

电子签名法 Art. 13 names four marks, and all four are needed. Art. 14 gives the effect; the agreement, the debit
mandate and the cost statement need it, as far as they are signed electronically. Paper and recordings have rules of
their own; a form nobody knows is taken to be electronic.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import ESIGN_LAW
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.rule_words import AgreementForm

MARKS: Final = (
    "signature_data_exclusive",
    "signature_sole_control",
    "signature_change_detectable",
    "text_change_detectable",
)
_ELECTRONIC: Final = Condition(
    facts=("agreement_form",),
    holds=lambda facts: facts["agreement_form"] not in {AgreementForm.PAPER, AgreementForm.ORAL},
    otherwise="not-electronic",
)


def check_marks(facts: Mapping[str, Any]) -> Finding:
    """The four marks; the first that lacks is named."""
    gone = next((mark for mark in MARKS if not facts[mark]), None)
    return failed("mark-lacking", mark=gone) if gone is not None else passed("reliable")


def check_documents(facts: Mapping[str, Any]) -> Finding:
    """Nothing signed electronically in a lesser way."""
    lesser = lacking(facts["signed_electronically"], facts["signed_reliably"])
    return failed("lesser-signature", count=len(lesser), document=lesser[0]) if lesser else passed("all-reliable")


ES_13: Final = Rule(
    id="ES-13",
    authority=ESIGN_LAW.authority,
    citation=ESIGN_LAW.article("第十三条", "Article 13"),
    effective_from=ESIGN_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("agreement_form", *MARKS),
    only_if=_ELECTRONIC,
    reasons=("reliable", "mark-lacking", "not-electronic"),
    check=check_marks,
)
ES_14: Final = Rule(
    id="ES-14",
    authority=ESIGN_LAW.authority,
    citation=ESIGN_LAW.article("第十四条", "Article 14"),
    effective_from=ESIGN_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("signed_electronically", "signed_reliably"),
    reasons=("all-reliable", "lesser-signature"),
    check=check_documents,
)
