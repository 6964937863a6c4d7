"""PIPL-13, PIPL-17: on which ground personal data are processed, and what is told before (个人信息保护法 Arts. 13, 17).

13: processing needs a ground. The bank's notice names it; what the ground rests on must be on record: for consent one
that stands, to the version of the notice that was given, and for a contract (为订立、履行合同所必需) the customer's own
application. The other grounds of the article are none of this business, and a notice that names one is refused.

17: before that, conspicuously and in plain words (以显著方式、清晰易懂的语言): handler and contacts, purpose, method,
kinds, retention, how to exercise rights. What counts is what the version says that this person was given. The article
names no form; strictly read, words only spoken are not conspicuous, so an oral notice is none.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Finding, Rule, failed, lacking, passed
from models.domain.application import ConsentForm
from models.domain.rule_words import NOTICE_ITEMS, LegalBasis

BASES: Final = tuple(each.value for each in LegalBasis)
SHOWN_FORMS: Final = (ConsentForm.WRITTEN.value, ConsentForm.ELECTRONIC.value)


def check_basis(facts: Mapping[str, Any]) -> Finding:
    """A ground that this business can have, and on record."""
    basis = facts["processing_basis"]
    if basis not in BASES:
        return failed("no-basis")
    return passed("on-record", basis=basis) if facts["basis_on_record"] else failed("not-on-record", basis=basis)


def check_notice(facts: Mapping[str, Any]) -> Finding:
    """Every item, and to be seen."""
    gone = lacking(NOTICE_ITEMS, facts["notice_items"])
    if gone:
        return failed("incomplete", count=len(gone), items=",".join(gone))
    return passed("told") if facts["notice_form"] in SHOWN_FORMS else failed("only-spoken")


PIPL_13: Final = Rule(
    id="PIPL-13",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第十三条", "Article 13"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("processing_basis", "basis_on_record"),
    reasons=("on-record", "no-basis", "not-on-record"),
    params=(Parameter(name="bases", value=BASES, source="个人信息保护法 Art. 13", as_of=PERSONAL_DATA_LAW.since),),
    check=check_basis,
)
PIPL_17: Final = Rule(
    id="PIPL-17",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第十七条", "Article 17"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("notice_items", "notice_form"),
    reasons=("told", "incomplete", "only-spoken"),
    params=(
        Parameter(name="items", value=NOTICE_ITEMS, source="个人信息保护法 Art. 17", as_of=PERSONAL_DATA_LAW.since),
        Parameter(
            name="forms",
            value=SHOWN_FORMS,
            source="个人信息保护法 Art. 17: conspicuous; strictly read, an oral notice is none",
            as_of=PERSONAL_DATA_LAW.since,
        ),
    ),
    check=check_notice,
)
