"""Repayment rules (还款规则): how much of what is due a row asks for, in which order it pays, and at what fee.

CCM-57b (商业银行信用卡业务监督管理办法 Art. 57) is no choice of the bank's: up to 90 days past due interest and fees
come before principal, from 91 on principal comes first. A rule with another order cannot be written down.
"""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.domain.batches.rulesets.facts import Condition, RowFacts
from models.domain.batches.steps import Step
from models.domain.batches.versioned import FULL_BPS, Bps, Data, Minor, Name, Source
from models.domain.servicing.allocation import SWITCH_DPD, rule_at
from models.domain.servicing.components import Component

Order = Annotated[tuple[Component, ...], Field(min_length=4, max_length=4)]

CHARGES_FIRST: Final = (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)
PRINCIPAL_FIRST: Final = (Component.PRINCIPAL, Component.PENALTY, Component.FEE, Component.INTEREST)


class RowFee(Data):
    """What the customer pays for the debit besides (手续费). `bps` is of the amount asked for, rounded half up."""

    source: Source
    fixed_minor: Minor = 0
    bps: Bps = 0
    most_minor: Minor | None = None

    def of(self, amount_minor: int) -> int:
        """The fee of an amount."""
        fee = self.fixed_minor + half_up(amount_minor * self.bps, FULL_BPS)
        return fee if self.most_minor is None else min(fee, self.most_minor)


class RepaymentRule(Data):
    """One rule; of a set the first that holds of a row is taken.

    Attributes:
        when: all of these hold; none at all holds of every row.
        up_to_90: order of the amounts up to 90 days past due.
        from_91: order from 91 days past due.
        share_bps: of what is due, rounded down.
        least_minor: never less than this, or all that is due if that is less.
        most_minor: never more than this.
        parts_allowed: the row may ask for less than what is due; without it, a row above `most_minor` is barred.
    """

    id: Name
    source: Source
    when: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()
    up_to_90: Order = CHARGES_FIRST
    from_91: Order = PRINCIPAL_FIRST
    share_bps: Annotated[int, Field(ge=1, le=FULL_BPS)] = FULL_BPS
    least_minor: Minor = 0
    most_minor: Minor | None = None
    parts_allowed: bool = False
    fee: RowFee | None = None

    @model_validator(mode="after")
    def _lawful(self) -> Self:
        for order in (self.up_to_90, self.from_91):
            if len(set(order)) != len(Component):
                raise PydanticCustomError("ruleset-order", "each component stands once")
        if self.up_to_90[-1] is not Component.PRINCIPAL or self.from_91[0] is not Component.PRINCIPAL:
            raise PydanticCustomError("ruleset-ccm-57b", "interest and fees first up to 90 days, principal from 91")
        if self.share_bps < FULL_BPS and not self.parts_allowed:
            raise PydanticCustomError("ruleset-parts", "a share needs parts to be allowed")
        if self.most_minor is not None and self.most_minor < max(1, self.least_minor):
            raise PydanticCustomError("ruleset-range", "the most is not below the least, nor nothing")
        return self

    def holds(self, row: RowFacts) -> bool:
        """Whether it is for this row."""
        return all(condition.holds(row) for condition in self.when)


def asked_minor(rule: RepaymentRule, row: RowFacts) -> tuple[int | None, tuple[Step, ...]]:
    """What a row asks for under a rule, with the working; None: it may not ask for so much, nor for less."""
    due = row.due_minor
    steps = [Step(code="due", rule=rule.id, params={"amount": due})]
    asked = due * rule.share_bps // FULL_BPS
    if asked < due:
        steps.append(Step(code="share", rule=rule.id, params={"share": rule.share_bps, "amount": asked}))
    if asked < min(due, rule.least_minor):
        asked = min(due, rule.least_minor)
        steps.append(Step(code="least", rule=rule.id, params={"amount": asked}))
    if rule.most_minor is not None and asked > rule.most_minor:
        if not rule.parts_allowed:
            return None, (*steps, Step(code="above-most", rule=rule.id, params={"limit": rule.most_minor}))
        asked = rule.most_minor
        steps.append(Step(code="most", rule=rule.id, params={"amount": asked}))
    return asked, tuple(steps)


def spread(rule: RepaymentRule, row: RowFacts, amount_minor: int) -> tuple[dict[Component, int], Step]:
    """Which component gets how much of an amount, and the rule that decides the order."""
    order = rule.from_91 if row.days_past_due >= SWITCH_DPD else rule.up_to_90
    due, left, paid = row.due_by_component(), amount_minor, {}
    for component in order:
        paid[component] = min(left, due[component])
        left -= paid[component]
    told = ",".join(component.value for component in order)
    return paid, Step(code="order", rule=rule_at(row.days_past_due), params={"order": told})


def half_up(numerator: int, denominator: int) -> int:
    """A fraction as a whole number, halves up; neither is below zero."""
    return (2 * numerator + denominator) // (2 * denominator)
