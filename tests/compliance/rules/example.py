"""One answer of one rule, by what is different from the case in which the rule is kept."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from compliance.rules.results import Result

TODAY: Final = date(2026, 11, 21)


@dataclass(frozen=True, kw_only=True)
class Example:
    """A rule, what is different, and what it then says."""

    rule_id: str
    result: Result
    reason: str
    changes: dict[str, Any] = field(default_factory=dict)
    as_of: date = TODAY

    @property
    def facts(self) -> dict[str, Any]:
        from tests.compliance.rules.world import kept  # the worlds of the areas stand beside their examples

        return {**kept(self.rule_id), **self.changes}

    def __str__(self) -> str:
        return f"{self.rule_id}-{self.reason}-{'-'.join(self.changes)}"


def example(rule_id: str, result: Result, reason: str, changes: dict[str, Any], *, as_of: date) -> Example:
    """One answer on another day than today."""
    return Example(rule_id=rule_id, result=result, reason=reason, changes=changes, as_of=as_of)


def of(rule_id: str, reason: str, *others: tuple[Result, str, dict[str, Any]]) -> list[Example]:
    """The kept case with its reason, then the others."""
    return [
        Example(rule_id=rule_id, result=Result.PASS, reason=reason),
        *(Example(rule_id=rule_id, result=result, reason=code, changes=changes) for result, code, changes in others),
    ]
