"""What a rule set knows of a row, and the typed conditions over it (行的事实与条件).

Every threshold says whether the figure is included (CONV-1): there is `lt` and `lte`, and no plain "below".
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.domain.batches.versioned import MAX_MINOR, Data, Name
from models.domain.servicing.components import Component


@dataclass(frozen=True, kw_only=True, slots=True)
class RowFacts:
    """One row of a cohort. Amounts are what is due of each component, in minor units.

    Attributes:
        row: its key in the cohort; no personal datum.
        product: what is owed on.
        risk: the customer's risk grade.
        term_months: of the agreement.
        days_past_due: of the whole agreement.
        balance_minor: principal not yet due, beside what is due; the rate policy speaks of it.
    """

    row: str
    product: str
    risk: str
    term_months: int
    days_past_due: int = 0
    penalty_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0
    principal_minor: int = 0
    balance_minor: int = 0

    def __post_init__(self) -> None:
        """Refuse figures below zero."""
        if min(self.term_months, self.days_past_due, self.balance_minor, *self.due_by_component().values()) < 0:
            raise ValueError("a figure of a row is not below zero")

    def due_by_component(self) -> dict[Component, int]:
        """What is due, by component."""
        return {
            Component.PENALTY: self.penalty_minor,
            Component.FEE: self.fee_minor,
            Component.INTEREST: self.interest_minor,
            Component.PRINCIPAL: self.principal_minor,
        }

    @property
    def due_minor(self) -> int:
        """Everything that is due."""
        return sum(self.due_by_component().values())


class Fact(StrEnum):
    """What a condition may ask."""

    PRODUCT = "product"
    RISK = "risk"
    TERM_MONTHS = "term-months"
    DAYS_PAST_DUE = "days-past-due"
    DUE_MINOR = "due-minor"
    PRINCIPAL_MINOR = "principal-minor"
    BALANCE_MINOR = "balance-minor"


class Op(StrEnum):
    """How it asks."""

    IN = "in"
    NOT_IN = "not-in"
    EQ = "eq"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"


_WORDS = frozenset({Fact.PRODUCT, Fact.RISK})


class Condition(Data):
    """One condition: words for product and risk with `in` or `not-in`, one number for everything else."""

    fact: Fact
    op: Op
    words: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    number: Annotated[int, Field(ge=0, le=MAX_MINOR)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        asks_words = self.fact in _WORDS
        if asks_words is not (self.op in (Op.IN, Op.NOT_IN)) or asks_words is not bool(self.words):
            raise PydanticCustomError("condition-words", "words go with in and not-in of product and risk")
        if asks_words is not (self.number is None):
            raise PydanticCustomError("condition-number", "a number goes with every other fact, and only there")
        return self

    def holds(self, row: RowFacts) -> bool:
        """Whether it holds of a row."""
        if self.fact in _WORDS:
            word = row.product if self.fact is Fact.PRODUCT else row.risk
            return (word in self.words) is (self.op is Op.IN)
        return _compares(self.op, _number(row, self.fact), self.number or 0)


def _number(row: RowFacts, fact: Fact) -> int:
    match fact:
        case Fact.TERM_MONTHS:
            return row.term_months
        case Fact.DAYS_PAST_DUE:
            return row.days_past_due
        case Fact.DUE_MINOR:
            return row.due_minor
        case Fact.PRINCIPAL_MINOR:
            return row.principal_minor
        case _:
            return row.balance_minor


def _compares(op: Op, seen: int, limit: int) -> bool:
    match op:
        case Op.LT:
            return seen < limit
        case Op.LTE:
            return seen <= limit
        case Op.GT:
            return seen > limit
        case Op.GTE:
            return seen >= limit
        case _:
            return seen == limit
