"""Cases against books after a restore: what a case's workflow knows to have been done, and the books lack. Pure.

The books are written before a workflow goes on, so nothing is missing unless they were set back to an older state.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class GapKind(StrEnum):
    """What is missing."""

    CASE = "case"
    DECISION = "decision"  # applied, as the workflow remembers
    AGREEMENT = "agreement"  # put in force
    NEWS = "news"  # told to the case


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What a case's workflow knows to have been done.

    Attributes:
        decisions: ids of the decisions that it applied.
        news: keys of the news that it was told.
        in_force: whether its agreement was put in force.
    """

    case_token: str
    decisions: frozenset[str] = frozenset()
    news: frozenset[str] = frozenset()
    in_force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What the books hold of some cases: tokens of the cases and of those in force, decisions that count, news."""

    cases: frozenset[str] = frozenset()
    in_force: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()
    news: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """One thing that the books lack. `name` is the decision's id, or the key of the news; empty for the others."""

    kind: GapKind
    case_token: str
    name: str = ""


def gaps(remembered: Iterable[Remembered], recorded: Recorded) -> Iterator[Gap]:
    """Everything that the workflows remember and the books lack, case by case."""
    for case in remembered:
        if case.case_token not in recorded.cases:
            yield Gap(kind=GapKind.CASE, case_token=case.case_token)
        for decision in sorted(case.decisions - recorded.decisions):
            yield Gap(kind=GapKind.DECISION, case_token=case.case_token, name=decision)
        if case.in_force and case.case_token not in recorded.in_force:
            yield Gap(kind=GapKind.AGREEMENT, case_token=case.case_token)
        for key in sorted(case.news - recorded.news):
            yield Gap(kind=GapKind.NEWS, case_token=case.case_token, name=key)
