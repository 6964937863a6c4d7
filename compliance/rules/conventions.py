"""CONV-1 to CONV-5 as functions: what words of the law mean for figures, dates, ranks, missing facts and clocks.

The rules of the same ids (`compliance.rules.batches.conventions`) ask whether a set of rules keeps to them.
"""

from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from compliance.rules.results import Authority, Result, Severity

MAINLAND: Final = ZoneInfo("Asia/Shanghai")

# 民法典 Art. 1259: the first four include the figure, the last three do not.
_UP_FROM: Final = frozenset({"以上", "届满"})
_UP_TO: Final = frozenset({"以下", "以内"})
_ABOVE: Final = frozenset({"超过", "以外"})
_BELOW: Final = frozenset({"不满"})

_BLOCKING: Final = frozenset({
    Authority.LAW, Authority.ADMINISTRATIVE_REGULATION, Authority.JUDICIAL_INTERPRETATION, Authority.DEPARTMENT_RULE,
    Authority.NORMATIVE_DOCUMENT,
})  # fmt: skip


def reaches(word: str, value: int, figure: int) -> bool:
    """CONV-1: whether a value is `word` the figure (`1000万人以上`, `超过1000万人`, `不满10万人`).

    Raises:
        ValueError: Art. 1259 does not say what the word means.
    """
    if word in _UP_FROM:
        return value >= figure
    if word in _UP_TO:
        return value <= figure
    if word in _ABOVE:
        return value > figure
    if word in _BELOW:
        return value < figure
    raise ValueError("the word is none of 以上、以下、以内、届满、不满、超过、以外")


def default_severity(authority: Authority) -> Severity:
    """CONV-3: what the state sets stops a step; a recommended standard or self-regulation is shown.

    The bank's policy may raise it; a parameter of the rule then says `bank policy`.
    """
    return Severity.BLOCK if authority in _BLOCKING else Severity.WARN


def outranks(one: Authority, other: Authority) -> bool:
    """CONV-3: whether a source stands above another (效力位阶): a law above a regulation, a standard above a guide."""
    order = tuple(Authority)
    return order.index(one) < order.index(other)


def lets_pass(result: Result) -> bool:
    """CONV-4: a missing input is not a pass."""
    return result in {Result.PASS, Result.NOT_APPLICABLE}


def wall_clock(at: datetime, *, abroad: ZoneInfo | None = None) -> time:
    """CONV-5: what the clock shows where the person is: Shanghai on the whole mainland, the own zone abroad.

    Raises:
        ValueError: the instant has no zone.
    """
    if at.tzinfo is None:
        raise ValueError("the instant has no zone")
    return at.astimezone(MAINLAND if abroad is None else abroad).time()
