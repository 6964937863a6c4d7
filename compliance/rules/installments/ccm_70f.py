"""CCM-70f: an oral agreement is recorded, and the recording kept until the debt is settled (电话协商录音).

商业银行信用卡业务监督管理办法 Art. 70. The duty to record was seen quoted; how long the recording is kept
(截至欠款结清日) was not, so that half is a rule of its own and provisional.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_MEASURES
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import AgreementForm

_ORAL: Final = Condition(
    facts=("agreement_form",),
    holds=lambda facts: facts["agreement_form"] == AgreementForm.ORAL,
    otherwise="not-oral",
)


def check_recorded(facts: Mapping[str, Any]) -> Finding:
    """The recording is in the archive."""
    return passed("recorded") if facts["recording_archived"] else failed("not-recorded")


def check_kept(facts: Mapping[str, Any]) -> Finding:
    """Kept to the day of settlement, that day included."""
    until, settled = facts["recording_kept_until"], facts["settled_on"]
    days = {"until": until.isoformat(), "settled": settled.isoformat()}
    return passed("kept", **days) if until >= settled else failed("gone-too-early", **days)


CCM_70F: Final = Rule(
    id="CCM-70f",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("agreement_form", "recording_archived"),
    only_if=_ORAL,
    reasons=("recorded", "not-recorded", "not-oral"),
    check=check_recorded,
)
CCM_70F_KEEP: Final = Rule(
    id="CCM-70f-KEEP",
    authority=CARD_MEASURES.authority,
    citation=CARD_MEASURES.article("第七十条", "Article 70"),
    effective_from=CARD_MEASURES.since,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    facts=asks("agreement_form", "recording_kept_until", "settled_on"),
    only_if=_ORAL,
    reasons=("kept", "gone-too-early", "not-oral"),
    check=check_kept,
)
