"""Each method and each rule at the beginning of a plan, on figures that can be checked with a pencil."""

from datetime import date
from decimal import Decimal

import pytest

from models.domain.schedules.build import build_plan, build_schedule
from models.domain.schedules.convention import FirstPeriod, GraceInterest
from models.domain.schedules.request import Balance, CustomRow, Fee, FeeTiming, Grace, Step
from models.domain.schedules.rows import Schedule
from tests.models.domain.schedules.requests import ask, like


def columns(schedule: Schedule) -> list[tuple[int, int]]:
    return [(row.principal_minor, row.interest_minor) for row in schedule.rows]


def totals(schedule: Schedule) -> list[int]:
    return [row.total_minor for row in schedule.rows]


def test_level() -> None:
    # 10,000.00 at 12 % over 3 months: 3,400.22 a month, the cent of rounding in the last row.
    made = build_schedule(ask(rows=3))
    assert columns(made) == [(330_022, 10_000), (333_322, 6_700), (336_656, 3_367)]


def test_equal_principal_leaves_the_remainder_to_the_last_row() -> None:
    made = build_schedule(ask("cn-equal-principal", rows=3))
    assert columns(made) == [(333_333, 10_000), (333_333, 6_667), (333_334, 3_333)]


def test_flat_charges_the_original_principal_throughout() -> None:
    assert columns(build_schedule(ask("cn-flat", rows=4))) == [(250_000, 10_000)] * 4


def test_interest_free_costs_its_fee() -> None:
    made = build_schedule(ask("cn-fee", rate="0", rows=4, fee=Fee(rate=Decimal("0.006"))))
    assert [(row.principal_minor, row.interest_minor, row.fee_minor) for row in made.rows] == [(250_000, 0, 6_000)] * 4


def test_a_fee_may_be_due_once_with_the_first_row_and_by_the_row() -> None:
    fee = Fee(rate=Decimal("0.03"), timing=FeeTiming.FIRST_ROW, row_minor=100)
    made = build_schedule(ask("cn-fee", rate="0", rows=3, fee=fee))
    assert [row.fee_minor for row in made.rows] == [30_100, 100, 100]


def test_interest_only_and_bullet() -> None:
    assert columns(build_schedule(ask("cn-interest-only", rows=3))) == [(0, 10_000), (0, 10_000), (1_000_000, 10_000)]
    made = build_schedule(ask("cn-bullet", start=date(2026, 1, 1), rows=3, rate="0.36"))
    assert [(row.no, row.due) for row in made.rows] == [(1, date(2026, 4, 1))]
    assert columns(made) == [(1_000_000, 90_000)]  # 90 days at a thousandth


def test_steps_by_weight_grow_in_proportion() -> None:
    steps = (Step(rows=2, weight=Decimal(1)), Step(rows=2, weight=Decimal(2)))
    made = totals(build_schedule(ask("cn-step-up", rate="0", minor=600_000, steps=steps)))
    assert made == [100_000, 100_000, 200_000, 200_000]


def test_steps_by_amount_end_in_a_level_segment() -> None:
    steps = (Step(rows=2, amount_minor=50_000), Step(rows=3, amount_minor=200_000), Step(rows=4))
    made = totals(build_schedule(ask("cn-step-up", steps=steps)))
    assert made[:5] == [50_000, 50_000, 200_000, 200_000, 200_000]
    assert len(set(made[5:8])) == 1
    assert abs(made[8] - made[7]) <= 4


def test_custom_rows_get_their_interest_by_the_day() -> None:
    rows = (
        CustomRow(due=date(2026, 2, 10), principal_minor=400_000),
        CustomRow(due=date(2026, 3, 12), principal_minor=600_000, fee_minor=500),
    )
    made = build_schedule(ask("cn-custom", start=date(2026, 1, 31), rate="0.365", custom_rows=rows))
    assert columns(made) == [(400_000, 10_000), (600_000, 18_000)]
    assert made.rows[1].fee_minor == 500


def test_a_fixed_amount_sets_the_number_of_rows() -> None:
    made = totals(build_schedule(ask(amount_minor=300_000)))
    # Left over: 710,000, then 417,100, then 121,271 with 1,213 of interest.
    assert made == [300_000, 300_000, 300_000, 122_484]


def test_balances_run_down_at_their_own_rates_and_are_added_up() -> None:
    balances = (
        Balance(kind="purchases", principal_minor=600_000, annual_rate=Decimal("0.12")),
        Balance(kind="cash", principal_minor=400_000, annual_rate=Decimal("0.18")),
    )
    plan = build_plan(ask(balances=balances, rows=6))
    alone = [build_schedule(ask(minor=one.principal_minor, rate=str(one.annual_rate), rows=6)) for one in balances]
    assert [columns(part) for part in plan.parts.values()] == [columns(one) for one in alone]
    assert totals(plan.schedule) == [sum(pair) for pair in zip(*map(totals, alone), strict=True)]


def test_a_fixed_amount_for_several_balances_pays_interest_first_and_then_by_what_is_owed() -> None:
    balances = (
        Balance(kind="purchases", principal_minor=600_000, annual_rate=Decimal("0.12")),
        Balance(kind="cash", principal_minor=400_000, annual_rate=Decimal("0.24")),
    )
    plan = build_plan(ask(balances=balances, amount_minor=114_000))
    first = {kind: part.rows[0] for kind, part in plan.parts.items()}
    assert (first["purchases"].interest_minor, first["cash"].interest_minor) == (6_000, 8_000)
    assert (first["purchases"].principal_minor, first["cash"].principal_minor) == (60_000, 40_000)
    assert set(totals(plan.schedule)[:-1]) == {114_000}


@pytest.mark.parametrize(
    ("rule", "due", "interest"),
    [
        (FirstPeriod.COUNTED, date(2026, 3, 1), [16_333, 5_000]),
        (FirstPeriod.ADDED, date(2026, 3, 1), [16_333, 5_000]),
        (FirstPeriod.OWN_ROW, date(2026, 2, 1), [6_333, 10_000, 5_000]),
        (FirstPeriod.SPREAD, date(2026, 3, 1), [13_167, 8_166]),
        (FirstPeriod.WAIVED, date(2026, 3, 1), [10_000, 5_000]),
    ],
)
def test_broken_days_before_the_first_period(rule: FirstPeriod, due: date, interest: list[int]) -> None:
    # 12 January to 1 February: 19 days of 30/360 at 12 % on 10,000.00 are 63.33; then two months, the second on a half.
    convention = like("cn-equal-principal", first_period=rule)
    request = ask(convention, start=date(2026, 1, 12), first_due=date(2026, 3, 1), rows=2)
    made = build_schedule(request)
    assert made.rows[0].due == due
    assert [row.interest_minor for row in made.rows] == interest


def test_a_short_first_period_is_counted_by_its_days() -> None:
    made = build_schedule(ask("cn-equal-principal", start=date(2026, 1, 21), first_due=date(2026, 2, 1), rows=2))
    assert [row.interest_minor for row in made.rows] == [3_333, 5_000]  # 10 of 360 days, then a month


@pytest.mark.parametrize(
    ("rule", "interest"),
    [
        (GraceInterest.WAIVED, [0, 0, 10_000, 5_000]),
        (GraceInterest.DEFERRED, [0, 0, 30_000, 5_000]),
        (GraceInterest.SPREAD, [0, 0, 20_000, 15_000]),
    ],
)
def test_grace_of_principal_and_interest(rule: GraceInterest, interest: list[int]) -> None:
    convention = like("cn-equal-principal", grace_interest=rule)
    made = build_schedule(ask(convention, rows=4, grace=Grace(principal_rows=2, interest_rows=2)))
    assert [row.principal_minor for row in made.rows] == [0, 0, 500_000, 500_000]
    assert [row.interest_minor for row in made.rows] == interest


def test_grace_keeps_the_last_date_or_extends_the_plan() -> None:
    grace = Grace(principal_rows=2)
    kept = build_schedule(ask(rows=6, grace=grace))
    longer = build_schedule(ask(like("cn-level", grace_extends=True), rows=6, grace=grace))
    assert (len(kept.rows), len(longer.rows)) == (6, 8)
    assert totals(kept)[2:5] == [totals(build_schedule(ask(rows=4)))[0]] * 3
    assert totals(longer)[2:7] == [totals(build_schedule(ask(rows=6)))[0]] * 5


def test_a_first_period_longer_than_the_level_bears_pays_its_interest_whole() -> None:
    made = build_schedule(ask("textbook-annuity", start=date(2020, 1, 1), first_due=date(2026, 1, 1), rows=12))
    assert columns(made)[0] == (0, 720_000)
    assert sum(row.principal_minor for row in made.rows) == 1_000_000
