"""Two lists of lines about the same rows, told line by line (逐笔差异): a trial run and the live one, or two versions.

Every row of either list has exactly one answer: the same, another amount, another outcome, or only on one side; and a
cause with a text, `line-difference.<cause>`. Sums of both sides are carried along, so that the lines explain the total.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """How two lines of one row stand to each other."""

    SAME = "same"
    AMOUNT = "other-amount"
    OUTCOME = "other-outcome"
    ONLY_BEFORE = "only-before"
    ONLY_AFTER = "only-after"


NONE: Final = "none"
PAID_SINCE: Final = "paid-since"
GROWN_SINCE: Final = "grown-since"
BARRED_SINCE: Final = "barred-since"
FREED_SINCE: Final = "freed-since"
REFUSED_BY_BANK: Final = "refused-by-bank"
OTHER_REASON: Final = "other-reason"
OTHER_RULE: Final = "other-rule"
OTHER_TERMS: Final = "other-terms"
NOT_REACHED: Final = "not-reached"
NOT_FORESEEN: Final = "not-foreseen"
OTHER_OUTCOME: Final = "changed-outcome"
CAUSES: Final = (
    NONE, PAID_SINCE, GROWN_SINCE, BARRED_SINCE, FREED_SINCE, REFUSED_BY_BANK, OTHER_REASON, OTHER_RULE, OTHER_TERMS,
    NOT_REACHED, NOT_FORESEEN, OTHER_OUTCOME,
)  # fmt: skip

_Cause = Callable[[Kind, "Line", "Line"], str]

DONE: Final = "done"
BARRED: Final = "barred"
REFUSED: Final = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """What one row comes to.

    Attributes:
        outcome: `done`, `barred` (by a rule), `refused` (by the bank), or another word of the caller's.
        amount_minor: what the row moves, or would have moved.
        rule: who decided it.
        reason: code of why.
    """

    outcome: str
    amount_minor: int
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """The answer about one row."""

    row: str
    kind: Kind
    cause: str
    before: Line | None
    after: Line | None
    params: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """All rows in order of their keys. `before_minor + moved_minor == after_minor`, always."""

    lines: tuple[Difference, ...]
    before_minor: int
    after_minor: int

    @property
    def moved_minor(self) -> int:
        """What the lines explain of the change of the total; amounts of rows that are not done count nothing."""
        return sum(_moves(each.after) - _moves(each.before) for each in self.lines)

    def counts(self) -> dict[str, int]:
        """Rows by kind, then by cause."""
        kinds = Counter(each.kind.value for each in self.lines)
        causes = Counter(each.cause for each in self.lines if each.kind is not Kind.SAME)
        return {**{kind.value: kinds[kind.value] for kind in Kind}, **dict(sorted(causes.items()))}


def compare_runs(trial: Mapping[str, Line], live: Mapping[str, Line]) -> Comparison:
    """The live run against its trial: time has passed between them, so a difference has a cause outside.

    Args:
        trial: what was rehearsed, by row.
        live: what was done, by row.
    """
    return _compare(trial, live, _since)


def compare_versions(before: Mapping[str, Line], after: Mapping[str, Line]) -> Comparison:
    """Two versions over the same rows at the same time: a difference comes from the rules alone."""
    return _compare(before, after, _by_rules)


def _compare(before: Mapping[str, Line], after: Mapping[str, Line], cause_of: _Cause) -> Comparison:
    rows = sorted(before.keys() | after.keys())
    lines = tuple(_difference(row, before.get(row), after.get(row), cause_of) for row in rows)
    return Comparison(lines=lines, before_minor=_sum(before.values()), after_minor=_sum(after.values()))


def _difference(row: str, old: Line | None, new: Line | None, cause_of: _Cause) -> Difference:
    if old is None or new is None:
        kind = Kind.ONLY_AFTER if old is None else Kind.ONLY_BEFORE
        cause = NOT_FORESEEN if old is None else NOT_REACHED
        return Difference(row=row, kind=kind, cause=cause, before=old, after=new)
    if old.outcome != new.outcome:
        kind = Kind.OUTCOME
    elif old.outcome == DONE and old.amount_minor != new.amount_minor:
        kind = Kind.AMOUNT
    elif old.outcome != DONE and (old.rule, old.reason) != (new.rule, new.reason):
        kind = Kind.OUTCOME  # barred or refused as before, but for something else
    else:
        return Difference(row=row, kind=Kind.SAME, cause=NONE, before=old, after=new)
    params: dict[str, str | int] = {
        "before": old.amount_minor, "after": new.amount_minor, "rule": new.rule, "ruleBefore": old.rule,
        "reason": new.reason,
    }  # fmt: skip
    return Difference(row=row, kind=kind, cause=cause_of(kind, old, new), before=old, after=new, params=params)


def _since(kind: Kind, old: Line, new: Line) -> str:
    if kind is Kind.AMOUNT:
        return PAID_SINCE if new.amount_minor < old.amount_minor else GROWN_SINCE
    if old.outcome == new.outcome:
        return OTHER_REASON
    if new.outcome == BARRED:
        return BARRED_SINCE
    if new.outcome == REFUSED:
        return REFUSED_BY_BANK
    return FREED_SINCE if old.outcome == BARRED else OTHER_OUTCOME


def _by_rules(kind: Kind, old: Line, new: Line) -> str:
    if old.rule != new.rule:
        return OTHER_RULE
    return OTHER_TERMS if kind is Kind.AMOUNT else OTHER_REASON


def _moves(line: Line | None) -> int:
    return line.amount_minor if line is not None and line.outcome == DONE else 0


def _sum(lines: Iterable[Line]) -> int:
    return sum(_moves(line) for line in lines)
