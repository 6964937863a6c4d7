"""Internal rate of return (内部收益率), periodic or dated, and its two yearly forms. Rates are fractions."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import Final

from models.domain.rates.flows import DatedFlow, in_order
from models.domain.rates.solving import WORKING_DIGITS, Term, period_rate

MONTHS_A_YEAR: Final = 12
_DAYS_A_YEAR: Final = 365
_HUNDRED: Final = 100


def irr(amounts: Sequence[int | Decimal]) -> Decimal:
    """Rate of one period of equally spaced flows; the first stands at time 0 and is what the borrower receives.

    Raises:
        NoRate: the flows are one-sided, or no rate or several rates fit.
    """
    return period_rate([Term(amount=Decimal(amount), whole=k) for k, amount in enumerate(amounts)])


def xirr(flows: Iterable[DatedFlow], *, days_a_year: int = _DAYS_A_YEAR) -> Decimal:
    """Effective yearly rate of dated flows with actual days over a year of `days_a_year`.

    Raises:
        NoRate: the flows are one-sided, or no rate or several rates fit.
    """
    ordered = in_order(flows)
    terms = [Term(amount=Decimal(flow.amount_minor), whole=(flow.on - ordered[0].on).days) for flow in ordered]
    return effective(period_rate(terms), periods_a_year=days_a_year)


def nominal(rate: Decimal, *, periods_a_year: int = MONTHS_A_YEAR) -> Decimal:
    """Period rate times periods: for months the figure shown as IRR×12."""
    return rate * periods_a_year


def effective(rate: Decimal, *, periods_a_year: int = MONTHS_A_YEAR) -> Decimal:
    """Period rate compounded over a year."""
    with localcontext(Context(prec=WORKING_DIGITS)):
        return (1 + rate) ** periods_a_year - 1


def per_period(effective_rate: Decimal, *, periods_a_year: int = MONTHS_A_YEAR) -> Decimal:
    """The period rate that compounds to this yearly rate. The opposite of `effective`."""
    with localcontext(Context(prec=WORKING_DIGITS)):
        return (1 + effective_rate) ** (Decimal(1) / periods_a_year) - 1


def in_percent(rate: Decimal, *, digits: int) -> Decimal:
    """A fraction as per cent with so many decimals; a half goes up, as the laws on disclosure say."""
    return (rate * _HUNDRED).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
