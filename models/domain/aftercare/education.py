"""Education for customers (金融知识教育): which topics fit which situation, as data with a version. Pure.

The words stand in the catalogues under `education.<topic>.title` and `.body`.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from models.domain.aftercare.follow_ups import Standing

EDUCATION_VERSION: Final = "2026-11"
# The last row so near counts as closing.
_CLOSING_WITHIN: Final = timedelta(days=31)


class Situation(StrEnum):
    """Where a customer stands with their agreement."""

    IN_TIME = "in-time"  # 正常还款
    MISSED = "missed"  # 逾期
    PREPAYING = "prepaying"  # 提前还款
    CLOSING = "closing"  # 即将或已经结清


class Topic(StrEnum):
    """What there is to read."""

    BUDGET = "budget"
    KEEP_ON_TIME = "keep-on-time"
    TALK_TO_US = "talk-to-us"
    LATE_COST = "late-cost"
    CREDIT_RECORD = "credit-record"
    EARLY_PAYMENT = "early-payment"
    AFTER_CLOSE = "after-close"
    SOUND_BORROWING = "sound-borrowing"
    FRAUD = "fraud"
    YOUR_RIGHTS = "your-rights"


TOPICS: Final[Mapping[Situation, tuple[Topic, ...]]] = {
    Situation.IN_TIME: (Topic.KEEP_ON_TIME, Topic.BUDGET, Topic.CREDIT_RECORD, Topic.FRAUD),
    Situation.MISSED: (Topic.TALK_TO_US, Topic.LATE_COST, Topic.CREDIT_RECORD, Topic.FRAUD, Topic.YOUR_RIGHTS),
    Situation.PREPAYING: (Topic.EARLY_PAYMENT, Topic.BUDGET, Topic.SOUND_BORROWING),
    Situation.CLOSING: (Topic.AFTER_CLOSE, Topic.CREDIT_RECORD, Topic.SOUND_BORROWING, Topic.FRAUD),
}


def situation_of(standing: Standing, *, last_due: date | None, prepays: bool, today: date) -> Situation:
    """The situation of an agreement; what is overdue comes before everything else.

    Args:
        standing: of the agreement.
        last_due: of its last row.
        prepays: a quote to settle is open, or something was paid early of late.
        today: the business date.
    """
    if standing is Standing.ENDED:
        return Situation.CLOSING
    if standing in (Standing.OVERDUE, Standing.BROKEN):
        return Situation.MISSED
    if prepays:
        return Situation.PREPAYING
    near = last_due is not None and last_due - today <= _CLOSING_WITHIN
    return Situation.CLOSING if near else Situation.IN_TIME
