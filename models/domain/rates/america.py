"""Annual percentage rate by the actuarial method of American law (Regulation Z, 12 CFR 1026, Appendix J).

The rate is the nominal one: unit-period rate times unit-periods a year. Interest compounds over full unit-periods and
is simple over an odd part of one, Appendix J (b)(8).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from typing import Final

from models.domain.rates.calendars import whole_months
from models.domain.rates.flows import DatedFlow, in_order
from models.domain.rates.solving import WORKING_DIGITS, NoRate, NoRateReason, Term, period_rate
from models.domain.rates.unit_periods import Kind, UnitPeriod, span_between, unit_period_of
from models.domain.rates.yields import in_percent

_YEAR_DAYS: Final = 365
_YEAR_MONTHS: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class ActuarialRate:
    """The rate by Appendix J.

    Attributes:
        rate: precise, as a fraction a year.
        percent: with two decimals, as the published examples have it.
        unit: the unit-period in which time ran.
    """

    rate: Decimal
    percent: Decimal
    unit: UnitPeriod


def actuarial_rate(flows: Iterable[DatedFlow], *, unit: UnitPeriod | None = None) -> ActuarialRate:
    """The annual percentage rate of one or more advances (positive) and payments (negative).

    Args:
        flows: from the borrower's side, with real dates.
        unit: the unit-period; found by the rules of Appendix J (b)(4) if not given.

    Raises:
        NoRate: the flows are one-sided, or no rate or several rates fit.
    """
    ordered = in_order(flows)
    advances = [flow.on for flow in ordered if flow.amount_minor > 0]
    payments = [flow.on for flow in ordered if flow.amount_minor < 0]
    if not advances or not payments:
        raise NoRate(NoRateReason.ONE_SIDED)
    if unit is None and len(ordered) == 2:  # noqa: PLR2004  one advance, one payment
        return _single_payment(ordered[0], ordered[1])
    chosen = unit or unit_period_of(advances=advances, payments=payments)
    due_day = max(day.day for day in payments)
    terms = []
    for flow in ordered:
        time = span_between(ordered[0].on, flow.on, unit=chosen, due_day=due_day)
        terms.append(Term(amount=Decimal(flow.amount_minor), whole=time.full, odd=time.odd))
    return _answer(period_rate(terms), per_year=chosen.a_year, unit=chosen)


def _single_payment(first: DatedFlow, last: DatedFlow) -> ActuarialRate:
    """One advance, one payment: the term itself is the unit-period up to a year, then years, (b)(4)(iii), (b)(5)."""
    months, days = whole_months(first.on, last.on)
    if months >= _YEAR_MONTHS:
        unit = UnitPeriod(kind=Kind.MONTH, count=_YEAR_MONTHS)
        time = span_between(first.on, last.on, unit=unit)
        whole, odd = time.full, time.odd
    else:
        unit = _whole_term(first.on, last.on, months=0 if days else months)
        whole, odd = 1, Decimal(0)
    terms = [
        Term(amount=Decimal(first.amount_minor), whole=0),
        Term(amount=Decimal(last.amount_minor), whole=whole, odd=odd),
    ]
    return _answer(period_rate(terms), per_year=unit.a_year, unit=unit)


def _whole_term(start: date, end: date, *, months: int) -> UnitPeriod:
    if months:
        return UnitPeriod(kind=Kind.MONTH, count=months)
    return UnitPeriod(kind=Kind.DAY, count=(end - start).days)


def _answer(rate: Decimal, *, per_year: Decimal, unit: UnitPeriod) -> ActuarialRate:
    with localcontext(Context(prec=WORKING_DIGITS)):
        yearly = rate * per_year
    return ActuarialRate(rate=yearly, percent=in_percent(yearly, digits=2), unit=unit)
