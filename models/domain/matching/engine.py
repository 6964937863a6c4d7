"""Two records in, a judgement out: the whole of matching but for finding candidates."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from models.domain.matching.levels import Agreement, Level, compare
from models.domain.matching.person import Person
from models.domain.matching.policy import Judgement, judge
from models.domain.matching.weights import Weights


@dataclass(frozen=True, slots=True)
class Scored:
    """A pair with its score and what becomes of it.

    Attributes:
        waterfall: what each field adds, in milli-bits; no value stands here.
    """

    agreement: Agreement
    waterfall: dict[str, tuple[Level, int]]
    score: int
    judgement: Judgement

    def weights_as_record(self) -> dict[str, Any]:
        """As a pair keeps it: field → [level, milli-bits]."""
        return {field: [level.value, worth] for field, (level, worth) in self.waterfall.items()}


def score_pair(
    one: Person,
    other: Person,
    *,
    weights: Weights,
    shared: Collection[str] = frozenset(),
    name_share: float | None = None,
) -> Scored:
    """Compare, weigh and judge. Symmetric in the two records.

    Args:
        one: a record.
        other: another.
        weights: of the job.
        shared: contacts that the two have in common and that several persons of the job have.
        name_share: which part of all records bears the name of the two, if it is one.
    """
    agreement = compare(one, other)
    if not one.address_core:  # without a number it is a village, no home
        shared = {*shared, "address"}
    waterfall = weights.of(agreement, name_share=name_share)
    score = sum(worth for _, worth in waterfall.values())
    return Scored(agreement, waterfall, score, judge(agreement, score=score, shared=shared))
