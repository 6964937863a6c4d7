"""The yearly rates of a plan that the law wants shown (年化利率), and which of them stands at the top, with its label.

PBoC Announcement 2021 No. 3: the rate is all cost over the principal occupied, by internal rate of return or simple; a
simple rate says so (应说明是单利). How the annex of the announcement makes a year of a month is not settled here, so it
stays a parameter, and the default is the higher figure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from models.domain.rates.europe import Span, rate_of_charge
from models.domain.rates.flows import flows_of_rows
from models.domain.rates.simple import simple_rate
from models.domain.rates.yields import nominal, per_period
from models.domain.schedules.rows import Row


class RateMethod(StrEnum):
    """How a yearly rate is found."""

    IRR = "irr"
    SIMPLE = "simple"


class Annualisation(StrEnum):
    """How a month's rate becomes a year's: compounded, or times twelve."""

    EFFECTIVE = "effective"
    NOMINAL = "nominal"


@dataclass(frozen=True, kw_only=True, slots=True)
class YearlyRates:
    """The figures side by side, as fractions.

    Attributes:
        monthly: internal rate of return of a month.
        nominal: IRR×12.
        effective: the month's rate compounded over a year; the European rate of charge of the same flows.
        simple: 单利.
    """

    monthly: Decimal
    nominal: Decimal
    effective: Decimal
    simple: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """The rate that is shown at the top. `label` is a key of the text catalogues."""

    rate: Decimal
    label: str


def yearly_rates(rows: Sequence[Row], *, start: date, received_minor: int) -> YearlyRates:
    """All yearly rates of a plan; time runs in equal months, and in days between them.

    Args:
        rows: the plan, in order.
        start: the day from which the principal is occupied.
        received_minor: what the borrower really had on that day (民法典 Art. 670).

    Raises:
        NoRate: the plan repays nothing, or has no rate.
    """
    flows = flows_of_rows(rows, start=start, received_minor=received_minor)
    effective = rate_of_charge(flows, span=Span.MONTH).rate
    monthly = per_period(effective)
    return YearlyRates(
        monthly=monthly,
        nominal=nominal(monthly),
        effective=effective,
        simple=simple_rate(rows, start=start, received_minor=received_minor),
    )


def headline(
    rates: YearlyRates,
    *,
    method: RateMethod = RateMethod.IRR,
    irr_annualisation: Annualisation = Annualisation.EFFECTIVE,
) -> Headline:
    """The figure to show and how to call it."""
    if method is RateMethod.SIMPLE:
        return Headline(rate=rates.simple, label="rate.simple")
    if irr_annualisation is Annualisation.NOMINAL:
        return Headline(rate=rates.nominal, label="rate.irr.nominal")
    return Headline(rate=rates.effective, label="rate.irr.effective")
