"""A version tried before it is approved (样本测试): on a sample with expected hits, and beside another version."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from models.domain.batches.line_differences import Comparison, Line, compare_versions
from models.domain.batches.rulesets.evaluate import RowResult, evaluate
from models.domain.batches.rulesets.facts import RowFacts
from models.domain.batches.rulesets.version import RuleSet

_SHOWN_ROWS: Final = 10  # of a miss: enough to see what went wrong


@dataclass(frozen=True, kw_only=True, slots=True)
class Miss:
    """A rule that was taken for more or fewer rows than expected, with some of those that it was taken for."""

    rule: str
    expected: int
    found: int
    rows: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleResult:
    """How a sample went.

    Attributes:
        hits: rows by repayment rule and by rate tier, those of the set that nobody took included.
        barred: rows by the reason for which they ask for nothing.
        misses: what is not as expected; a version that has any is not proposed.
    """

    hits: dict[str, int]
    barred: dict[str, int]
    misses: tuple[Miss, ...]

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.misses


def try_sample(rules: RuleSet, rows: Sequence[RowFacts], expected: Mapping[str, int], *, on: date) -> SampleResult:
    """A version over a sample.

    Args:
        rules: the version.
        rows: the sample.
        expected: number of rows by rule or tier; what is not named may be taken for any number. An id that the set
            does not have is a miss.
        on: the date of the legal fact.
    """
    results = [evaluate(rules, row, on=on) for row in rows]
    taken: dict[str, list[str]] = {name: [] for name in ids_of(rules)}
    for each in results:
        for name in filter(None, (each.rule, each.tier)):
            taken[name].append(each.row)
    misses = [
        Miss(rule=name, expected=count, found=len(taken.get(name, ())), rows=tuple(taken.get(name, ())[:_SHOWN_ROWS]))
        for name, count in sorted(expected.items())
        if name not in taken or len(taken[name]) != count
    ]
    barred = Counter(each.barred for each in results if each.barred)
    return SampleResult(
        hits={name: len(found) for name, found in taken.items()},
        barred=dict(sorted(barred.items())),
        misses=tuple(misses),
    )


def ids_of(rules: RuleSet) -> tuple[str, ...]:
    """Ids of the repayment rules and rate tiers of a version, in order."""
    tiers = rules.rates.tiers if rules.rates is not None else ()
    return (*(rule.id for rule in rules.repayment), *(tier.id for tier in tiers))


@dataclass(frozen=True, kw_only=True, slots=True)
class RateChange:
    """A row whose yearly rate differs, in basis points; None: it has none."""

    row: str
    before_bps: int | None
    after_bps: int | None
    before_tier: str
    after_tier: str


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionComparison:
    """Two versions over one cohort: the lines, the rates, and the hashes of what was compared."""

    before_hash: str
    after_hash: str
    lines: Comparison
    rates: tuple[RateChange, ...]


def compare(before: RuleSet, after: RuleSet, rows: Sequence[RowFacts], *, on: date) -> VersionComparison:
    """Two versions on the same rows, line by line with the reason of each difference.

    Raises:
        ValueError: a key of a row stands twice.
    """
    if len({row.row for row in rows}) != len(rows):
        raise ValueError("a row of a cohort has a key of its own")
    old = {row.row: evaluate(before, row, on=on) for row in rows}
    new = {row.row: evaluate(after, row, on=on) for row in rows}
    return VersionComparison(
        before_hash=before.hash,
        after_hash=after.hash,
        lines=compare_versions(_lines(old), _lines(new)),
        rates=tuple(
            RateChange(
                row=key,
                before_bps=old[key].rate_bps,
                after_bps=new[key].rate_bps,
                before_tier=old[key].tier,
                after_tier=new[key].tier,
            )
            for key in sorted(old)
            if old[key].rate_bps != new[key].rate_bps
        ),
    )


def _lines(results: Mapping[str, RowResult]) -> dict[str, Line]:
    return {key: each.line() for key, each in results.items()}
