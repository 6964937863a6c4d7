"""Requests for schedules that tests share: made in one line, and drawn at random by hypothesis."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from models.domain.schedules.convention import Basis, Convention, FirstPeriod, LevelRule, Method, MonthEnd
from models.domain.schedules.conventions import CONVENTIONS
from models.domain.schedules.day_count import DayCount
from models.domain.schedules.request import Balance, PeriodUnit, ScheduleRequest
from models.domain.schedules.rounding import Rounding, RoundingMode

START = date(2026, 1, 31)


def ask(convention: str | Convention = "cn-level", *, rate: str = "0.12", minor: int = 1_000_000, **more: Any):
    """A request for one balance; `rows=12` unless something else decides the length."""
    chosen = CONVENTIONS[convention] if isinstance(convention, str) else convention
    given = {"start": START, "balances": (Balance(principal_minor=minor, annual_rate=Decimal(rate)),), **more}
    if not given.keys() & {"rows", "amount_minor", "steps", "custom_rows"}:
        given["rows"] = 12
    return ScheduleRequest(convention=chosen, **given)


def like(name: str, **changes: Any) -> Convention:
    """A named convention with other choices."""
    return replace(CONVENTIONS[name], **changes)


MODES = st.sampled_from(list(RoundingMode))
DATES = st.dates(date(2019, 12, 1), date(2030, 12, 31))
RATES = st.integers(0, 3_600).map(lambda basis_points: Decimal(basis_points) / 10_000)
METHODS = (Method.LEVEL, Method.EQUAL_PRINCIPAL, Method.FLAT, Method.INTEREST_ONLY)


@st.composite
def conventions(draw: st.DrawFn) -> Convention:
    """Any combination of choices that needs nothing else in the request."""
    return Convention(
        name="drawn",
        method=draw(st.sampled_from(METHODS)),
        day_count=draw(st.sampled_from(list(DayCount))),
        basis=draw(st.sampled_from(list(Basis))),
        rounding=Rounding(mode=draw(MODES), step_minor=draw(st.sampled_from((1, 10, 100)))),
        level_rule=draw(st.sampled_from((LevelRule.FORMULA, LevelRule.PROGRESSIVE, LevelRule.RE_DERIVED))),
        corrections=draw(st.integers(0, 3)),
        first_period=draw(st.sampled_from([rule for rule in FirstPeriod if rule is not FirstPeriod.OWN_ROW])),
        month_end=draw(st.sampled_from([rule for rule in MonthEnd if rule is not MonthEnd.CARD_DUE_DAY])),
    )


@st.composite
def requests(draw: st.DrawFn) -> ScheduleRequest:
    """Any request by number of rows, with one to three balances and sometimes a first due date of its own."""
    start = draw(DATES)
    balances = tuple(
        Balance(kind=f"kind-{number}", principal_minor=draw(st.integers(1, 10**9)), annual_rate=draw(RATES))
        for number in range(draw(st.integers(1, 3)))
    )
    later = draw(st.none() | st.integers(1, 100))
    return ScheduleRequest(
        convention=draw(conventions()),
        start=start,
        balances=balances,
        rows=draw(st.integers(1, 60)),
        unit=draw(st.sampled_from(list(PeriodUnit))),
        first_due=None if later is None else start + timedelta(days=later),
    )
