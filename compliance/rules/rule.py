"""A rule: what it rests on, which facts it needs, and a pure function from the facts to a finding."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final

from compliance.rules.results import Authority, Citation, Parameter, Result, Severity, Verified


class FactKind(Enum):
    """The type of a fact. What is counted is never negative."""

    AMOUNT = "amount"  # int, minor units
    COUNT = "count"  # int: months, days, seconds, how many
    RATE = "rate"  # int, millionths a year: 120_000 is 12 %
    YES_NO = "yes-no"  # bool
    CODE = "code"  # str: a word of a closed set, an identifier, a version
    CODES = "codes"  # tuple of str; order and repetition mean nothing
    DATE = "date"  # date, of the calendar of the contract
    INSTANT = "instant"  # datetime with a zone
    TIME = "time"  # time without a zone: the clock on the wall where the person is


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What the check of a rule says, all facts being there."""

    result: Result
    reason: str
    text_params: dict[str, str | int] = field(default_factory=dict)


Check = Callable[[Mapping[str, Any]], Finding]


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """When a rule has anything to say. If it does not hold, the rule does not apply and asks for no other fact.

    Attributes:
        facts: what the condition looks at; all of them belong to the facts of the rule.
        otherwise: reason code for the case that it does not hold.
    """

    facts: tuple[str, ...]
    holds: Callable[[Mapping[str, Any]], bool]
    otherwise: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One version of a rule.

    Attributes:
        facts: the facts it needs; it sees no others.
        effective_to: the last day on which it holds; None while it does.
        only_if: the condition under which the rule applies; None if it always does.
        reasons: every reason code that `check` or the condition may give; each has a text.
    """

    id: str
    authority: Authority
    citation: Citation
    effective_from: date
    effective_to: date | None = None
    verified: Verified
    severity: Severity
    facts: Mapping[str, FactKind]
    reasons: tuple[str, ...]
    check: Check
    only_if: Condition | None = None
    params: tuple[Parameter, ...] = ()

    @property
    def title(self) -> str:
        """Key of the title in the texts."""
        return f"rule.{self.id}.title"

    def holds_on(self, day: date) -> bool:
        """Whether this version is in force on a day; both ends belong to it (以内 includes the day)."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


def passed(reason: str, **text_params: str | int) -> Finding:
    """The rule is kept."""
    return Finding(result=Result.PASS, reason=reason, text_params=text_params)


def failed(reason: str, **text_params: str | int) -> Finding:
    """The rule is broken."""
    return Finding(result=Result.FAIL, reason=reason, text_params=text_params)


def lacking(required: Iterable[str], there: Iterable[str]) -> tuple[str, ...]:
    """What is required and not there, in the order of the requirement."""
    found = frozenset(there)
    return tuple(each for each in required if each not in found)


# Reasons that the engine gives, for every rule.
MISSING_FACTS: Final = "missing-facts"
NOT_IN_FORCE: Final = "not-in-force"
