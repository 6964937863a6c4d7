"""Facts as they come in: each of the type that the rule expects, in one spelling, and what a gate needs in all."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, Final

from compliance.rules.gates import GATES
from compliance.rules.registry import versions_of
from compliance.rules.rule import FactKind
from models.domain.states import Gate


def facts_needed(gate: Gate) -> dict[str, FactKind]:
    """Every fact that a rule of the gate may ask for, in any version of the rule, in the order of the gate."""
    return {
        name: kind
        for rule_id in GATES[gate]
        for version in versions_of(rule_id)
        for name, kind in version.facts.items()
    }


def checked_fact(name: str, kind: FactKind, value: object) -> Any:
    """The value as rules see it; None stays None: it is unknown.

    A wrong type is refused instead of compared: `"0" < 1` or a true amount would be an answer nobody gave.

    Raises:
        TypeError: the value is of another type. It is not repeated in the message.
        ValueError: a figure is negative.
    """
    if value is None:
        return None
    if not _FITS[kind](value):
        raise TypeError(f"the fact {name} is no {kind.value}")
    if isinstance(value, int) and value < 0:
        raise ValueError(f"the fact {name} is negative")
    if isinstance(value, tuple):
        return tuple(sorted(set(value)))
    return value


def spelled_fact(value: Any) -> Any:
    """The value as JSON has it: dates and times in ISO 8601, instants in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def _is_figure(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_FITS: Final[dict[FactKind, Callable[[object], bool]]] = {
    FactKind.AMOUNT: _is_figure,
    FactKind.COUNT: _is_figure,
    FactKind.RATE: _is_figure,
    FactKind.YES_NO: lambda value: isinstance(value, bool),
    FactKind.CODE: lambda value: isinstance(value, str),
    FactKind.CODES: lambda value: isinstance(value, tuple) and all(isinstance(each, str) for each in value),
    FactKind.DATE: lambda value: isinstance(value, date) and not isinstance(value, datetime),
    FactKind.INSTANT: lambda value: isinstance(value, datetime) and value.tzinfo is not None,
    FactKind.TIME: lambda value: isinstance(value, time) and value.tzinfo is None,
}
