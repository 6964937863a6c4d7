"""The closed words of the rule desk: what two persons settle, and how far a re-evaluation has come."""

from enum import StrEnum


class DraftKind(StrEnum):
    """What is drafted by one person and approved by another."""

    POLICY = "policy"  # figures and switches of the rules (行内参数、开关)
    CALENDAR = "calendar"  # bank days of one year (银行工作日历)


class DraftState(StrEnum):
    """What became of a draft."""

    DRAFTED = "DRAFTED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class PassState(StrEnum):
    """A re-evaluation: waiting or under way, or over."""

    RUNNING = "RUNNING"
    DONE = "DONE"
