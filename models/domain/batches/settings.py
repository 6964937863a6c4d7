"""What a run is bound to from its approval on: breakers, window, cut-off. Pure values; figures of a bank are data."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Final

from models.domain.batches.breakers import Limits

MOST_CHUNK_ROWS: Final = 500  # a chunk is one transaction
MOST_AT_ONCE: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSettings:
    """How a run is executed; its hash is part of what is approved.

    Attributes:
        breaker: when it stops by itself.
        chunk_rows: rows of one chunk, at most 500 (a chunk is one transaction).
        window: chunks under way at once, 1 to 8.
        cut_off: time of day in Shanghai after which no file leaves any more (截止时间).
        return_days: business days after settlement within which money may come back (退回期).
        answer_days: business days after which an order without an answer ends as unanswered, by a person's word.
        closes_itself: no person closes it where it reconciles to the cent (the daily run's).
    """

    breaker: Limits
    chunk_rows: int = 100
    window: int = 4
    cut_off: time = time(17, 0)
    return_days: int = 2
    answer_days: int = 10
    closes_itself: bool = False

    def __post_init__(self) -> None:
        """Refuse what would break a promise about transactions or memory."""
        if not 1 <= self.chunk_rows <= MOST_CHUNK_ROWS or not 1 <= self.window <= MOST_AT_ONCE:
            raise ValueError("a chunk has 1 to 500 rows, a window 1 to 8 chunks")


DEFAULTS: Final = RunSettings(breaker=Limits(failure_bps=2_000))


def read_settings(kept: Mapping[str, Any]) -> RunSettings:
    """The settings of a run from its record; what is not said is as in `DEFAULTS`.

    Args:
        kept: `failureBps`, `atLeast`, `amountMinor`, `chunkRows`, `window`, `cutOff` (HH:MM[:SS]), `returnDays`,
            `answerDays`, `closesItself`, each of them may be left out.

    Raises:
        ValueError: a figure outside its bounds.
    """
    breaker = Limits(
        failure_bps=int(kept.get("failureBps", DEFAULTS.breaker.failure_bps)),
        at_least=int(kept.get("atLeast", DEFAULTS.breaker.at_least)),
        run_minor=int(kept["amountMinor"]) if kept.get("amountMinor") is not None else None,
    )
    cut_off = kept.get("cutOff")
    return RunSettings(
        breaker=breaker,
        chunk_rows=int(kept.get("chunkRows", DEFAULTS.chunk_rows)),
        window=int(kept.get("window", DEFAULTS.window)),
        cut_off=time.fromisoformat(cut_off) if cut_off is not None else DEFAULTS.cut_off,
        return_days=int(kept.get("returnDays", DEFAULTS.return_days)),
        answer_days=int(kept.get("answerDays", DEFAULTS.answer_days)),
        closes_itself=bool(kept.get("closesItself", DEFAULTS.closes_itself)),
    )
