"""PIPL-19, PIPL-21, PIPL-47, PIPL-55: how long data are kept, who works on them, and what is assessed before.

个人信息保护法. 19: no longer than needed, unless a law sets a period (最短时间). 21: whoever is entrusted with data
is bound by contract and passes nothing on without consent (委托处理). 47: once the purpose is reached data are
deleted, or kept locked (仅存储并采取安全保护措施) while a law demands it. 55: an impact assessment
(个人信息保护影响评估) comes before automated decisions.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.rule_words import ENTRUSTMENT_TERMS, ContactMaker, DataAfterClose


def check_period(facts: Mapping[str, Any]) -> Finding:
    """At most to the later of purpose and law."""
    needed = max(facts["purpose_ends_on"], facts["statutory_until"])
    days = {"until": facts["data_kept_until"].isoformat(), "needed": needed.isoformat()}
    return failed("longer-than-needed", **days) if facts["data_kept_until"] > needed else passed("as-needed", **days)


def check_entrusted(facts: Mapping[str, Any]) -> Finding:
    """Every term settled, nothing passed on."""
    gone = lacking(ENTRUSTMENT_TERMS, facts["entrustment_terms"])
    if gone:
        return failed("contract-incomplete", count=len(gone), item=gone[0])
    return failed("passed-on") if facts["sub_entrusted"] else passed("bound")


def check_deletion(facts: Mapping[str, Any]) -> Finding:
    """Locked while a law or a purpose keeps them, deleted otherwise."""
    needed = max(facts["purpose_ends_on"], facts["statutory_until"])
    wanted = DataAfterClose.LOCKED if needed > facts["settled_on"] else DataAfterClose.DELETED
    if facts["data_after_close"] == wanted:
        return passed("in-order", state=wanted.value, until=needed.isoformat())
    return failed("other-state", state=facts["data_after_close"], wanted=wanted.value)


def check_assessed(facts: Mapping[str, Any]) -> Finding:
    """Approved before the model worked on the case."""
    early = facts["pia_approved_at"] < facts["processing_started_at"]
    return passed("assessed-before") if early else failed("assessed-late")


PIPL_19: Final = Rule(
    id="PIPL-19",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第十九条", "Article 19"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("data_kept_until", "purpose_ends_on", "statutory_until"),
    reasons=("as-needed", "longer-than-needed"),
    check=check_period,
)
PIPL_21: Final = Rule(
    id="PIPL-21",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第二十一条", "Article 21"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("contact_maker", "entrustment_terms", "sub_entrusted"),
    only_if=Condition(
        facts=("contact_maker",),
        holds=lambda facts: facts["contact_maker"] != ContactMaker.BANK,
        otherwise="bank-itself",
    ),
    reasons=("bound", "contract-incomplete", "passed-on", "bank-itself"),
    params=(
        Parameter(
            name="terms",
            value=ENTRUSTMENT_TERMS,
            source="个人信息保护法 Art. 21",
            as_of=PERSONAL_DATA_LAW.since,
        ),
    ),
    check=check_entrusted,
)
PIPL_47: Final = Rule(
    id="PIPL-47",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第四十七条", "Article 47"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("data_after_close", "purpose_ends_on", "statutory_until", "settled_on"),
    reasons=("in-order", "other-state"),
    check=check_deletion,
)
PIPL_55: Final = Rule(
    id="PIPL-55",
    authority=PERSONAL_DATA_LAW.authority,
    citation=PERSONAL_DATA_LAW.article("第五十五条", "Article 55"),
    effective_from=PERSONAL_DATA_LAW.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("pia_approved_at", "processing_started_at"),
    reasons=("assessed-before", "assessed-late"),
    check=check_assessed,
)
