"""When a run stops by itself and asks a person (熔断): by the rate of failures, or by an amount. Pure.

Every limit holds the figure itself: what reaches it goes on, what is above it stops. The house's own rules rest on
商业银行法 Art. 73 (no debit without cause): a run that goes wrong is stopped before more of it does.
"""

from dataclasses import dataclass, field
from typing import Final

from models.domain.batches.versioned import FULL_BPS

FAILURE_RATE: Final = "failure-rate"
AMOUNT_LIMIT: Final = "amount-limit"
ROW_LIMIT: Final = "row-limit"
DAY_LIMIT: Final = "day-limit"
CODES: Final = (ROW_LIMIT, AMOUNT_LIMIT, DAY_LIMIT, FAILURE_RATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a run may do before a person looks. Amounts are minor units; None: no limit.

    Attributes:
        failure_bps: failed of answered rows, in basis points; 10,000 never stops.
        at_least: rows answered before the rate means anything.
        row_minor: of one order.
        run_minor: of all orders of the run.
        day_minor: of all orders of the tenant on one day, other runs included.
    """

    failure_bps: int
    at_least: int = 50
    row_minor: int | None = None
    run_minor: int | None = None
    day_minor: int | None = None

    def __post_init__(self) -> None:
        """Refuse what could never be reached, or is no limit."""
        if not 0 <= self.failure_bps <= FULL_BPS or self.at_least < 1:
            raise ValueError("a failure rate is 0 to 10000 basis points, of one row or more")
        if any(limit is not None and limit < 0 for limit in (self.row_minor, self.run_minor, self.day_minor)):
            raise ValueError("an amount is not below zero")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What is known when it is asked.

    Attributes:
        answered: rows that have an outcome so far.
        failed: of these, without the effect wanted.
        run_minor: of the orders that the run has made so far.
        day_minor: of the tenant's orders of the day so far, those of this run included.
        next_minor: orders that are about to be made, each.
    """

    answered: int = 0
    failed: int = 0
    run_minor: int = 0
    day_minor: int = 0
    next_minor: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuse figures that cannot be."""
        if not 0 <= self.failed <= self.answered:
            raise ValueError("what failed was answered")
        if min(self.run_minor, self.day_minor, *self.next_minor) < 0:
            raise ValueError("an amount is not below zero")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """Why the run stops: `batch-breaker.<code>` is the text, with the figure seen and the limit."""

    code: str
    params: dict[str, str | int] = field(default_factory=dict)


def breaks(limits: Limits, seen: Figures) -> Stop | None:
    """Why a run stops before the next orders are made; None: it goes on.

    The amounts come first: what they would stop has not happened yet. A rate is compared by cross-multiplication, so
    that no rounding decides.
    """
    coming = sum(seen.next_minor)
    for code, limit, figure in (
        (ROW_LIMIT, limits.row_minor, max(seen.next_minor, default=0)),
        (AMOUNT_LIMIT, limits.run_minor, seen.run_minor + coming),
        (DAY_LIMIT, limits.day_minor, seen.day_minor + coming),
    ):
        if limit is not None and figure > limit:
            return Stop(code=code, params={"amount": figure, "limit": limit})
    if seen.answered >= limits.at_least and seen.failed * FULL_BPS > limits.failure_bps * seen.answered:
        rate = seen.failed * FULL_BPS // seen.answered
        params: dict[str, str | int] = {"failed": seen.failed, "answered": seen.answered, "rate": rate}
        return Stop(code=FAILURE_RATE, params=params | {"limit": limits.failure_bps})
    return None
