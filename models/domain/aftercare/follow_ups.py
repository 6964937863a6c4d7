"""Follow-up calls (回访): when the bank asks how a customer is doing, as data with a version. Pure.

A follow-up is care, not collection: while an agreement is kept nobody collects (CCM-70e), but the bank may ask.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from models.domain.servicing.state import ENDED, Status

MAX_NEXT_CONTACT_DAYS: Final = 60
_BROKEN: Final = frozenset({Status.DEFAULTED, Status.WRITTEN_OFF})


class FollowUpKind(StrEnum):
    """Why somebody calls."""

    WELCOME = "welcome"  # a while after activation: does the plan work?
    MISSED = "missed"  # the first missed payment is still open
    CURED = "cured"  # after a missed payment was followed up, everything is paid again
    LAST_ROW = "last-row"  # the last row falls due soon
    CLOSED = "closed"  # a while after the close: satisfaction (满意度)
    AGREED = "agreed"  # at a talk another one was agreed on


class Standing(StrEnum):
    """How an agreement stands, as far as a follow-up cares."""

    IN_ORDER = "in-order"
    OVERDUE = "overdue"
    BROKEN = "broken"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUpRule:
    """One line of the schedule.

    Attributes:
        days: from the occasion to the call; before it for `LAST_ROW`.
        fits: standings in which the call still makes sense on its day; in any other it is skipped.
        once: at most one in the life of an agreement.
    """

    kind: FollowUpKind
    days: int
    fits: frozenset[Standing]
    once: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUpSchedule:
    """All lines, and what happens when nobody is reached.

    Attributes:
        max_attempts: calls of one follow-up in all, the first included.
        retry_days: to the next attempt, unless the officer names another day.
    """

    version: str
    rules: tuple[FollowUpRule, ...]
    max_attempts: int
    retry_days: int

    def rule(self, kind: FollowUpKind) -> FollowUpRule:
        """The line of a kind."""
        return next(rule for rule in self.rules if rule.kind is kind)


_ANY: Final = frozenset(Standing)
# The bank's own policy: no law sets these days. A changed line is a new version; what is planned keeps its own.
SCHEDULE: Final = FollowUpSchedule(
    version="2026-11",
    rules=(
        FollowUpRule(kind=FollowUpKind.WELCOME, days=7, fits=frozenset({Standing.IN_ORDER, Standing.OVERDUE})),
        FollowUpRule(kind=FollowUpKind.MISSED, days=5, fits=frozenset({Standing.OVERDUE})),
        FollowUpRule(kind=FollowUpKind.CURED, days=3, fits=frozenset({Standing.IN_ORDER})),
        FollowUpRule(kind=FollowUpKind.LAST_ROW, days=7, fits=frozenset({Standing.IN_ORDER, Standing.OVERDUE})),
        FollowUpRule(kind=FollowUpKind.CLOSED, days=30, fits=frozenset({Standing.ENDED})),
        FollowUpRule(kind=FollowUpKind.AGREED, days=0, fits=_ANY, once=False),
    ),
    max_attempts=3,
    retry_days=3,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Occasion:
    """Why a customer is to be called: which agreement, what happened on which date, and when the call is due."""

    agreement_id: str
    kind: FollowUpKind
    anchor: date
    due_on: date


def standing_of(*, status: str, days_past_due: int) -> Standing:
    """How an agreement stands, from the figures that are kept beside it."""
    known = Status(status)
    if known in ENDED:
        return Standing.ENDED
    if known in _BROKEN:
        return Standing.BROKEN
    return Standing.OVERDUE if days_past_due > 0 else Standing.IN_ORDER


def follow_up_key(agreement_id: str, kind: FollowUpKind, *, anchor: date, attempt: int) -> str:
    """The business key under which a follow-up exists once; of kinds that come once, whatever the date."""
    occasion = "once" if SCHEDULE.rule(kind).once else anchor.isoformat()
    return f"{agreement_id}/{kind}/{occasion}/{attempt}"


def next_attempt_on(today: date, *, in_days: int | None) -> date:
    """The business date of the next attempt."""
    return today + timedelta(days=SCHEDULE.retry_days if in_days is None else in_days)
