"""The course of one customer's notice: what each event does to it, as a pure function.

Whatever happens in whatever order, a notice is in one state; it is `TOLD` only with an event that proves it, and what
was proved false (a bounce of the very attempt that told) opens it again.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from models.domain.transfers.notice_policy import SILENCE_DELIVERS, NoticePolicy, Way
from models.domain.transfers.states import TOLD, NoticeState


class AttemptState(StrEnum):
    """One attempt by one channel."""

    SENDING = "sending"  # on record, and perhaps handed over: repeated under the same key
    HANDED_OVER = "handed-over"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"


class Event(StrEnum):
    """What may happen to a notice."""

    HANDED_OVER = "handed-over"  # the provider has taken it
    NO_ANSWER = "no-answer"  # the provider did not answer
    REFUSED = "refused"  # the provider refused it for good, or there is no contact point
    DELIVERED = "delivered"  # a receipt
    BOUNCED = "bounced"  # a report of failure
    SILENCE = "silence"  # the wait for a receipt is over
    OPENED = "opened"  # the customer has come by the link
    OBJECTED = "objected"  # the customer objects
    PUBLISHED = "published"  # the public notice is out


# What a customer does proves more than what any provider says later.
SURE: Final = frozenset({NoticeState.OBJECTION, NoticeState.PUBLIC_NOTICE, NoticeState.EXEMPT})


@dataclass(frozen=True, slots=True)
class Course:
    """Where a notice stands.

    Attributes:
        way: the channel at work, or the one that told; `PUBLIC`: only the public notice is left.
        tries: of the attempt at work.
        due_at: when something is to be done next: a try, or the end of a wait.
        seen: the customer has come by the link: no bounce undoes that.
    """

    state: NoticeState
    way: Way
    due_at: datetime
    tries: int = 0
    seen: bool = False

    @property
    def is_told(self) -> bool:
        """Whether the customer is told, with proof."""
        return self.state in TOLD


def begin(policy: NoticePolicy, now: datetime) -> Course:
    """A notice that is to be sent."""
    return Course(NoticeState.PENDING, policy.next_way(None), now)


def after(course: Course, event: Event, *, way: Way, policy: NoticePolicy, now: datetime) -> Course:
    """Where the notice stands after an event of an attempt by `way`.

    An event that comes late, twice, or about an attempt that others have overtaken changes nothing but what it proves.
    """
    if course.state is NoticeState.EXEMPT:
        return course
    match event:
        case Event.OBJECTED:
            return replace(course, state=NoticeState.OBJECTION, due_at=now, seen=True)
        case Event.OPENED:
            opened = replace(course, seen=True)
            return opened if course.is_told else _told(opened, way, policy, now)
        case Event.DELIVERED:
            return course if course.is_told else _told(course, way, policy, now)
        case Event.BOUNCED:
            return _bounced(course, way, policy, now)
        case Event.PUBLISHED:
            waits = course.state is NoticeState.PENDING and course.way is Way.PUBLIC
            return replace(course, state=NoticeState.PUBLIC_NOTICE, due_at=now) if waits else course
        case _:
            at_work = not course.is_told and course.way is way and way is not Way.PUBLIC
            return _at_work(course, event, policy, now) if at_work else course


def _at_work(course: Course, event: Event, policy: NoticePolicy, now: datetime) -> Course:
    """What becomes of the attempt under way."""
    is_sent = course.state is NoticeState.SENT
    if event is Event.HANDED_OVER:
        if is_sent:
            return course
        return replace(course, state=NoticeState.SENT, due_at=now + policy.wait(course.way), tries=course.tries + 1)
    if event is Event.NO_ANSWER and not is_sent:
        tries = course.tries + 1
        if tries < policy.tries:
            return replace(course, tries=tries, due_at=now + policy.rest(tries))
        return _next(course, policy, now)
    if event is Event.REFUSED and not is_sent:
        return _next(course, policy, now)
    if event is Event.SILENCE and is_sent:
        return _told(course, course.way, policy, now) if course.way in SILENCE_DELIVERS else _next(course, policy, now)
    return course


def _told(course: Course, way: Way, policy: NoticePolicy, now: datetime) -> Course:
    first = way is policy.next_way(None)
    state = NoticeState.DELIVERED if first else NoticeState.FALLBACK_DELIVERED
    return replace(course, state=state, way=way, due_at=now)


def _bounced(course: Course, way: Way, policy: NoticePolicy, now: datetime) -> Course:
    """A failure that is reported, early or late: it undoes what this very channel had told, unless the person came."""
    if course.state in SURE or course.seen or course.way is not way or way is Way.PUBLIC:
        return course
    return _next(course, policy, now)


def _next(course: Course, policy: NoticePolicy, now: datetime) -> Course:
    return replace(course, state=NoticeState.PENDING, way=policy.next_way(course.way), tries=0, due_at=now)
