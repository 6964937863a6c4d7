"""A rule set over a row's facts (规则试算): amount, order, fee and rate, with the working shown. Pure."""

from dataclasses import dataclass, field
from datetime import date
from typing import Final

from models.domain.batches.line_differences import BARRED, DONE, Line
from models.domain.batches.rulesets.facts import RowFacts
from models.domain.batches.rulesets.rates import rate_of
from models.domain.batches.rulesets.repayment import asked_minor, spread
from models.domain.batches.rulesets.version import RuleSet
from models.domain.batches.steps import Step
from models.domain.servicing.components import Component

NOT_IN_FORCE: Final = "not-in-force"
NO_RULE: Final = "no-rule"
NOTHING_DUE: Final = "nothing-due"
ABOVE_MOST: Final = "above-most"
NO_RATE: Final = "no-rate"
REASONS: Final = (NOT_IN_FORCE, NO_RULE, NOTHING_DUE, ABOVE_MOST, NO_RATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class RowResult:
    """What a row comes to.

    Attributes:
        row: its key.
        rule: the repayment rule that was taken; empty if none holds.
        barred: why the row asks for nothing, a code of `REASONS`; empty if it asks.
        amount_minor: what is asked for, without the fee.
        parts: of it by component.
        fee_minor: on top.
        rate_bps, tier: the yearly rate and where it comes from; None where the set speaks of no rates.
        working: each step in order; `ruleset-step.<code>` is its text.
    """

    row: str
    rule: str = ""
    barred: str = ""
    amount_minor: int = 0
    parts: dict[Component, int] = field(default_factory=dict)
    fee_minor: int = 0
    rate_bps: int | None = None
    tier: str = ""
    working: tuple[Step, ...] = ()

    def line(self) -> Line:
        """As a line of a comparison: the fee is part of what moves."""
        outcome = BARRED if self.barred else DONE
        return Line(
            outcome=outcome, amount_minor=self.amount_minor + self.fee_minor, rule=self.rule, reason=self.barred
        )


def evaluate(rules: RuleSet, row: RowFacts, *, on: date) -> RowResult:
    """What a version makes of a row.

    Args:
        rules: the version.
        row: what is known of it.
        on: the date of the legal fact.
    """
    if not rules.holds_on(on):
        return RowResult(row=row.row, barred=NOT_IN_FORCE, working=(Step(code=NOT_IN_FORCE, rule="CONV-2"),))
    rule = next((each for each in rules.repayment if each.holds(row)), None)
    if rule is None:
        return RowResult(row=row.row, barred=NO_RULE, working=(Step(code=NO_RULE, rule="BATCH-RULES"),))
    if row.due_minor == 0:
        step = Step(code=NOTHING_DUE, rule="BATCH-CUT")
        return RowResult(row=row.row, rule=rule.id, barred=NOTHING_DUE, working=(step,))
    asked, working = asked_minor(rule, row)
    if asked is None:
        return RowResult(row=row.row, rule=rule.id, barred=ABOVE_MOST, working=working)
    rate, tier = None, ""
    if rules.rates is not None:
        rate, tier, steps = rate_of(rules.rates, row, on=on)
        working += steps
        if rate is None:
            return RowResult(row=row.row, rule=rule.id, barred=NO_RATE, working=working)
    parts, order = spread(rule, row, asked)
    working += (order,)
    fee = rule.fee.of(asked) if rule.fee is not None else 0
    if fee:
        working += (Step(code="fee", rule=rule.id, params={"amount": fee}),)
    return RowResult(
        row=row.row,
        rule=rule.id,
        amount_minor=asked,
        parts=parts,
        fee_minor=fee,
        rate_bps=rate,
        tier=tier,
        working=working,
    )
