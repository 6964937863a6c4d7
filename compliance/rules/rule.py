"""A rule: what it rests on, which facts it needs, and a pure function from the facts to a finding."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final

from compliance.rules.results import Authority, Citation, Parameter, Result, Severity, Verified


class FactKind(Enum):
    """The type of a fact. An amount is in minor units and never negative."""

    AMOUNT = "amount"
    YES_NO = "yes-no"
    CODE = "code"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What the check of a rule says, all facts being there."""

    result: Result
    reason: str
    text_params: dict[str, str | int] = field(default_factory=dict)


Check = Callable[[Mapping[str, Any]], Finding]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One version of a rule.

    Attributes:
        facts: the facts it needs; it sees no others.
        effective_to: the last day on which it holds; None while it does.
        reasons: every reason code that `check` may give; each has a text.
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


# Reasons that the engine gives, for every rule.
MISSING_FACTS: Final = "missing-facts"
NOT_IN_FORCE: Final = "not-in-force"
