"""What a schedule is asked of: balances, dates, rows or amount, fees, segments, grace; and what makes no sense."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from models.domain.schedules.convention import Convention, Holiday, Method, MonthEnd
from models.domain.schedules.faults import ScheduleInvalid

MAX_ROWS: Final = 600  # fifty years by the month; what a product allows is a rule elsewhere
MAX_RATE: Final = Decimal(100)  # 10,000 % a year: what lies above is a percentage taken for a fraction
MAX_BALANCES: Final = 20
_MONTH_DAYS: Final = 31


class PeriodUnit(StrEnum):
    """What `every` counts."""

    MONTHS = "months"
    WEEKS = "weeks"
    DAYS = "days"


class FeeTiming(StrEnum):
    """When a fee by rate is due: its rate is a row's, or the plan's in the first row."""

    EACH_ROW = "each-row"
    FIRST_ROW = "first-row"


@dataclass(frozen=True, kw_only=True, slots=True)
class Balance:
    """A part of the debt of one kind (purchases, cash, fees …) with a rate of its own: a fraction per year."""

    kind: str = "principal"
    principal_minor: int
    annual_rate: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fee:
    """What is charged beside interest (手续费): `rate` of the original principal, and `row_minor` per row."""

    rate: Decimal = Decimal(0)
    timing: FeeTiming = FeeTiming.EACH_ROW
    row_minor: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A segment of equal rows: a fixed amount, a weight beside the other segments, or neither: what is left, level."""

    rows: int
    amount_minor: int | None = None
    weight: Decimal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomRow:
    """One row as a negotiator wrote it; its interest is worked out."""

    due: date
    principal_minor: int
    fee_minor: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Grace:
    """Rows at the start in which no principal (宽限期) or no interest is due."""

    principal_rows: int = 0
    interest_rows: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleRequest:
    """All that a schedule depends on.

    Attributes:
        start: the day from which interest runs.
        rows: number of rows; or
        amount_minor: what each row comes to, fees aside; the number of rows follows.
        every, unit: length of a period.
        first_due: the first due date; None: one period after `start`, or the first card due day after it.
        due_day: the card's due day, 1 to 31; only with CARD_DUE_DAY.
        working_days: bank working days; needed where a holiday rule moves dates. Days beyond the last are unknown.
    """

    convention: Convention
    start: date
    balances: tuple[Balance, ...]
    rows: int | None = None
    amount_minor: int | None = None
    every: int = 1
    unit: PeriodUnit = PeriodUnit.MONTHS
    first_due: date | None = None
    due_day: int | None = None
    fee: Fee = Fee()
    steps: tuple[Step, ...] = ()
    custom_rows: tuple[CustomRow, ...] = ()
    grace: Grace = Grace()
    working_days: frozenset[date] | None = None

    @property
    def principal_minor(self) -> int:
        """The whole debt."""
        return sum(balance.principal_minor for balance in self.balances)


def check(request: ScheduleRequest) -> None:
    """Refuse what makes no sense, before anything is worked out.

    Raises:
        ScheduleInvalid: the first field that breaks its rule.
    """
    _check_balances(request)
    _check_length(request)
    _check_dates(request)
    _check_steps(request)
    _within("/fee/rate", request.fee.rate, most=1)
    _within("/fee/rowMinor", request.fee.row_minor)
    _within("/grace/principalRows", request.grace.principal_rows, most=MAX_ROWS)
    _within("/grace/interestRows", request.grace.interest_rows, most=MAX_ROWS)


def _check_balances(request: ScheduleRequest) -> None:
    if not 1 <= len(request.balances) <= MAX_BALANCES:
        raise ScheduleInvalid("/balances", "too-many" if request.balances else "missing", max=MAX_BALANCES)
    kinds = [balance.kind for balance in request.balances]
    if len(set(kinds)) != len(kinds):
        raise ScheduleInvalid("/balances", "quote-kind-twice")
    for index, balance in enumerate(request.balances):
        _within(f"/balances/{index}/principalMinor", balance.principal_minor, least=1)
        _within(f"/balances/{index}/annualRate", balance.annual_rate, most=MAX_RATE)
    if request.convention.method is Method.INTEREST_FREE and any(one.annual_rate for one in request.balances):
        raise ScheduleInvalid("/annualRate", "quote-rate-of-interest-free")


def _check_length(request: ScheduleRequest) -> None:
    method = request.convention.method
    given = {
        "rows": request.rows is not None,
        "amountMinor": request.amount_minor is not None,
        "steps": bool(request.steps),
        "customRows": bool(request.custom_rows),
    }
    wanted = {Method.STEPS: ("steps",), Method.CUSTOM: ("customRows",), Method.LEVEL: ("rows", "amountMinor")}
    allowed = wanted.get(method, ("rows",))
    if sum(given[name] for name in allowed) != 1:
        raise ScheduleInvalid("", "exactly-one", allowed=", ".join(allowed))
    for name, is_given in given.items():
        if is_given and name not in allowed:
            raise ScheduleInvalid(f"/{name}", "quote-not-with-method", method=method.value)
    if request.rows is not None:
        _within("/rows", request.rows, least=1, most=MAX_ROWS)
        grace = request.grace.principal_rows
        if grace and not request.convention.grace_extends:
            _within("/grace/principalRows", grace, most=request.rows - 1)
    if request.amount_minor is not None:
        _within("/amountMinor", request.amount_minor, least=1)
        if request.grace != Grace():
            raise ScheduleInvalid("/grace", "quote-not-with-amount")


def _check_dates(request: ScheduleRequest) -> None:
    convention = request.convention
    _within("/every", request.every, least=1, most=366)
    if request.first_due is not None and request.first_due <= request.start:
        raise ScheduleInvalid("/firstDue", "date-past", min=request.start.isoformat())
    if convention.month_end is MonthEnd.CARD_DUE_DAY:
        if request.due_day is None:
            raise ScheduleInvalid("/dueDay", "missing")
        _within("/dueDay", request.due_day, least=1, most=_MONTH_DAYS)
        if request.unit is not PeriodUnit.MONTHS:
            raise ScheduleInvalid("/unit", "not-one-of", allowed=PeriodUnit.MONTHS.value)
    elif request.due_day is not None:
        raise ScheduleInvalid("/dueDay", "quote-due-day-alone")
    if convention.holiday is not Holiday.NONE and not request.working_days:
        raise ScheduleInvalid("/calendar", "missing")
    before = request.start
    for index, row in enumerate(request.custom_rows):
        if row.due <= before:
            raise ScheduleInvalid(f"/customRows/{index}/due", "date-past", min=before.isoformat())
        _within(f"/customRows/{index}/principalMinor", row.principal_minor)
        _within(f"/customRows/{index}/feeMinor", row.fee_minor)
        before = row.due
    total = sum(row.principal_minor for row in request.custom_rows)
    if request.custom_rows and total != request.principal_minor:
        raise ScheduleInvalid("/customRows", "quote-rows-sum", expected=request.principal_minor, actual=total)
    _within("/customRows", len(request.custom_rows), most=MAX_ROWS)


def _check_steps(request: ScheduleRequest) -> None:
    steps = request.steps
    if not steps:
        return
    for index, step in enumerate(steps):
        _within(f"/steps/{index}/rows", step.rows, least=1, most=MAX_ROWS)
        if step.amount_minor is not None:
            _within(f"/steps/{index}/amountMinor", step.amount_minor)
        if step.weight is not None and not 0 < step.weight <= MAX_ROWS:
            raise ScheduleInvalid(f"/steps/{index}/weight", "too-small", limit=0)
    weighted = [step.weight is not None for step in steps]
    if all(weighted) and all(step.amount_minor is None for step in steps):
        return
    fixed = all(step.amount_minor is not None for step in steps[:-1])
    if any(weighted) or not fixed or steps[-1].amount_minor is not None:
        raise ScheduleInvalid("/steps", "quote-steps-mixed")


def _within(pointer: str, value: int | Decimal, *, least: int = 0, most: int | Decimal | None = None) -> None:
    if value < least:
        raise ScheduleInvalid(pointer, "too-small", limit=least)
    if most is not None and value > most:
        raise ScheduleInvalid(pointer, "too-large", limit=int(most))
