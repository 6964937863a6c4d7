"""Annual percentage rate of charge of European law (Directive 2008/48/EC, Annex I; the same equation as 2014/17/EU).

Time between two dates is a whole number of years, months or weeks and then days, counted back from the later date. A
year has twelve equal months (of 365/12 = 30.41666 days, leap year or not) or 52 weeks; days are parts of 365, or of 366
where the year that ends with the last of them holds 29 February (Commission guidelines SWD(2012) 128, section 4.1.1).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from enum import StrEnum
from typing import Final

from models.domain.rates.calendars import months_before, whole_months
from models.domain.rates.flows import DatedFlow, in_order
from models.domain.rates.solving import WORKING_DIGITS, NoRate, NoRateReason, Term, period_rate
from models.domain.rates.yields import effective, in_percent

_WEEK: Final = 7
_YEAR: Final = 12  # months


class Span(StrEnum):
    """The period in which intervals are measured before days are."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"


_SPANS_A_YEAR: Final = {Span.YEAR: 1, Span.MONTH: _YEAR, Span.WEEK: 52}


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Time between two dates: whole spans, then `days` of a year of `days_a_year`."""

    span: Span
    whole: int
    days: int
    days_a_year: int

    @property
    def stub(self) -> Decimal:
        """The days as a part of one span."""
        with localcontext(Context(prec=WORKING_DIGITS)):
            return Decimal(self.days * _SPANS_A_YEAR[self.span]) / self.days_a_year

    @property
    def years(self) -> Decimal:
        """The whole interval in years."""
        with localcontext(Context(prec=WORKING_DIGITS)):
            return Decimal(self.whole) / _SPANS_A_YEAR[self.span] + Decimal(self.days) / self.days_a_year


@dataclass(frozen=True, kw_only=True, slots=True)
class EuropeanRate:
    """The rate of charge.

    Attributes:
        rate: precise, as a fraction a year.
        percent: what is disclosed, with one decimal, a half rounded up (Annex I, remark d).
        span: the period in which time was measured.
    """

    rate: Decimal
    percent: Decimal
    span: Span


def interval(start: date, end: date, *, span: Span) -> Interval:
    """Measure the time from `start` to `end` by the rules of Annex I.

    Raises:
        ValueError: `end` lies before `start`.
    """
    if end < start:
        raise ValueError("time runs forward")
    if span is Span.WEEK:
        whole, days = divmod((end - start).days, _WEEK)
        anchor = date.fromordinal(start.toordinal() + days)
    else:
        months, days = whole_months(start, end)
        whole = months
        if span is Span.YEAR:
            whole, rest = divmod(months, _YEAR)
            if rest:
                days = (months_before(end, whole * _YEAR) - start).days
        anchor = date.fromordinal(start.toordinal() + days)
    return Interval(span=span, whole=whole, days=days, days_a_year=(anchor - months_before(anchor, _YEAR)).days)


def rate_of_charge(flows: Iterable[DatedFlow], *, span: Span | None = None) -> EuropeanRate:
    """The annual percentage rate of charge of these flows.

    Args:
        flows: from the borrower's side: drawdowns positive, repayments and charges negative.
        span: the period to measure in; if not given, weeks where all dates are whole weeks but not whole months apart,
            and months otherwise.

    Raises:
        NoRate: the flows are one-sided, or no rate or several rates fit.
    """
    ordered = in_order(flows)
    if not ordered:
        raise NoRate(NoRateReason.ONE_SIDED)
    chosen = span or _natural_span([flow.on for flow in ordered])
    terms = []
    for flow in ordered:
        time = interval(ordered[0].on, flow.on, span=chosen)
        terms.append(Term(amount=Decimal(flow.amount_minor), whole=time.whole, stub=time.stub))
    rate = effective(period_rate(terms), periods_a_year=_SPANS_A_YEAR[chosen])
    return EuropeanRate(rate=rate, percent=in_percent(rate, digits=1), span=chosen)


def _natural_span(days: list[date]) -> Span:
    by_month = all(whole_months(days[0], day)[1] == 0 for day in days)
    by_week = all((day - days[0]).days % _WEEK == 0 for day in days)
    return Span.WEEK if by_week and not by_month else Span.MONTH
