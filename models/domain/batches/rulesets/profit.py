"""What a version earns on a cohort (收益测算): interest and fees less funding, expected loss and handling. Pure.

An estimate for comparing versions, not a statement of account. Interest and funding are taken over the whole term on
the balance as equal principal pays it down, `balance × rate × (months + 1) / 24`; whole minor units, halves up, row by
row, so that the total is the sum of what is shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Self

from models.domain.batches.rulesets.evaluate import evaluate
from models.domain.batches.rulesets.facts import RowFacts
from models.domain.batches.rulesets.repayment import half_up
from models.domain.batches.rulesets.version import RuleSet
from models.domain.batches.versioned import FULL_BPS

_HALF_MONTHS: Final = 24  # twelve months, and the half of (n + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """What the bank reckons with.

    Attributes:
        funding_bps: a year, of the balance.
        handling_minor: of one row.
        loss_bps: of the balance over the term, by risk grade; a grade that is not listed takes `other_loss_bps`.
    """

    source: str
    funding_bps: int
    handling_minor: int
    other_loss_bps: int
    loss_bps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Profit:
    """Sums in minor units; of one rule or of all rows."""

    rows: int = 0
    balance_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0
    funding_minor: int = 0
    loss_minor: int = 0
    handling_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What is left; below zero: the rows cost more than they bring."""
        earned = self.interest_minor + self.fee_minor
        return earned - self.funding_minor - self.loss_minor - self.handling_minor

    @property
    def margin_bps(self) -> int:
        """Net of the balance in basis points, rounded towards zero; 0 without a balance."""
        if self.balance_minor == 0:
            return 0
        size = abs(self.net_minor) * FULL_BPS // self.balance_minor
        return size if self.net_minor >= 0 else -size

    def plus(self, other: Self) -> "Profit":
        """Both together."""
        return Profit(
            rows=self.rows + other.rows,
            balance_minor=self.balance_minor + other.balance_minor,
            interest_minor=self.interest_minor + other.interest_minor,
            fee_minor=self.fee_minor + other.fee_minor,
            funding_minor=self.funding_minor + other.funding_minor,
            loss_minor=self.loss_minor + other.loss_minor,
            handling_minor=self.handling_minor + other.handling_minor,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfitView:
    """All rows that ask for something, and the same by repayment rule; the rules add up to the total."""

    total: Profit
    by_rule: dict[str, Profit]


def profit_view(rules: RuleSet, rows: Iterable[RowFacts], costs: Costs, *, on: date) -> ProfitView:
    """What a version earns on a cohort; barred rows earn and cost nothing."""
    by_rule: dict[str, Profit] = {}
    total = Profit()
    for row in rows:
        result = evaluate(rules, row, on=on)
        if result.barred:
            continue
        one = _of_row(row, result.rate_bps or 0, result.fee_minor, costs)
        by_rule[result.rule] = by_rule.get(result.rule, Profit()).plus(one)
        total = total.plus(one)
    return ProfitView(total=total, by_rule=dict(sorted(by_rule.items())))


def _of_row(row: RowFacts, rate_bps: int, fee_minor: int, costs: Costs) -> Profit:
    loss_bps = costs.loss_bps.get(row.risk, costs.other_loss_bps)
    return Profit(
        rows=1,
        balance_minor=row.balance_minor,
        interest_minor=_over_term(row, rate_bps),
        fee_minor=fee_minor,
        funding_minor=_over_term(row, costs.funding_bps),
        loss_minor=half_up(row.balance_minor * loss_bps, FULL_BPS),
        handling_minor=costs.handling_minor,
    )


def _over_term(row: RowFacts, bps: int) -> int:
    if row.term_months == 0:
        return 0
    return half_up(row.balance_minor * bps * (row.term_months + 1), FULL_BPS * _HALF_MONTHS)
