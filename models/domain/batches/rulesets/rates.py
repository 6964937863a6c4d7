"""Rate policy (利率政策): yearly rates by product, risk and term in basis points, and the caps above which none goes.

民法典 Art. 680 forbids usury and names no figure for banks. 24 % a year is the line above which courts lower what a
financial lender asks for in all (法发〔2017〕22号, point 2); recalled only, hence provisional, and data like any other.
"""

from datetime import date
from typing import Annotated, Final, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from models.domain.batches.rulesets.facts import RowFacts
from models.domain.batches.steps import Step
from models.domain.batches.versioned import Bps, Data, Name, Source

_Months = Annotated[int, Field(ge=0, le=600)]


class RateTier(Data):
    """One rate; of a policy the first that fits a row is taken. Empty lists fit every row; both months are included."""

    id: Name
    source: Source
    products: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    risks: Annotated[tuple[Name, ...], Field(max_length=50)] = ()
    from_months: _Months = 0
    to_months: _Months = 600
    rate_bps: Bps

    @model_validator(mode="after")
    def _some_term(self) -> Self:
        if self.to_months < self.from_months:
            raise PydanticCustomError("ruleset-months", "the last month is not before the first")
        return self

    def fits(self, row: RowFacts) -> bool:
        """Whether it is for this row."""
        return (
            (not self.products or row.product in self.products)
            and (not self.risks or row.risk in self.risks)
            and self.from_months <= row.term_months <= self.to_months
        )


class RateCap(Data):
    """A ceiling of the law, in force from one day to another, both included.

    Attributes:
        rule: its id.
        provisional: the provision was not read in its text.
    """

    rule: Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9-]{0,39}\Z")]
    source: Source
    most_bps: Bps
    valid_from: date
    valid_to: date | None = None
    provisional: bool = False

    def holds_on(self, day: date) -> bool:
        """Whether it is in force."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


COURT_CAP: Final = RateCap(
    rule="CC-680",
    source="民法典 Art. 680; 法发〔2017〕22号 point 2: 24 % a year in all, from memory",
    most_bps=2_400,
    valid_from=date(2017, 8, 4),
    provisional=True,
)


class RatePolicy(Data):
    """Tiers in order, and caps; the lowest cap in force holds for every tier."""

    tiers: Annotated[tuple[RateTier, ...], Field(min_length=1, max_length=500)]
    caps: Annotated[tuple[RateCap, ...], Field(min_length=1, max_length=20)] = (COURT_CAP,)


def rate_of(policy: RatePolicy, row: RowFacts, *, on: date) -> tuple[int | None, str, tuple[Step, ...]]:
    """The yearly rate of a row in basis points, the tier, and the working; None: no tier is for it.

    Args:
        policy: of the version.
        row: what is known of it.
        on: the date of the legal fact, which chooses the caps (CONV-2).
    """
    tier = next((each for each in policy.tiers if each.fits(row)), None)
    if tier is None:
        return None, "", (Step(code="no-tier", rule="", params={"term": row.term_months}),)
    steps = [Step(code="tier", rule=tier.id, params={"rate": tier.rate_bps, "term": row.term_months})]
    caps = [cap for cap in policy.caps if cap.holds_on(on)]
    lowest = min(caps, key=lambda cap: cap.most_bps, default=None)
    if lowest is None or tier.rate_bps <= lowest.most_bps:
        return tier.rate_bps, tier.id, tuple(steps)
    steps.append(Step(code="capped", rule=lowest.rule, params={"rate": lowest.most_bps}))
    return lowest.most_bps, tier.id, tuple(steps)
