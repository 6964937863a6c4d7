"""What a plan costs, and what it gives up against the original rate over the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from models.domain.plans.drafts import Draft
from models.domain.plans.negotiation import BASIS_POINTS, Kind, NegotiationInput
from models.domain.rates.disclosure import YearlyRates, yearly_rates
from models.domain.rates.europe import Span, rate_of_charge
from models.domain.rates.flows import flows_of_rows
from models.domain.rates.yields import nominal, per_period
from models.domain.schedules.build import build_schedule
from models.domain.schedules.convention import Method
from models.domain.schedules.request import Balance, CustomRow, ScheduleRequest
from models.domain.schedules.rows import Row, Schedule


@dataclass(frozen=True, kw_only=True, slots=True)
class ConcessionLine:
    """What one kind of debt would cost at the original rate while it is paid off as planned, and what it costs now."""

    kind: Kind
    original_minor: int
    charged_minor: int

    @property
    def conceded_minor(self) -> int:
        """What is given up on this kind."""
        return self.original_minor - self.charged_minor


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """The price of a plan.

    Attributes:
        lines: one for each kind of debt.
        fee_minor: fees of all rows; they count against what is given up.
        rate_concession_bps: basis points by which the rate of the debt itself was lowered.
        rates: yearly rates of the plan as it is.
        original_effective: effective yearly rate of the same rows of principal at the original rate.
    """

    lines: tuple[ConcessionLine, ...]
    fee_minor: int
    rate_concession_bps: int
    rates: YearlyRates
    original_effective: Decimal

    @property
    def conceded_minor(self) -> int:
        """The lines together less the fees; below zero where the plan costs more than the debt does today."""
        return sum(line.conceded_minor for line in self.lines) - self.fee_minor

    @property
    def concession_bps(self) -> int:
        """Basis points of the yearly rate given up: IRR×12 of the rows at the original rate less that of the plan."""
        return _in_bps(nominal(per_period(self.original_effective)) - self.rates.nominal)


def price(made: Draft, about: NegotiationInput) -> Price:
    """Price a family's schedule.

    Raises:
        NoRate: the plan repays nothing.
    """
    schedule = made.plan.schedule
    originals = {
        kind: _at_original_rate(made.request, part, rate=about.original_rate) for kind, part in made.plan.parts.items()
    }
    lines = tuple(
        ConcessionLine(
            kind=Kind(kind),
            original_minor=_interest(originals[kind].rows),
            charged_minor=_interest(part.rows),
        )
        for kind, part in made.plan.parts.items()
    )
    original_flows = flows_of_rows(
        (row for original in originals.values() for row in original.rows),
        start=schedule.start,
        received_minor=schedule.principal_minor,
    )
    return Price(
        lines=lines,
        fee_minor=sum(row.fee_minor for row in schedule.rows),
        rate_concession_bps=_in_bps(
            about.original_rate - max(balance.annual_rate for balance in made.request.balances)
        ),
        rates=yearly_rates(schedule.rows, start=schedule.start, received_minor=schedule.principal_minor),
        original_effective=rate_of_charge(original_flows, span=Span.MONTH).rate,
    )


def _at_original_rate(request: ScheduleRequest, part: Schedule, *, rate: Decimal) -> Schedule:
    """The same principal on the same days, with interest at the original rate from the first day on."""
    return build_schedule(
        ScheduleRequest(
            convention=replace(request.convention, method=Method.CUSTOM),
            start=part.start,
            balances=(Balance(principal_minor=part.principal_minor, annual_rate=rate),),
            custom_rows=tuple(CustomRow(due=row.due, principal_minor=row.principal_minor) for row in part.rows),
        )
    )


def _in_bps(rate: Decimal) -> int:
    return int((rate * BASIS_POINTS).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _interest(rows: Sequence[Row]) -> int:
    return sum(row.interest_minor for row in rows)
