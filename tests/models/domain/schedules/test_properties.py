"""What holds of every schedule, whatever is asked: sums close, rows stay, dates rise, the last row keeps near."""

from dataclasses import replace
from decimal import Decimal, getcontext, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.schedules.build import balances_after, build_plan, build_schedule
from models.domain.schedules.convention import Basis, LevelRule, Method
from models.domain.schedules.request import ScheduleRequest
from models.domain.schedules.rounding import Place, Rounding
from tests.models.domain.schedules.requests import ask, like, requests

_MANY = settings(max_examples=200, deadline=None)


@_MANY
@given(requests())
def test_principal_adds_up_and_the_number_of_rows_is_the_one_asked_for(request: ScheduleRequest) -> None:
    plan = build_plan(request)
    schedule = plan.schedule
    assert sum(row.principal_minor for row in schedule.rows) == request.principal_minor
    assert len(schedule.rows) == request.rows
    assert [row.no for row in schedule.rows] == list(range(1, len(schedule.rows) + 1))
    assert all(row.principal_minor >= 0 and row.interest_minor >= 0 for row in schedule.rows)
    assert balances_after(schedule)[-1] == 0
    for number, row in enumerate(schedule.rows):
        assert row.interest_minor == sum(part.rows[number].interest_minor for part in plan.parts.values())
        assert row.principal_minor == sum(part.rows[number].principal_minor for part in plan.parts.values())


@_MANY
@given(requests())
def test_due_dates_rise_strictly_after_the_start(request: ScheduleRequest) -> None:
    due = [request.start, *(row.due for row in build_schedule(request).rows)]
    assert due == sorted(set(due))


@_MANY
@given(requests())
def test_the_same_request_gives_the_same_schedule_in_any_decimal_context(request: ScheduleRequest) -> None:
    first = build_schedule(request)
    with localcontext() as narrow:
        narrow.prec = 6
        assert build_schedule(request) == first
    assert getcontext().prec == 28


@_MANY
@given(st.integers(100_000, 10**9), st.integers(0, 36), st.integers(1, 120), st.sampled_from(list(Basis)))
def test_level_rows_are_equal_and_the_last_differs_by_less_than_rounding_can_do(
    minor: int, percent: int, rows: int, basis: Basis
) -> None:
    convention = like("cn-level-daily-365", basis=basis)
    request = ask(convention, minor=minor, rate=str(Decimal(percent) / 100), rows=rows)
    made = build_schedule(request).rows
    levels = {row.total_minor for row in made[:-1]}
    assert len(levels) <= 1
    if levels:
        # Half a unit of the level and half a unit of interest a row, with interest on them to the end.
        growth = (1 + Decimal(percent) / 100 * 31 / 365) ** rows
        assert abs(made[-1].total_minor - levels.pop()) <= rows * growth + 1


@_MANY
@given(st.integers(100, 10**8), st.integers(1, 36), st.integers(2, 60))
def test_corrections_never_make_the_last_row_worse(minor: int, percent: int, rows: int) -> None:
    plain = like("fineract-progressive-365-actual", corrections=0)
    corrected = like("fineract-progressive-365-actual", corrections=3)
    gaps = []
    for convention in (plain, corrected):
        made = build_schedule(ask(convention, minor=minor, rate=str(Decimal(percent) / 100), rows=rows)).rows
        gaps.append(abs(made[-1].total_minor - made[0].total_minor))
    assert gaps[1] <= gaps[0]


@_MANY
@given(st.integers(10_000, 10**8), st.integers(0, 36), st.integers(2, 36))
def test_the_last_row_lies_on_the_side_that_was_asked_for(minor: int, percent: int, rows: int) -> None:
    for rule in (LevelRule.LAST_NOT_ABOVE, LevelRule.LAST_NOT_BELOW):
        convention = like("cn-level-daily-365", level_rule=rule)
        made = build_schedule(ask(convention, minor=minor, rate=str(Decimal(percent) / 100), rows=rows)).rows
        level, last = made[0].total_minor, made[-1].total_minor
        assert last <= level if rule is LevelRule.LAST_NOT_ABOVE else last >= level


@_MANY
@given(st.integers(1_000, 10**8), st.integers(0, 36), st.integers(2, 60))
def test_a_fixed_amount_is_what_every_row_but_the_last_comes_to(minor: int, percent: int, divisor: int) -> None:
    amount = minor // divisor + minor * percent // 1_200 + 2
    made = build_schedule(ask("cn-level", minor=minor, rate=str(Decimal(percent) / 100), amount_minor=amount)).rows
    assert {row.total_minor for row in made[:-1]} <= {amount}
    assert 0 < made[-1].total_minor <= amount


@_MANY
@given(requests())
def test_exact_balances_differ_from_rounded_ones_by_cents_only(request: ScheduleRequest) -> None:
    fine = replace(request.convention, method=Method.LEVEL, level_rule=LevelRule.PROGRESSIVE, corrections=0)
    rounded = replace(request, convention=replace(fine, rounding=Rounding()))
    exact = replace(request, convention=replace(fine, rounding=Rounding(place=Place.TOTAL)))
    sums = [sum(row.interest_minor for row in build_schedule(one).rows) for one in (rounded, exact)]
    assert abs(sums[0] - sums[1]) <= len(request.balances) * (request.rows or 0) ** 2
