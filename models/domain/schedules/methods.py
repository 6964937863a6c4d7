"""Rows of one balance by its method, where it can be worked out apart from the other balances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.domain.schedules.convention import LevelRule, Method
from models.domain.schedules.level import level_lines
from models.domain.schedules.request import ScheduleRequest
from models.domain.schedules.rounding import Place
from models.domain.schedules.running import Line, filled, run_down, shares


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """One balance on its way down.

    Attributes:
        factors: true interest of each row per unit of balance.
        nominal_factors: what the annuity formula takes each period for.
        grace_rows: rows without principal, at the start.
    """

    principal_minor: int
    factors: Sequence[Decimal]
    nominal_factors: Sequence[Decimal]
    grace_rows: int


def lines_of(lane: Lane, request: ScheduleRequest) -> list[Line]:
    """Rows of one balance, one per factor; for BULLET, all of them in one."""
    return _METHODS[request.convention.method](lane, request)


def _level(lane: Lane, request: ScheduleRequest) -> list[Line]:
    return level_lines(
        lane.principal_minor,
        factors=lane.factors,
        nominal_factors=lane.nominal_factors,
        grace_rows=lane.grace_rows,
        convention=request.convention,
    )


def _as_planned(lane: Lane, request: ScheduleRequest, principals: Sequence[int]) -> list[Line]:
    rounding = request.convention.rounding
    return run_down(
        lane.principal_minor,
        factors=lane.factors,
        payer=lambda index, _left, _interest: Decimal(principals[index]),
        rounding=rounding,
    )


def _equal_principal(lane: Lane, request: ScheduleRequest) -> list[Line]:
    return _as_planned(lane, request, _equal_shares(lane, request))


def _equal_shares(lane: Lane, request: ScheduleRequest) -> list[int]:
    paying = len(lane.factors) - lane.grace_rows
    rounding = request.convention.rounding
    if request.convention.level_rule is not LevelRule.RE_DERIVED:
        return [0] * lane.grace_rows + shares(lane.principal_minor, rows=paying, rounding=rounding)
    left, equal = lane.principal_minor, []
    for rows_left in range(paying, 0, -1):
        equal.append(min(rounding.amount(Decimal(left) / rows_left), left) if rows_left > 1 else left)
        left -= equal[-1]
    return [0] * lane.grace_rows + equal


def _flat(lane: Lane, request: ScheduleRequest) -> list[Line]:
    rounding = request.convention.rounding
    exact = [lane.principal_minor * factor for factor in lane.factors]
    if rounding.place is Place.TOTAL:
        interests = shares(rounding.amount(sum(exact, Decimal(0))), rows=len(exact), rounding=rounding)
    else:
        interests = [rounding.amount(one) for one in exact]
    principals = _equal_shares(lane, request)
    if rounding.level_step_minor > rounding.step_minor and not lane.grace_rows:
        # The whole row is a multiple of the step: its principal is what the interest leaves of it.
        level = rounding.level(Decimal(lane.principal_minor) / len(exact) + interests[0])
        principals = filled(lane.principal_minor, share=level - interests[0], rows=len(exact))
    return [Line(principal, interest) for principal, interest in zip(principals, interests, strict=True)]


def _interest_only(lane: Lane, request: ScheduleRequest) -> list[Line]:
    return _as_planned(lane, request, [0] * len(lane.factors))  # the last row pays what is left


def _bullet(lane: Lane, request: ScheduleRequest) -> list[Line]:
    interest = request.convention.rounding.amount(lane.principal_minor * sum(lane.factors, Decimal(0)))
    return [Line(lane.principal_minor, interest)]


def _weighted_steps(lane: Lane, request: ScheduleRequest) -> list[Line]:
    """Rows in the proportion of their weights that together are worth the balance."""
    rounding = request.convention.rounding
    weights = [step.weight or Decimal(1) for step in request.steps for _ in range(step.rows)]
    discount, worth = Decimal(1), Decimal(0)
    for weight, factor in zip(weights, lane.factors, strict=True):
        discount /= 1 + factor
        worth += weight * discount
    unit = lane.principal_minor / worth

    def payer(index: int, _left: Decimal, interest: Decimal) -> Decimal:
        amount = unit * weights[index]
        return (amount if rounding.place is Place.TOTAL else rounding.level(amount)) - interest

    return run_down(lane.principal_minor, factors=lane.factors, payer=payer, rounding=rounding)


_METHODS: dict[Method, Callable[[Lane, ScheduleRequest], list[Line]]] = {
    Method.LEVEL: _level,
    Method.EQUAL_PRINCIPAL: _equal_principal,
    Method.INTEREST_FREE: _equal_principal,
    Method.FLAT: _flat,
    Method.INTEREST_ONLY: _interest_only,
    Method.BULLET: _bullet,
    Method.STEPS: _weighted_steps,
}
