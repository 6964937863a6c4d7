"""Plans side by side (方案对比): one offer for each family with its figures, frozen by a hash."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

from models.domain.plans.canonical import canonical_hash
from models.domain.plans.drafts import NotOffered, draft
from models.domain.plans.negotiation import BASIS_POINTS, Balances, Family, NegotiationInput
from models.domain.plans.pricing import ConcessionLine, Price, price
from models.domain.rates.america import actuarial_rate
from models.domain.rates.flows import flows_of_rows
from models.domain.rates.yields import in_percent
from models.domain.schedules.rows import Row, Schedule

_RATE_DIGITS: Final = 4  # of a rate in per cent, as it is kept and shown


class Note(StrEnum):
    """What a reader of an offer has to know beside its figures."""

    ABOVE_CAPACITY = "installment-above-capacity"
    WITHIN_CAPACITY = "installment-within-capacity"
    NO_CAPACITY = "no-capacity"
    FEE_IS_COST = "fee-counts-as-interest"  # 银保监规〔2022〕13号: the cost of the money is shown as interest
    DEARER = "dearer-than-original"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a customer compares. Amounts in minor units, rates in per cent with four decimals.

    Attributes:
        level_installment_minor: the amount that most rows come to.
        total_cost_minor: interest and fees.
        conceded_minor: what is given up against the original rate over the same rows; `lines` less fees.
        concession_bps: the same in basis points of the yearly rate (IRR×12): all that is given up, also by a pause or
            by arrears without interest.
        rate_concession_bps: basis points by which the rate itself was lowered.
        nominal, effective, simple: IRR×12, the month's rate compounded, and 单利.
        european, actuarial: rate of charge of European law, one decimal; rate of Regulation Z, two decimals.
        original_effective: effective rate of the same rows at the original rate.
        capacity_bps: highest installment over capacity, basis points, rounded up; None where there is no capacity.
        fits: whether every installment is within the capacity.
    """

    level_installment_minor: int
    first_installment_minor: int
    last_installment_minor: int
    highest_installment_minor: int
    term: int
    last_due: date
    total_paid_minor: int
    interest_minor: int
    fee_minor: int
    total_cost_minor: int
    conceded_minor: int
    concession_bps: int
    rate_concession_bps: int
    lines: tuple[ConcessionLine, ...]
    nominal: Decimal
    effective: Decimal
    simple: Decimal
    european: Decimal
    actuarial: Decimal
    original_effective: Decimal
    capacity_bps: int | None
    fits: bool

    def as_record(self) -> dict[str, object]:
        """JSON: camelCase, rates as decimal strings in per cent."""
        return {
            "levelInstallmentMinor": self.level_installment_minor,
            "firstInstallmentMinor": self.first_installment_minor,
            "lastInstallmentMinor": self.last_installment_minor,
            "highestInstallmentMinor": self.highest_installment_minor,
            "term": self.term,
            "lastDue": self.last_due.isoformat(),
            "totalPaidMinor": self.total_paid_minor,
            "interestMinor": self.interest_minor,
            "feeMinor": self.fee_minor,
            "totalCostMinor": self.total_cost_minor,
            "concededMinor": self.conceded_minor,
            "concessionBps": self.concession_bps,
            "rateConcessionBps": self.rate_concession_bps,
            "lines": [
                {"kind": line.kind.value, "originalMinor": line.original_minor, "chargedMinor": line.charged_minor}
                for line in self.lines
            ],
            "nominalPercent": str(self.nominal),
            "effectivePercent": str(self.effective),
            "simplePercent": str(self.simple),
            "europeanPercent": str(self.european),
            "actuarialPercent": str(self.actuarial),
            "originalEffectivePercent": str(self.original_effective),
            "capacityBps": self.capacity_bps,
            "fits": self.fits,
        }


@dataclass(frozen=True, kw_only=True)
class PlanOffer:
    """One family of one round. Without a schedule it is not offered, and the first reason says why.

    Attributes:
        terms_version: version of the bank's terms.
        reasons: codes; texts under `plan.reason.<code>`.
    """

    family: Family
    terms_version: str
    balances: Balances
    original_rate: Decimal
    capacity_minor: int
    reasons: tuple[str, ...]
    schedule: Schedule | None = None
    figures: Figures | None = None

    @property
    def offered(self) -> bool:
        """Whether there is a plan to choose."""
        return self.schedule is not None

    @property
    def convention(self) -> str | None:
        """Name of the convention behind the rows."""
        return self.schedule.convention if self.schedule is not None else None

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, over the canonical JSON of the whole record: what freezes a chosen plan."""
        return canonical_hash(self.as_record())

    def as_record(self) -> dict[str, object]:
        """JSON of everything that the hash covers."""
        schedule = self.schedule
        return {
            "family": self.family.value,
            "termsVersion": self.terms_version,
            "balances": {kind.value: amount for kind, amount in self.balances.by_kind().items()},
            "originalRate": format(self.original_rate.normalize(), "f"),
            "capacityMinor": self.capacity_minor,
            "reasons": list(self.reasons),
            "convention": self.convention,
            "start": schedule.start.isoformat() if schedule is not None else None,
            "rows": [_row_record(row) for row in schedule.rows] if schedule is not None else [],
            "figures": self.figures.as_record() if self.figures is not None else None,
        }


def side_by_side(about: NegotiationInput) -> tuple[PlanOffer, ...]:
    """One offer for each family, in order; a family that cannot be had is there with its reason."""
    return tuple(offer(family, about) for family in Family)


def offer(family: Family, about: NegotiationInput) -> PlanOffer:
    """One family's offer."""
    try:
        made = draft(family, about)
    except NotOffered as refused:
        return _offer(family, about, reasons=(refused.reason.value,))
    priced = price(made, about)
    schedule = made.plan.schedule
    figures = _figures(schedule, priced, capacity_minor=about.capacity_minor)
    return _offer(family, about, reasons=_notes(figures), schedule=schedule, figures=figures)


def _offer(
    family: Family,
    about: NegotiationInput,
    *,
    reasons: tuple[str, ...],
    schedule: Schedule | None = None,
    figures: Figures | None = None,
) -> PlanOffer:
    return PlanOffer(
        family=family,
        terms_version=about.terms.version,
        balances=about.balances,
        original_rate=about.original_rate,
        capacity_minor=about.capacity_minor,
        reasons=reasons,
        schedule=schedule,
        figures=figures,
    )


def _figures(schedule: Schedule, priced: Price, *, capacity_minor: int) -> Figures:
    amounts = [row.total_minor for row in schedule.rows]
    highest = max(amounts)
    flows = flows_of_rows(schedule.rows, start=schedule.start, received_minor=schedule.principal_minor)
    return Figures(
        level_installment_minor=max(amounts, key=amounts.count),
        first_installment_minor=amounts[0],
        last_installment_minor=amounts[-1],
        highest_installment_minor=highest,
        term=len(amounts),
        last_due=schedule.rows[-1].due,
        total_paid_minor=sum(amounts),
        interest_minor=sum(row.interest_minor for row in schedule.rows),
        fee_minor=priced.fee_minor,
        total_cost_minor=sum(amounts) - schedule.principal_minor,
        conceded_minor=priced.conceded_minor,
        concession_bps=priced.concession_bps,
        rate_concession_bps=priced.rate_concession_bps,
        lines=priced.lines,
        nominal=in_percent(priced.rates.nominal, digits=_RATE_DIGITS),
        effective=in_percent(priced.rates.effective, digits=_RATE_DIGITS),
        simple=in_percent(priced.rates.simple, digits=_RATE_DIGITS),
        european=in_percent(priced.rates.effective, digits=1),
        actuarial=actuarial_rate(flows).percent,
        original_effective=in_percent(priced.original_effective, digits=_RATE_DIGITS),
        capacity_bps=-(-highest * BASIS_POINTS // capacity_minor) if capacity_minor else None,
        fits=0 < highest <= capacity_minor,
    )


def _notes(figures: Figures) -> tuple[str, ...]:
    if figures.capacity_bps is None:
        notes = [Note.NO_CAPACITY]
    else:
        notes = [Note.WITHIN_CAPACITY if figures.fits else Note.ABOVE_CAPACITY]
    if figures.fee_minor:
        notes.append(Note.FEE_IS_COST)
    if figures.effective > figures.original_effective:
        notes.append(Note.DEARER)
    return tuple(note.value for note in notes)


def _row_record(row: Row) -> dict[str, object]:
    return {
        "no": row.no,
        "due": row.due.isoformat(),
        "principalMinor": row.principal_minor,
        "interestMinor": row.interest_minor,
        "feeMinor": row.fee_minor,
        "totalMinor": row.total_minor,
    }
