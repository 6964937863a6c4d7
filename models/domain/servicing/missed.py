"""The ladder of a missed payment (逾期阶梯) as data, and the news for the case that a day's change makes.

A case in servicing hears nothing while rows are paid as agreed; it hears only what changes its next step, once per kind
and business date.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from models.domain.servicing.state import ENDED, State, Status

FIRST_MISSED: Final = "FIRST_MISSED"
DEFAULT: Final = "DEFAULT"
CURED: Final = "CURED"
PAID_OFF: Final = "PAID_OFF"
REOPENED: Final = "REOPENED"  # a payment came back after the last row had been paid


@dataclass(frozen=True, kw_only=True, slots=True)
class Rung:
    """A step of the ladder: news of `kind` once the agreement is `days` past due."""

    days: int
    kind: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ladder:
    """Which day past due brings which news; ascending, with a version that is stored beside every piece of news."""

    version: str
    source: str
    rungs: tuple[Rung, ...]

    def __post_init__(self) -> None:
        """Refuse rungs out of order or twice."""
        days = [rung.days for rung in self.rungs]
        kinds = {rung.kind for rung in self.rungs}
        if not days or days != sorted(set(days)) or days[0] < 1 or len(kinds) != len(days):
            raise ValueError("rungs ascend from day 1, each kind once")


DEFAULT_LADDER: Final = Ladder(
    version="missed-ladder/2026-01",
    source="product default, provisional: no law fixes the days; the agreement says when it is broken (CCM-70c)",
    rungs=(
        Rung(days=1, kind=FIRST_MISSED),
        Rung(days=7, kind="DPD_7"),
        Rung(days=30, kind="DPD_30"),
        Rung(days=60, kind="DPD_60"),
        Rung(days=91, kind=DEFAULT),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Something that changes the next step of the case."""

    kind: str
    business_date: date
    days_past_due: int

    @property
    def key(self) -> tuple[str, date]:
        """What makes telling it twice harmless."""
        return self.kind, self.business_date


def news(before: State | None, after: State, *, ladder: Ladder = DEFAULT_LADDER) -> tuple[News, ...]:
    """What became true between two states, in the order in which a case should hear it.

    A late return can bring several rungs at once. Paying one of several missed rows lowers the days past due and is no
    news; rungs below are told again when they are reached again. An end tells itself only.
    """
    if after.status in (Status.PENDING, Status.WRITTEN_OFF):
        return ()
    ended, was_ended = after.status in ENDED, before is not None and before.status in ENDED
    was = before.days_past_due if before is not None else 0
    now = after.days_past_due
    kinds = []
    if ended:
        kinds = [] if was_ended else [PAID_OFF]
    else:
        if was_ended:
            kinds.append(REOPENED)
        first = ladder.rungs[0].days
        kinds.extend(rung.kind for rung in ladder.rungs if was < rung.days <= now and _is_new(rung.kind, after))
        if now == 0 and was >= first and not was_ended:
            kinds.append(CURED)
    return tuple(News(kind=kind, business_date=after.as_of, days_past_due=now) for kind in kinds)


def _is_new(kind: str, after: State) -> bool:
    return kind != DEFAULT or not after.defaulted
