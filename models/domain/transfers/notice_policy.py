"""How a transfer's customers are told (告知方式): channels in order, quiet hours, tries, rests, how long to wait.

The bank's figures stand in the approved plan under `notices`; what it does not name is as here. Times of day are those
of Shanghai (docs/transfer-notices.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from models.domain.shanghai import SHANGHAI

_DAY_S: Final = 24 * 3600
_MOST_S: Final = 400 * _DAY_S
_MOST_TRIES: Final = 20
_LONGEST_REST_S: Final = 6 * 3600
_DOUBLINGS: Final = 12


class Way(StrEnum):
    """A channel of a transfer's notices. `PUBLIC` is never chosen: it is what is left (公告)."""

    SMS = "sms"
    EMAIL = "email"
    POST = "post"
    PUBLIC = "public"


# By which nobody is woken: a letter lies in the box until its reader gets up.
ROUSING: Final = frozenset({Way.SMS, Way.EMAIL})
# A mail server tells of what it could not deliver and is silent otherwise: silence for long enough is delivery.
# A provider of text messages and the post tell of what they delivered: their silence proves nothing.
SILENCE_DELIVERS: Final = frozenset({Way.EMAIL})


class PlanFault(ValueError):
    """A figure of the plan cannot be used; the words name the field and what it may be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticePolicy:
    """What a job does to tell its customers.

    Attributes:
        channels: in the order in which they are tried; each at most once.
        quiet_from: beginning of the hours in which nobody is roused.
        quiet_until: their end; equal to the beginning: there are none.
        tries: on one channel, of a provider that does not answer.
        rest_s: seconds before the second try; each later rest is twice the one before, at most six hours.
        waits_s: seconds until a channel's silence means something (`SILENCE_DELIVERS`).
        link_days: how long the customer's link lives.
        consent_days: how long an answer to the request for consent is waited for; then the row is held.
        answer_days: within which a follow-up is answered (policy; the law says 及时).
    """

    channels: tuple[Way, ...] = (Way.SMS, Way.EMAIL, Way.POST)
    quiet_from: time = time(22)
    quiet_until: time = time(8)
    tries: int = 3
    rest_s: int = 600
    waits_s: Mapping[Way, int] = field(
        default_factory=lambda: {Way.SMS: _DAY_S, Way.EMAIL: 3 * _DAY_S, Way.POST: 30 * _DAY_S}
    )
    link_days: int = 60
    consent_days: int = 30
    answer_days: int = 15

    def rest(self, tries: int) -> timedelta:
        """How long to rest after so many tries of one attempt."""
        return timedelta(seconds=min(_LONGEST_REST_S, self.rest_s * 2 ** min(max(tries - 1, 0), _DOUBLINGS)))

    def wait(self, way: Way) -> timedelta:
        """How long a receipt is waited for."""
        return timedelta(seconds=self.waits_s[way])

    def next_way(self, after: Way | None) -> Way:
        """The channel behind one; the first for None; `PUBLIC` behind the last, and behind one that is not in order."""
        if after is None:
            return self.channels[0] if self.channels else Way.PUBLIC
        later = self.channels[self.channels.index(after) + 1 :] if after in self.channels else ()
        return later[0] if later else Way.PUBLIC

    def may_rouse(self, way: Way, now: datetime) -> datetime:
        """`now`, or the end of the quiet hours if the channel would wake somebody."""
        if way not in ROUSING or self.quiet_from == self.quiet_until:
            return now
        here = now.astimezone(SHANGHAI)
        at = here.time()
        if self.quiet_from > self.quiet_until:  # over midnight
            is_quiet = at >= self.quiet_from or at < self.quiet_until
            day = here.date() + timedelta(days=at >= self.quiet_from)
        else:
            is_quiet, day = self.quiet_from <= at < self.quiet_until, here.date()
        return datetime.combine(day, self.quiet_until, tzinfo=SHANGHAI) if is_quiet else now


def notice_policy(plan: Mapping[str, Any]) -> NoticePolicy:
    """The policy of an approved plan.

    Raises:
        PlanFault: a figure is outside of what it may be, or a channel unknown, named twice or `public`.
    """
    told = plan.get("notices") or {}
    if not isinstance(told, Mapping):
        raise PlanFault("notices: is no table of figures")
    standard = NoticePolicy()
    waits = told.get("waits") or {}
    if not isinstance(waits, Mapping):
        raise PlanFault("notices.waits: is no table of seconds by channel")
    return NoticePolicy(
        channels=_channels(told.get("channels", standard.channels)),
        quiet_from=_hour(told, "quiet_from", standard.quiet_from),
        quiet_until=_hour(told, "quiet_until", standard.quiet_until),
        tries=_figure(told, "tries", standard.tries, least=1, most=_MOST_TRIES),
        rest_s=_figure(told, "rest_seconds", standard.rest_s, least=0, most=_LONGEST_REST_S),
        waits_s={way: _figure(waits, way, standard.waits_s[way], least=0, most=_MOST_S) for way in standard.waits_s},
        link_days=_figure(told, "link_days", standard.link_days, least=1, most=400),
        consent_days=_figure(told, "consent_days", standard.consent_days, least=0, most=400),
        answer_days=_figure(told, "answer_days", standard.answer_days, least=1, most=60),
    )


def _channels(named: Any) -> tuple[Way, ...]:
    if not isinstance(named, list | tuple):
        raise PlanFault("notices.channels: is no list")
    try:
        ways = tuple(Way(each) for each in named)
    except ValueError:
        raise PlanFault("notices.channels: sms, email and post are known") from None
    if Way.PUBLIC in ways or len(set(ways)) < len(ways):
        raise PlanFault("notices.channels: each channel once; the public notice comes last by itself")
    return ways


def _hour(told: Mapping[str, Any], name: str, standard: time) -> time:
    value = told.get(name)
    if value is None:
        return standard
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        raise PlanFault(f"notices.{name}: is no time of day such as 22:00") from None


def _figure(told: Mapping[str, Any], name: str, standard: int, *, least: int, most: int) -> int:
    value = told.get(name, standard)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PlanFault(f"notices.{name}: is no number from {least} to {most}")
    return value
