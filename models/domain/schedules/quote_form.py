"""A quote (试算): JSON in, JSON out. The one parser that the command line and the HTTP interface share.

Amounts are whole minor units, rates are fractions per year in strings ("0.12" is 12 %), dates are ISO 8601.
"""

from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from models.domain.form_faults import parsed_json
from models.domain.schedules.build import Plan, balances_after, build_plan
from models.domain.schedules.convention import (
    Basis,
    Convention,
    FirstPeriod,
    GraceInterest,
    Holiday,
    LevelRule,
    Method,
    MonthEnd,
    Remainder,
    Shift,
)
from models.domain.schedules.conventions import CONVENTIONS
from models.domain.schedules.day_count import DayCount
from models.domain.schedules.faults import ScheduleInvalid
from models.domain.schedules.quote_rates import rates_of
from models.domain.schedules.request import (
    MAX_BALANCES,
    MAX_ROWS,
    Balance,
    CustomRow,
    Fee,
    FeeTiming,
    Grace,
    PeriodUnit,
    ScheduleRequest,
    Step,
)
from models.domain.schedules.rounding import Place, Rounding, RoundingMode
from models.domain.schedules.working_days import working_days_between
from models.errors import FormInvalid

_MAX_MINOR: Final = 10**15
_MAX_DAYS: Final = 2_000
_MAX_CALENDAR_DAYS: Final = 366 * 60
_ROUNDING_FIELDS: Final = {field.name for field in fields(Rounding)}

Minor = Annotated[int, Field(ge=0, le=_MAX_MINOR)]
Fraction = Annotated[str, StringConstraints(pattern=r"\A(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,12})?\Z")]
"""A decimal number that is not negative, as a string: JSON numbers would pass through binary fractions."""
Rows = Annotated[int, Field(ge=1, le=MAX_ROWS)]


class _Form(BaseModel):
    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        hide_input_in_errors=True,
        regex_engine="python-re",
    )


class ConventionForm(_Form):
    """A named convention, with what is to differ from it."""

    base: str = "cn-level"
    method: Method | None = None
    day_count: DayCount | None = None
    basis: Basis | None = None
    level_rule: LevelRule | None = None
    corrections: Annotated[int, Field(ge=0, le=10)] | None = None
    remainder: Remainder | None = None
    first_period: FirstPeriod | None = None
    month_end: MonthEnd | None = None
    holiday: Holiday | None = None
    shift: Shift | None = None
    interest_follows: bool | None = None
    grace_interest: GraceInterest | None = None
    grace_extends: bool | None = None
    mode: RoundingMode | None = None
    step_minor: Annotated[int, Field(ge=1, le=100_000)] | None = None
    place: Place | None = None
    factor_digits: Annotated[int, Field(ge=6, le=34)] | None = None
    level_mode: RoundingMode | None = None
    level_step_minor: Annotated[int, Field(ge=1, le=100_000)] | None = None


class BalanceForm(_Form):
    """A part of the debt with a rate of its own."""

    kind: Annotated[str, StringConstraints(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]
    principal_minor: Minor
    annual_rate: Fraction = "0"


class FeeForm(_Form):
    """A fee beside interest."""

    rate: Fraction = "0"
    timing: FeeTiming = FeeTiming.EACH_ROW
    row_minor: Minor = 0


class StepForm(_Form):
    """A segment of equal rows."""

    rows: Rows
    amount_minor: Minor | None = None
    weight: Fraction | None = None


class CustomRowForm(_Form):
    """A row as agreed."""

    due: date
    principal_minor: Minor
    fee_minor: Minor = 0


class GraceForm(_Form):
    """Rows at the start without principal or without interest."""

    principal_rows: Annotated[int, Field(ge=0, le=MAX_ROWS)] = 0
    interest_rows: Annotated[int, Field(ge=0, le=MAX_ROWS)] = 0


class CalendarForm(_Form):
    """Working days: Monday to Friday from first to last, without holidays, with make-up days (调休)."""

    first: date
    last: date
    holidays: Annotated[tuple[date, ...], Field(max_length=_MAX_DAYS)] = ()
    make_up_days: Annotated[tuple[date, ...], Field(max_length=_MAX_DAYS)] = ()


class QuoteForm(_Form):
    """What a quote is asked of. One balance is `principalMinor` and `annualRate`; several are `balances`."""

    convention: str | ConventionForm = "cn-level"
    start: date
    principal_minor: Minor | None = None
    annual_rate: Fraction | None = None
    balances: Annotated[tuple[BalanceForm, ...], Field(max_length=MAX_BALANCES)] = ()
    rows: Rows | None = None
    amount_minor: Minor | None = None
    every: Annotated[int, Field(ge=1, le=366)] = 1
    unit: PeriodUnit = PeriodUnit.MONTHS
    first_due: date | None = None
    due_day: Annotated[int, Field(ge=1, le=31)] | None = None
    fee: FeeForm = FeeForm()
    steps: Annotated[tuple[StepForm, ...], Field(max_length=MAX_ROWS)] = ()
    custom_rows: Annotated[tuple[CustomRowForm, ...], Field(max_length=MAX_ROWS)] = ()
    grace: GraceForm = GraceForm()
    calendar: CalendarForm | None = None

    @classmethod
    def read_json(cls, text: str | bytes) -> Self:
        """Parse JSON.

        Raises:
            FormInvalid: with a pointer, a code and the limit for each fault, and no value that was sent.
        """
        return parsed_json(cls, text)


def quote(form: QuoteForm) -> dict[str, Any]:
    """Work a quote out; the answer is plain JSON.

    Raises:
        FormInvalid: the form makes no schedule; `faults` names the field, the rule and the fix.
    """
    try:
        request = request_of(form)
        return answer_of(build_plan(request))
    except ScheduleInvalid as invalid:
        raise FormInvalid(detail=str(invalid), faults=(invalid.fault,)) from None


def request_of(form: QuoteForm) -> ScheduleRequest:
    """The request that a form stands for.

    Raises:
        ScheduleInvalid: an unknown convention, no balance, or a calendar without end.
    """
    return ScheduleRequest(
        convention=convention_of(form.convention),
        start=form.start,
        balances=_balances(form),
        rows=form.rows,
        amount_minor=form.amount_minor,
        every=form.every,
        unit=form.unit,
        first_due=form.first_due,
        due_day=form.due_day,
        fee=Fee(rate=Decimal(form.fee.rate), timing=form.fee.timing, row_minor=form.fee.row_minor),
        steps=tuple(
            Step(rows=one.rows, amount_minor=one.amount_minor, weight=Decimal(one.weight) if one.weight else None)
            for one in form.steps
        ),
        custom_rows=tuple(
            CustomRow(due=one.due, principal_minor=one.principal_minor, fee_minor=one.fee_minor)
            for one in form.custom_rows
        ),
        grace=Grace(principal_rows=form.grace.principal_rows, interest_rows=form.grace.interest_rows),
        working_days=_working_days(form.calendar),
    )


def convention_of(form: str | ConventionForm) -> Convention:
    """The convention of that name; or one like it, whose name says what differs from it.

    Raises:
        ScheduleInvalid: there is none of that name.
    """
    name, pointer = (form, "/convention") if isinstance(form, str) else (form.base, "/convention/base")
    if name not in CONVENTIONS:
        raise ScheduleInvalid(pointer, "not-one-of", allowed=", ".join(CONVENTIONS))
    base = CONVENTIONS[name]
    if isinstance(form, str):
        return base
    given = {key: value for key, value in form.model_dump(exclude={"base"}).items() if value is not None}
    rounding = {key: value for key, value in given.items() if key in _ROUNDING_FIELDS}
    others = {key: value for key, value in given.items() if key not in _ROUNDING_FIELDS}
    said = ",".join(f"{to_camel(key)}={_plain(value)}" for key, value in sorted(given.items()))
    return replace(
        base,
        name=f"{name}+{said}" if said else name,
        rounding=replace(base.rounding, **rounding),
        **others,
    )


def described_conventions() -> list[dict[str, Any]]:
    """Every named convention with all its choices, as plain JSON in the names of `ConventionForm`."""
    return [_described(convention) for convention in CONVENTIONS.values()]


def _described(convention: Convention) -> dict[str, Any]:
    flat = {field.name: getattr(convention, field.name) for field in fields(convention) if field.name != "rounding"}
    flat |= {field.name: getattr(convention.rounding, field.name) for field in fields(Rounding)}
    return {to_camel(key): value.value if isinstance(value, StrEnum) else value for key, value in flat.items()}


def answer_of(plan: Plan) -> dict[str, Any]:
    """The answer in plain JSON: rows, totals, yearly rates, and the rows of each kind of balance."""
    schedule = plan.schedule
    left = balances_after(schedule)
    rows = [
        {
            "no": row.no,
            "due": row.due.isoformat(),
            "debit": debit.isoformat(),
            "principalMinor": row.principal_minor,
            "interestMinor": row.interest_minor,
            "feeMinor": row.fee_minor,
            "totalMinor": row.total_minor,
            "balanceMinor": after,
        }
        for row, debit, after in zip(schedule.rows, plan.debits, left, strict=True)
    ]
    return {
        "convention": schedule.convention,
        "start": schedule.start.isoformat(),
        "principalMinor": schedule.principal_minor,
        "rows": rows,
        "totals": {
            "rows": len(rows),
            "interestMinor": sum(row.interest_minor for row in schedule.rows),
            "feeMinor": sum(row.fee_minor for row in schedule.rows),
            "totalMinor": sum(row.total_minor for row in schedule.rows),
        },
        "rates": rates_of(schedule.rows, start=schedule.start, received_minor=schedule.principal_minor),
        "byKind": [
            {
                "kind": kind,
                "principalMinor": part.principal_minor,
                "interestMinor": sum(row.interest_minor for row in part.rows),
                "rows": [[row.principal_minor, row.interest_minor] for row in part.rows],
            }
            for kind, part in plan.parts.items()
        ],
    }


def _balances(form: QuoteForm) -> tuple[Balance, ...]:
    single = form.principal_minor is not None or form.annual_rate is not None
    if single == bool(form.balances):
        raise ScheduleInvalid("", "exactly-one", allowed="principalMinor, balances")
    if single:
        if form.principal_minor is None:
            raise ScheduleInvalid("/principalMinor", "missing")
        return (Balance(principal_minor=form.principal_minor, annual_rate=Decimal(form.annual_rate or "0")),)
    return tuple(
        Balance(kind=one.kind, principal_minor=one.principal_minor, annual_rate=Decimal(one.annual_rate))
        for one in form.balances
    )


def _working_days(calendar: CalendarForm | None) -> frozenset[date] | None:
    if calendar is None:
        return None
    days = (calendar.last - calendar.first).days
    if not 0 <= days <= _MAX_CALENDAR_DAYS:
        raise ScheduleInvalid("/calendar/last", "date-past", min=calendar.first.isoformat())
    return working_days_between(
        calendar.first, calendar.last, holidays=calendar.holidays, make_up_days=calendar.make_up_days
    )


def _plain(value: object) -> str:
    return value.value if isinstance(value, StrEnum) else str(value).lower()
