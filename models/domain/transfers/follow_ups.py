"""Follow-ups of a transfer (回访): what customers ask and what comes back, each with its clock and its answer."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

from models.domain.form_base import Form
from models.domain.roles import Role


class FollowUpKind(StrEnum):
    """What a person is asked to see to."""

    BOUNCE = "bounce"  # no channel is left: find another way to reach the customer
    OBJECTION = "objection"  # 异议, PIPL-44
    CORRECTION = "correction"  # 更正, PIPL-46
    ERASURE = "erasure"  # 删除, PIPL-47
    ACCURACY = "accuracy"  # a moved record that does not pass the periodic check, PIPL-8


# What the customer asked for, and so is told the answer of.
ASKED_BY_CUSTOMER: Final = frozenset({FollowUpKind.OBJECTION, FollowUpKind.CORRECTION, FollowUpKind.ERASURE})
ROLE: Final[Mapping[FollowUpKind, Role]] = {
    FollowUpKind.BOUNCE: Role.CASE_OFFICER,
    FollowUpKind.OBJECTION: Role.PRIVACY_OFFICER,
    FollowUpKind.CORRECTION: Role.CASE_OFFICER,
    FollowUpKind.ERASURE: Role.PRIVACY_OFFICER,
    FollowUpKind.ACCURACY: Role.CASE_OFFICER,
}
PRIORITY: Final[Mapping[FollowUpKind, int]] = {
    FollowUpKind.BOUNCE: 50,
    FollowUpKind.OBJECTION: 75,
    FollowUpKind.CORRECTION: 65,
    FollowUpKind.ERASURE: 75,
    FollowUpKind.ACCURACY: 60,
}
# The longest clock of each kind; the plan's `answer_days` may only shorten it. Chinese law counts no days here
# (个人信息保护法 Art. 50: 及时); the figures are policy.
LONGEST: Final[Mapping[FollowUpKind, timedelta]] = {
    FollowUpKind.BOUNCE: timedelta(days=10),
    FollowUpKind.OBJECTION: timedelta(days=15),
    FollowUpKind.CORRECTION: timedelta(days=15),
    FollowUpKind.ERASURE: timedelta(days=15),
    FollowUpKind.ACCURACY: timedelta(days=10),
}

ResolvedAnswer = Literal["done", "data-corrected", "contact-updated", "erasure-opened", "transfer-stopped", "explained"]
DismissedAnswer = Literal["law-requires-keeping", "data-right", "not-the-customer", "cannot-be-reached"]


class FollowUpResolved(Form):
    """What was asked for is done; the reason says how (办结)."""

    outcome: Literal["resolve"]
    reason_code: ResolvedAnswer


class FollowUpDismissed(Form):
    """It is not done, for a reason that the customer is told (不予办理, 个人信息保护法 Art. 50)."""

    outcome: Literal["dismiss"]
    reason_code: DismissedAnswer
