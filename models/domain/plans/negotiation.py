"""What a negotiation (方案协商) starts from: the debt by kind, its rate, what can be paid, and the bank's terms."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from models.domain.schedules.request import Balance

BASIS_POINTS: Final = 10_000
LONGEST_MONTHS: Final = 60  # 商业银行信用卡业务监督管理办法 Art. 70: five years at most


class Family(StrEnum):
    """Families of plans, in the order in which they are shown."""

    FIXED_TERM = "fixed-term"  # 固定期限: level rows over the term asked for
    AFFORDABLE = "affordable-amount"  # 按可负担金额: the row is what the customer can pay, the term follows
    STEP_UP = "step-up"  # 递增: three segments, each higher than the one before
    INTEREST_FREE = "interest-free-fee"  # 免息分期: no interest, a fee every month
    INTEREST_PAUSE = "interest-pause"  # 停息: no interest for the first months
    PRINCIPAL_FIRST = "principal-first"  # 先本后息: principal first, its interest without interest after it


class Kind(StrEnum):
    """Kinds of debt on a card account."""

    PURCHASES = "purchases"  # 消费
    CASH = "cash"  # 预借现金
    FEES = "fees"  # 费用
    INTEREST = "interest"  # 利息


ARREARS: Final = frozenset({Kind.FEES, Kind.INTEREST})
"""Kinds that are themselves the cost of earlier credit; plans carry them without interest unless told otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Balances:
    """The debt by kind, in minor units."""

    purchases_minor: int = 0
    cash_minor: int = 0
    fees_minor: int = 0
    interest_minor: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no debt."""
        if min(self.by_kind().values()) < 0:
            raise ValueError("balances are not negative")

    def by_kind(self) -> dict[Kind, int]:
        """All kinds, also those without a balance."""
        return {
            Kind.PURCHASES: self.purchases_minor,
            Kind.CASH: self.cash_minor,
            Kind.FEES: self.fees_minor,
            Kind.INTEREST: self.interest_minor,
        }

    @property
    def total_minor(self) -> int:
        """The whole debt."""
        return sum(self.by_kind().values())


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanTerms:
    """What the bank sets for the families, as data with a version; the version stands in every offer.

    Attributes:
        step_weights: amounts of the three segments of a step-up plan in proportion to one another.
        monthly_fee_rate: fee a month of an interest-free plan, as a fraction of the original debt.
        pause_rows: rows without interest at the start of an interest pause.
        interest_rows: rows at the end of a principal-first plan in which its interest is paid; more where they would
            otherwise be above the rows before.
        arrears_bear_interest: whether old fees and old interest bear interest again.
    """

    version: str
    step_weights: tuple[Decimal, Decimal, Decimal] = (Decimal("0.7"), Decimal("1.0"), Decimal("1.3"))
    monthly_fee_rate: Decimal = Decimal("0.003")
    pause_rows: int = 6
    interest_rows: int = 6
    arrears_bear_interest: bool = False


DEFAULT_TERMS: Final = PlanTerms(version="plans/2026-01")


@dataclass(frozen=True, kw_only=True, slots=True)
class NegotiationInput:
    """One round of a negotiation. The same input always gives the same offers.

    Attributes:
        original_rate: what the debt costs today, a fraction a year.
        capacity_minor: what the customer can pay a month.
        start: the day from which the plan runs.
        first_due: the first due date.
        term_months: rows of the families whose term is asked for.
        rate_concession_bps: basis points given up of the original rate in this round.
        concession_limit_bps: basis points that may be given up at most; the affordable amount looks for the least
            concession up to it that keeps the longest term.
        max_term_months: the longest plan.
    """

    balances: Balances
    original_rate: Decimal
    capacity_minor: int
    start: date
    first_due: date
    term_months: int
    rate_concession_bps: int = 0
    concession_limit_bps: int = 0
    max_term_months: int = LONGEST_MONTHS
    terms: PlanTerms = field(default=DEFAULT_TERMS)

    def __post_init__(self) -> None:
        """Refuse what no round can start from."""
        if self.balances.total_minor <= 0:
            raise ValueError("there is no debt to negotiate about")
        if self.first_due <= self.start:
            raise ValueError("the first due date lies after the start")
        if min(self.term_months, self.max_term_months) < 1:
            raise ValueError("a plan has at least one row")
        if min(self.capacity_minor, self.rate_concession_bps, self.concession_limit_bps) < 0 or self.original_rate < 0:
            raise ValueError("capacity, rate and concessions are not negative")

    def offered_rate(self, concession_bps: int) -> Decimal:
        """The original rate less a concession, never below zero."""
        return max(Decimal(0), self.original_rate - Decimal(concession_bps) / BASIS_POINTS)

    def balances_at(self, rate: Decimal) -> tuple[Balance, ...]:
        """The debt as balances of a schedule, those that bear interest at `rate`."""
        return tuple(
            Balance(
                kind=kind,
                principal_minor=amount,
                annual_rate=Decimal(0) if kind in ARREARS and not self.terms.arrears_bear_interest else rate,
            )
            for kind, amount in self.balances.by_kind().items()
            if amount
        )
