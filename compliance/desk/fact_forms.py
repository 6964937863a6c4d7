"""Facts as JSON has them: read for a gate with every fault named, and an empty form to fill in.

Amounts are whole minor units, rates millionths a year, dates and times ISO 8601, instants with their offset.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

from compliance.rules.facts import checked_fact, facts_needed
from compliance.rules.gates import GATES
from compliance.rules.registry import versions_of
from compliance.rules.rule import FactKind
from models.domain.pointers import pointer_of
from models.domain.states import Gate
from models.errors import FieldFault, FormInvalid

_EXAMPLES: Final[dict[FactKind, Any]] = {
    FactKind.AMOUNT: 1_000_000,
    FactKind.COUNT: 12,
    FactKind.RATE: 120_000,
    FactKind.YES_NO: True,
    FactKind.CODE: "…",
    FactKind.CODES: ["…"],
    FactKind.DATE: "2026-11-21",
    FactKind.INSTANT: "2026-11-21T10:00:00+08:00",
    FactKind.TIME: "10:00:00",
}


def facts_from_json(gate: Gate, told: Mapping[str, Any]) -> dict[str, object]:
    """The facts of a gate as its rules expect them; null and what is not said are unknown.

    Raises:
        FormInvalid: for each fact that no rule of the gate asks for, or of another kind; it names field, the rules that
            ask for it, and what to write instead. Values are not repeated.
    """
    needed, faults, facts = facts_needed(gate), [], {}
    for name, value in told.items():
        if name not in needed:
            faults.append(FieldFault(pointer=pointer_of([name]), code="fact-unknown", params={"gate": gate.value}))
            continue
        try:
            facts[name] = checked_fact(name, needed[name], _READ[needed[name]](value) if value is not None else None)
        except (TypeError, ValueError):
            params: dict[str, str | int] = {"kind": needed[name].value, "rules": ",".join(rules_asking(gate, name))}
            faults.append(FieldFault(pointer=pointer_of([name]), code="fact-kind", params=params))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return facts


def facts_form(gate: Gate) -> dict[str, dict[str, Any]]:
    """Every fact of a gate with its kind, an example of its spelling, and the rules that ask for it."""
    return {
        name: {"kind": kind.value, "example": _EXAMPLES[kind], "rules": list(rules_asking(gate, name))}
        for name, kind in facts_needed(gate).items()
    }


def rules_asking(gate: Gate, fact: str) -> tuple[str, ...]:
    """The rules of a gate that ask for a fact, in any version."""
    return tuple(rule_id for rule_id in GATES[gate] if any(fact in version.facts for version in versions_of(rule_id)))


def _as_it_is(value: Any) -> Any:
    return value


def _codes(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_READ: Final[dict[FactKind, Callable[[Any], Any]]] = {
    **dict.fromkeys(
        (FactKind.AMOUNT, FactKind.COUNT, FactKind.RATE, FactKind.YES_NO, FactKind.CODE),
        _as_it_is,
    ),
    FactKind.CODES: _codes,
    FactKind.DATE: lambda value: date.fromisoformat(_text(value)),
    FactKind.INSTANT: lambda value: datetime.fromisoformat(_text(value)),
    FactKind.TIME: lambda value: time.fromisoformat(_text(value)),
}
