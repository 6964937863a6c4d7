"""What the results of a run suggest (改进建议): figures in, suggestions out; a person adopts or dismisses each. Pure.

The thresholds are the bank's choice: a suggestion needs enough orders to rest on, and a difference that is worth it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

FULL_BPS: Final = 10_000
LEAST_ON_A_DAY: Final = 30  # orders, before a day of the month means anything
WORTH_BPS: Final = 1_000  # by so much a day has to be better
LEAST_RETRIED: Final = 20
HOPELESS_BPS: Final = 500  # of tries again that succeed: below this they cost customers notices and nothing else
LEAST_REFUSED: Final = 10
MANY_BPS: Final = 200  # of all orders
LEAST_SCORES: Final = 5
LOW_SCORE_PERCENT: Final = 200  # an average of 2 of 5
# Refusals that somebody could have known of before the run: account wrong, closed or blocked; no mandate.
KNOWABLE: Final = frozenset({"AC01", "AC04", "AC06", "MD01", "MD02", "no-mandate", "mandate-revoked"})


@dataclass(frozen=True, kw_only=True, slots=True)
class DayResult:
    """Orders of one day of the month: how many, and how many of them settled."""

    day: int
    orders: int
    settled: int

    @property
    def rate_bps(self) -> int:
        """Settled of all, in basis points, cut off downwards."""
        return self.settled * FULL_BPS // self.orders if self.orders else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReasonResult:
    """Orders that ended for one reason; of these, tried again, and settled then."""

    reason: str
    orders: int
    retried: int = 0
    retried_settled: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicResult:
    """Feedback on one topic; `scores` add up to `score_sum`, each 1 to 5."""

    topic: str
    scores: int
    score_sum: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Suggested:
    """One suggestion.

    Attributes:
        code: what it is about; behind a slash, the reason or topic.
        basis: the figures that it rests on.
        change: what would become of the rule set.
    """

    code: str
    basis: dict[str, Any]
    change: dict[str, Any]


def suggest(
    *, orders: int, days: Sequence[DayResult], reasons: Iterable[ReasonResult], topics: Iterable[TopicResult]
) -> tuple[Suggested, ...]:
    """All that the figures suggest, by code."""
    reasons = tuple(reasons)
    found = [*_day(days), *_retries(reasons), *_checks(orders, reasons), *_topics(topics)]
    return tuple(sorted(found, key=lambda each: each.code))


def _day(days: Sequence[DayResult]) -> Iterator[Suggested]:
    enough = [each for each in days if each.orders >= LEAST_ON_A_DAY]
    if len(enough) < 2:  # noqa: PLR2004 - two days, to compare
        return
    best = max(enough, key=lambda each: (each.rate_bps, each.orders, -each.day))
    worst = min(enough, key=lambda each: (each.rate_bps, -each.orders, each.day))
    if best.rate_bps - worst.rate_bps >= WORTH_BPS:
        shown = [
            {"day": each.day, "orders": each.orders, "settled": each.settled, "rateBps": each.rate_bps}
            for each in sorted(enough, key=lambda each: each.day)
        ]
        yield Suggested(
            code="presentment-day", basis={"days": shown}, change={"fromDay": worst.day, "presentmentDay": best.day}
        )


def _retries(reasons: Iterable[ReasonResult]) -> Iterator[Suggested]:
    for each in reasons:
        if each.retried >= LEAST_RETRIED and each.retried_settled * FULL_BPS < HOPELESS_BPS * each.retried:
            yield Suggested(
                code=f"retry-stop/{each.reason}",
                basis={"retried": each.retried, "settled": each.retried_settled},
                change={"reason": each.reason, "retry": False},
            )


def _checks(orders: int, reasons: Iterable[ReasonResult]) -> Iterator[Suggested]:
    for each in reasons:
        many = each.orders >= LEAST_REFUSED and each.orders * FULL_BPS >= MANY_BPS * orders
        if each.reason in KNOWABLE and many:
            yield Suggested(
                code=f"check-before/{each.reason}",
                basis={"orders": each.orders, "of": orders},
                change={"reason": each.reason, "excludeBefore": True},
            )


def _topics(topics: Iterable[TopicResult]) -> Iterator[Suggested]:
    for each in topics:
        if each.scores >= LEAST_SCORES and each.score_sum * 100 <= LOW_SCORE_PERCENT * each.scores:
            yield Suggested(
                code=f"feedback/{each.topic}",
                basis={"scores": each.scores, "scoreSum": each.score_sum},
                change={"topic": each.topic, "review": True},
            )
