"""A version of a rule set (规则集版本): what a run of batches is bound to by its hash."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.domain.batches.retrying.policy import RetryPolicy
from models.domain.batches.rulesets.rates import RatePolicy
from models.domain.batches.rulesets.repayment import RepaymentRule
from models.domain.batches.versioned import Name, Source, Versioned


class RuleSet(Versioned):
    """One version. Dates are both included; what it says is taken by the date of the legal fact (CONV-2).

    Attributes:
        repayment: rules in order; the first that holds of a row is taken.
        rates: None: the set speaks of no rates.
        retry: the policy that orders under this version are bound to; None: the product's.
    """

    name: Name
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    source: Source
    valid_from: date
    valid_to: date | None = None
    repayment: Annotated[tuple[RepaymentRule, ...], Field(min_length=1, max_length=200)]
    rates: RatePolicy | None = None
    retry: RetryPolicy | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        ids = [rule.id for rule in self.repayment] + [tier.id for tier in (self.rates.tiers if self.rates else ())]
        if len(set(ids)) != len(ids):
            raise PydanticCustomError("ruleset-twice", "an id stands once")
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise PydanticCustomError("ruleset-dates", "the last day is not before the first")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether it is in force."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
