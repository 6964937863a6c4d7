"""The one entry: a request in, a schedule out. The same request always gives the same schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from itertools import accumulate

from models.domain.schedules.convention import FirstPeriod, GraceInterest, Method
from models.domain.schedules.joint import rows_needed, run_jointly
from models.domain.schedules.level import worths
from models.domain.schedules.methods import Lane, lines_of
from models.domain.schedules.periods import Timetable, timetable
from models.domain.schedules.request import FeeTiming, ScheduleRequest, check
from models.domain.schedules.rounding import ARITHMETIC
from models.domain.schedules.rows import Row, Schedule
from models.domain.schedules.running import Line, shares
from models.domain.schedules.working_days import debit_dates


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A schedule with what it is made of.

    Attributes:
        schedule: the rows that the customer pays.
        parts: the rows of each kind of balance; they add up to the schedule, fees aside.
        debits: when the debit order of each row is presented.
    """

    schedule: Schedule
    parts: dict[str, Schedule]
    debits: tuple[date, ...]


def build_schedule(request: ScheduleRequest) -> Schedule:
    """The rows of a request, in order; their principal adds up to the debt exactly.

    Raises:
        ScheduleInvalid: a field breaks its rule; `fault` names it, the rule and what mends it.
    """
    made = _work_out(request)
    return _schedule(request, request.principal_minor, made.due, made.columns, fees=made.fees)


def build_plan(request: ScheduleRequest) -> Plan:
    """As `build_schedule`, with the rows of each balance and the days of the debit orders.

    Raises:
        ScheduleInvalid: a field breaks its rule; `fault` names it, the rule and what mends it.
    """
    made = _work_out(request)
    return Plan(
        schedule=_schedule(request, request.principal_minor, made.due, made.columns, fees=made.fees),
        parts={
            balance.kind: _schedule(request, balance.principal_minor, made.due, [column])
            for balance, column in zip(request.balances, made.columns, strict=True)
        },
        debits=debit_dates(made.due, convention=request.convention, working_days=request.working_days),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    due: tuple[date, ...]
    columns: list[list[Line]]
    fees: list[int]


def _work_out(request: ScheduleRequest) -> _Made:
    check(request)
    with localcontext(ARITHMETIC):
        times = timetable(request, rows=_row_count(request))
        lanes = [_lane(request, times, at) for at in range(len(request.balances))]
        columns = _columns(request, lanes)
        for lane, column in zip(lanes, columns, strict=True):
            _move_grace_interest(request, column, lane)
        due = times.due[-1:] if request.convention.method is Method.BULLET else times.due
        regular = len(due)
        if times.broken_until is not None:
            due = _place_broken_interest(request, times, columns, due)
        fees = _fees(request, rows=len(due), before=len(due) - regular)
    return _Made(due=due, columns=columns, fees=fees)


def _row_count(request: ScheduleRequest) -> int:
    if request.custom_rows:
        return len(request.custom_rows)
    if request.steps:
        return sum(step.rows for step in request.steps)
    if request.amount_minor is not None:
        nominal = timetable(request, rows=1).nominal
        return rows_needed(
            [balance.principal_minor for balance in request.balances],
            factors=[balance.annual_rate * nominal for balance in request.balances],
            amount_minor=request.amount_minor,
            rounding=request.convention.rounding,
        )
    extra = request.grace.principal_rows if request.convention.grace_extends else 0
    return (request.rows or 0) + extra


def _lane(request: ScheduleRequest, times: Timetable, at: int) -> Lane:
    balance = request.balances[at]
    rounding = request.convention.rounding
    free = request.grace.interest_rows if request.convention.grace_interest is GraceInterest.WAIVED else 0
    factors = [rounding.factor(balance.annual_rate * years) for years in times.years]
    nominal = rounding.factor(balance.annual_rate * times.nominal)
    factors[:free] = [Decimal(0)] * len(factors[:free])
    return Lane(
        principal_minor=balance.principal_minor,
        factors=factors,
        nominal_factors=[Decimal(0) if row < free else nominal for row in range(len(factors))],
        grace_rows=request.grace.principal_rows,
    )


def _columns(request: ScheduleRequest, lanes: Sequence[Lane]) -> list[list[Line]]:
    if request.custom_rows:
        return _custom(request, lanes)
    if request.amount_minor is not None or any(step.weight is None for step in request.steps):
        return _by_amounts(request, lanes)
    return [lines_of(lane, request) for lane in lanes]


def _custom(request: ScheduleRequest, lanes: Sequence[Lane]) -> list[list[Line]]:
    factors = [lane.factors for lane in lanes]
    agreed = [row.principal_minor for row in request.custom_rows]
    rounding = request.convention.rounding

    def total(index: int, left: Sequence[int]) -> int:
        interest = sum(rounding.amount(rest * own[index]) for rest, own in zip(left, factors, strict=True))
        return agreed[index] + interest

    return run_jointly([lane.principal_minor for lane in lanes], factors=factors, total=total, rounding=rounding)


def _by_amounts(request: ScheduleRequest, lanes: Sequence[Lane]) -> list[list[Line]]:
    factors = [lane.factors for lane in lanes]
    rounding = request.convention.rounding
    amounts = [step.amount_minor for step in request.steps for _ in range(step.rows)]
    level_from = len(amounts) - request.steps[-1].rows if request.steps else 0
    worth = [worths(own) for own in factors]
    levels: list[int] = []

    def total(index: int, left: Sequence[int]) -> int:
        if request.amount_minor is not None:
            return request.amount_minor
        given = amounts[index]
        if given is not None:
            return given
        if not levels:  # the last segment: level over what is left when it begins
            own = [rest / one[level_from] for rest, one in zip(left, worth, strict=True)]
            levels.append(rounding.level(sum(own, Decimal(0))))
        return levels[0]

    return run_jointly([lane.principal_minor for lane in lanes], factors=factors, total=total, rounding=rounding)


def _move_grace_interest(request: ScheduleRequest, column: list[Line], lane: Lane) -> None:
    rule, rows = request.convention.grace_interest, min(request.grace.interest_rows, len(column) - 1)
    if rule is GraceInterest.WAIVED or rows <= 0 or not lane.principal_minor:
        return
    held = sum(line.interest_minor for line in column[:rows])
    for line in column[:rows]:
        line.interest_minor = 0
    after = column[rows:] if rule is GraceInterest.SPREAD else column[rows : rows + 1]
    for line, part in zip(after, shares(held, rows=len(after), rounding=request.convention.rounding), strict=True):
        line.interest_minor += part


def _place_broken_interest(
    request: ScheduleRequest, times: Timetable, columns: list[list[Line]], due: tuple[date, ...]
) -> tuple[date, ...]:
    """Put the interest of the broken days where the convention wants it; a row of its own is one due date more."""
    rule, rounding = request.convention.first_period, request.convention.rounding
    for balance, column in zip(request.balances, columns, strict=True):
        factor = rounding.factor(balance.annual_rate * times.broken_years)
        interest = rounding.amount(balance.principal_minor * factor)
        if rule is FirstPeriod.OWN_ROW:
            column.insert(0, Line(0, interest))
        elif rule is FirstPeriod.ADDED:
            column[0].interest_minor += interest
        elif rule is FirstPeriod.SPREAD:
            for line, part in zip(column, shares(interest, rows=len(column), rounding=rounding), strict=True):
                line.interest_minor += part
    own_row = rule is FirstPeriod.OWN_ROW and times.broken_until is not None
    return (times.broken_until, *due) if own_row and times.broken_until else due


def _fees(request: ScheduleRequest, *, rows: int, before: int) -> list[int]:
    """Of each row; a row that holds nothing but the interest of broken days (`before`) bears none."""
    fee = request.fee
    by_rate = request.convention.rounding.amount(request.principal_minor * fee.rate)
    each = fee.row_minor + (by_rate if fee.timing is FeeTiming.EACH_ROW else 0)
    fees = [each] * (rows - before)
    if fee.timing is FeeTiming.FIRST_ROW:
        fees[0] += by_rate
    for at, row in enumerate(request.custom_rows):
        fees[at] += row.fee_minor
    return [0] * before + fees


def _schedule(
    request: ScheduleRequest,
    principal_minor: int,
    due: Sequence[date],
    columns: Sequence[Sequence[Line]],
    *,
    fees: Sequence[int] | None = None,
) -> Schedule:
    own_fees = fees or [0] * len(due)
    if len(columns) == 1:
        lines: Sequence[Line] = columns[0]
    else:
        lines = [
            Line(sum(line.principal_minor for line in row), sum(line.interest_minor for line in row))
            for row in zip(*columns, strict=True)
        ]
    rows = tuple(
        Row(
            no=number,
            due=day,
            principal_minor=line.principal_minor,
            interest_minor=line.interest_minor,
            fee_minor=fee,
        )
        for number, (day, line, fee) in enumerate(zip(due, lines, own_fees, strict=True), start=1)
    )
    if sum(row.principal_minor for row in rows) != principal_minor:
        raise ArithmeticError("the rows of a schedule do not add up to its principal")  # never: a fault of this package
    return Schedule(convention=request.convention.name, start=request.start, principal_minor=principal_minor, rows=rows)


def balances_after(schedule: Schedule) -> tuple[int, ...]:
    """What is left of the principal after each row, in minor units."""
    paid = accumulate(row.principal_minor for row in schedule.rows)
    return tuple(schedule.principal_minor - sum_ for sum_ in paid)
