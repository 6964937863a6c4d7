"""Impact assessments (个人信息保护影响评估): what asks for one, what it concludes, how long it is kept.

个人信息保护法 Art. 55 names the occasions, Art. 56 the three parts of the content and the three years for which report
and record are kept. For how long an assessment is good the law does not say: that is the bank's policy.
"""

from datetime import date
from enum import StrEnum
from typing import Final

KEPT_YEARS: Final = (
    3  # 个人信息保护法 Art. 56(2), at least; counted from the end of validity, which is later than asked
)
SET_UP_VALID_YEARS: Final = 3  # bank policy: of what an institution brings along at set-up
BATCH_ACTIVITY: Final = "batches"  # the processing that the same rule asks about at the gate of a cohort
MODEL_ACTIVITY: Final = "affordability-model"  # the processing that rule PIPL-55 asks about at the negotiation gate


class AssessmentTrigger(StrEnum):
    """Why an assessment is needed (个人信息保护法 Art. 55)."""

    SENSITIVE_DATA = "sensitive-data"  # 处理敏感个人信息
    AUTOMATED_DECISION = "automated-decision"  # 自动化决策
    ENTRUSTMENT = "entrustment"  # 委托处理
    PROVISION = "provision"  # 向其他个人信息处理者提供
    PUBLICATION = "publication"  # 公开
    CROSS_BORDER = "cross-border"  # 向境外提供
    GREAT_INFLUENCE = "great-influence"  # 其他对个人权益有重大影响


class Conclusion(StrEnum):
    """What an assessment comes to."""

    PROCEED = "proceed"
    PROCEED_WITH_MEASURES = "proceed-with-measures"
    DO_NOT_PROCEED = "do-not-proceed"


class AssessmentState(StrEnum):
    """Where an assessment stands; one that is approved is good until its last day."""

    DRAFT = "DRAFT"
    REVIEW = "REVIEW"
    APPROVED = "APPROVED"


ALLOWING: Final = (Conclusion.PROCEED, Conclusion.PROCEED_WITH_MEASURES)


def years_after(day: date, years: int) -> date:
    """The same day some years later; of 29 February the 28th, where that year has none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def kept_until(*, approved_on: date, valid_until: date) -> date:
    """The day until which report and record are kept: three years from the later of the two."""
    return years_after(max(approved_on, valid_until), KEPT_YEARS)
