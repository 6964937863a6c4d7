"""What a fact is. Each area lists its own in its `facts.py`; `compliance.rules.fact_table` puts them together."""

from dataclasses import dataclass

from compliance.rules.rule import FactKind


@dataclass(frozen=True, slots=True)
class Fact:
    """Type and meaning of a fact."""

    kind: FactKind
    meaning: str
