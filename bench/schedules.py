"""Schedules a second on one core, beside a bare loop of the same decimal arithmetic; and a whole quote."""

from collections.abc import Callable, Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from time import perf_counter
from typing import Any

from bench.registry import Figure, Floor, measures
from models.domain.schedules.build import build_schedule
from models.domain.schedules.conventions import CONVENTIONS
from models.domain.schedules.quote_form import QuoteForm, quote
from models.domain.schedules.request import Balance, ScheduleRequest

ROWS = 24
TIMES = 3_000
_NAMES = ("cn-level", "cn-level-daily-365", "cn-equal-principal", "fineract-progressive-actual-actual", "opencbs-flat")


@measures("schedules")
def schedules(scale: float) -> Iterable[Figure]:
    """24 rows by several conventions; the floor is a level loop without dates, checks or rows."""
    times = max(50, int(TIMES * scale))
    floor = Floor(name="bare decimal loop", value=_per_second(_bare, times))
    for name in _NAMES:
        request = _request(name)
        rate = _per_second(lambda request=request: build_schedule(request), times)
        yield Figure(name=f"schedules of {ROWS} rows, {name}", value=rate, unit="schedules/s", floor=floor)
    form = QuoteForm.model_validate(
        {"start": date(2026, 1, 31), "principalMinor": 1_000_000, "annualRate": "0.12", "rows": ROWS}
    )
    each = 1_000 / _per_second(lambda: quote(form), max(20, times // 20))
    yield Figure(name="quote with all yearly rates", value=each, unit="ms", at_most=50)


def _request(name: str) -> ScheduleRequest:
    convention = CONVENTIONS[name]
    balance = Balance(principal_minor=1_000_000, annual_rate=Decimal("0.12"))
    working = frozenset(date(2026, 1, 1) + _DAY * number for number in range(1_100)) if "opencbs" in name else None
    return ScheduleRequest(
        convention=convention, start=date(2026, 1, 31), balances=(balance,), rows=ROWS, working_days=working
    )


_DAY = date(2026, 1, 2) - date(2026, 1, 1)


def _bare() -> None:
    left, factor, level = Decimal(1_000_000), Decimal("0.01"), Decimal(47_073)
    for _ in range(ROWS):
        left -= level - (left * factor).to_integral_value(rounding=ROUND_HALF_UP)


def _per_second(act: Callable[[], Any], times: int) -> float:
    began = perf_counter()
    for _ in range(times):
        act()
    return times / (perf_counter() - began)
