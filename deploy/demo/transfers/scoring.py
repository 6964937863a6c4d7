"""How well persons were found to be one: what the job merged, held against the truth.

A pair is a row of the transferor's with either a customer of the acquirer's or an earlier row. A merge that the truth
does not know is a false one, whoever made it; a pair that the truth knows and nobody merged is missed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from deploy.demo.transfers.truth import TrueRow

BY_POLICY, BY_PERSON = "policy", "person"


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """One row that the job merged: into a record of the acquirer's, or with an earlier row; and who decided."""

    row: int
    record: str | None = None
    same_row: int | None = None
    by: str = BY_POLICY


@dataclass(slots=True)
class Score:
    """Counts of pairs. Shares are in per mille, None where there is nothing to divide by."""

    true: int = 0  # pairs that the truth knows, of rows that were not rejected
    found: dict[str, int] = field(default_factory=dict)
    false: dict[str, int] = field(default_factory=dict)

    @property
    def precision(self) -> int | None:
        """Of all merges, how many the truth knows."""
        return _share(sum(self.found.values()), sum(self.found.values()) + sum(self.false.values()))

    @property
    def policy_precision(self) -> int | None:
        """The same of merges that no person has seen."""
        found, false = self.found.get(BY_POLICY, 0), self.false.get(BY_POLICY, 0)
        return _share(found, found + false)

    @property
    def recall(self) -> int | None:
        """Of all true pairs, how many were merged, by policy or by a person."""
        return _share(sum(self.found.values()), self.true)

    @property
    def policy_recall(self) -> int | None:
        """Of all true pairs, how many needed nobody."""
        return _share(self.found.get(BY_POLICY, 0), self.true)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "truePairs": self.true,
            "found": dict(self.found),
            "false": dict(self.false),
            "precisionPerMille": self.precision,
            "recallPerMille": self.recall,
            "policyPrecisionPerMille": self.policy_precision,
            "policyRecallPerMille": self.policy_recall,
        }


def score(
    truth: Iterable[TrueRow], merged: Iterable[Merged], *, record_of: Mapping[str, str], rejected: frozenset[int]
) -> Score:
    """Hold merges against the truth.

    Args:
        truth: every row of the file.
        merged: what the job merged.
        record_of: record in the acquirer's book, by customer number.
        rejected: rows that were turned down for good; their pairs are nobody's to find.
    """
    rows = {row.row: row for row in truth}
    made = {each.row: each for each in merged}
    result = Score()
    for number, row in rows.items():
        if number in rejected:
            continue
        known = record_of.get(row.target_customer_no) if row.target_customer_no else None
        is_pair = known is not None or _first_of(row, rows, rejected) is not None
        result.true += is_pair
        merge = made.get(number)
        if merge is None:
            continue
        right = is_pair and _is_right(merge, row, rows, known)
        counts = result.found if right else result.false
        counts[merge.by] = counts.get(merge.by, 0) + 1
    return result


def _first_of(row: TrueRow, rows: Mapping[int, TrueRow], rejected: frozenset[int]) -> int | None:
    first = row.same_as_row
    return first if first is not None and first in rows and first not in rejected else None


def _is_right(merge: Merged, row: TrueRow, rows: Mapping[int, TrueRow], known: str | None) -> bool:
    if merge.record is not None and known is not None:
        return merge.record == known
    if merge.same_row is not None:
        other = rows.get(merge.same_row)
        return other is not None and other.person == row.person
    return False


def _share(part: int, whole: int) -> int | None:
    return part * 1000 // whole if whole else None
