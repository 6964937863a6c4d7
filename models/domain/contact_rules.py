"""What the contact log (沟通记录) shows of a person: how often they were called, whether they can be reached. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from models.domain.application import ContactChannel, ContactResult
from models.domain.rule_words import LostBy

# Somebody else, or nobody, was there: no effective call (有效通话).
UNANSWERED: Final = frozenset({ContactResult.NOT_REACHED, ContactResult.NUMBER_INVALID, ContactResult.WRONG_PERSON})
# When a debtor counts as lost (失联), by the banking association's guide: so many dials in vain on one day and again
# on the next, or so many days in a row in vain.
_DIALS_IN_VAIN: Final = 3
_DAYS_IN_VAIN: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One attempt of ours to reach a person: the day in Shanghai, by which way, with what result."""

    day: date
    channel: ContactChannel
    result: ContactResult


def dials_on(attempts: Iterable[Attempt], day: date) -> int:
    """Calls of a day, answered or not."""
    return sum(1 for each in attempts if each.day == day and each.channel is ContactChannel.PHONE)


def effective_calls_on(attempts: Iterable[Attempt], day: date) -> int:
    """Calls of a day that the person answered."""
    calls = (each for each in attempts if each.day == day and each.channel is ContactChannel.PHONE)
    return sum(1 for call in calls if call.result not in UNANSWERED)


def lost_by(attempts: Iterable[Attempt]) -> LostBy:
    """How the log proves that the debtor cannot be reached (失联); the attempts are in order of time.

    Any answer ends it. COLL-CBA-3P: a number that is not in use; three dials in a row in vain and one more on the next
    day; or three days in a row.
    """
    in_vain: dict[date, int] = {}
    invalid = False
    for attempt in attempts:
        if attempt.channel is not ContactChannel.PHONE:
            continue
        if attempt.result in UNANSWERED:
            in_vain[attempt.day] = in_vain.get(attempt.day, 0) + 1
            invalid = attempt.result is ContactResult.NUMBER_INVALID
        else:
            in_vain.clear()
            invalid = False
    if invalid:
        return LostBy.NUMBER_INVALID
    if any(count >= _DIALS_IN_VAIN and in_vain.get(day + timedelta(days=1), 0) for day, count in in_vain.items()):
        return LostBy.THREE_DIALS_NEXT_DAY
    if any(all(day + timedelta(days=more) in in_vain for more in range(_DAYS_IN_VAIN)) for day in in_vain):
        return LostBy.THREE_DAYS
    return LostBy.NOT_LOST
