"""Which rules of the registry somebody wants to see: by gate, area, law, severity, how they were verified, and date."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from compliance.rules.gates import GATES
from compliance.rules.registry import REGISTRY, versions_of
from compliance.rules.results import Severity, Verified
from compliance.rules.rule import Rule
from models.domain.states import Gate
from models.errors import FieldFault, FormInvalid

PROVISIONAL: Final = frozenset({Verified.DRAFT, Verified.MEMORY})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a list shall hold; None leaves a thing open.

    Attributes:
        area: the first part of the names of gates: `installments`, `batches`, `transfers`.
        law: part of the name of the law in either language, or the beginning of a rule's id.
        provisional: only rules whose text in force was not seen, or only the others.
        on: versions in force on this date; None: every version.
    """

    gate: Gate | None = None
    area: str | None = None
    law: str | None = None
    severity: Severity | None = None
    provisional: bool | None = None
    on: date | None = None


def gate_named(name: str) -> Gate:
    """A gate by its whole name, or by the part after the area where that is clear (`negotiation`).

    Raises:
        FormInvalid: there is no such gate, or several areas have one.
    """
    found = [gate for gate in Gate if name in (gate.value, gate.value.partition(".")[2])]
    if len(found) == 1:
        return found[0]
    allowed = ", ".join(gate.value for gate in found or Gate)
    raise FormInvalid(faults=(FieldFault(pointer="/gate", code="not-one-of", params={"allowed": allowed}),))


def gates_of(rule_id: str) -> tuple[Gate, ...]:
    """The gates at which a rule is asked."""
    return tuple(gate for gate, rules in GATES.items() if rule_id in rules)


def area_of(gate: Gate) -> str:
    """The area that a gate belongs to."""
    return gate.value.partition(".")[0]


def rules_wanted(wanted: Wanted) -> tuple[Rule, ...]:
    """The versions that fit, in the order of the registry, oldest version of a rule first."""
    ids = dict.fromkeys(rule.id for rule in REGISTRY)
    return tuple(rule for rule_id in ids for rule in versions_of(rule_id) if _fits(rule, wanted))


def _fits(rule: Rule, wanted: Wanted) -> bool:
    gates = gates_of(rule.id)
    tests: Iterable[bool] = (
        wanted.gate is None or wanted.gate in gates,
        wanted.area is None or wanted.area in {area_of(gate) for gate in gates},
        wanted.law is None or _of_law(rule, wanted.law),
        wanted.severity is None or rule.severity is wanted.severity,
        wanted.provisional is None or (rule.verified in PROVISIONAL) is wanted.provisional,
        wanted.on is None or rule.holds_on(wanted.on),
    )
    return all(tests)


def _of_law(rule: Rule, law: str) -> bool:
    sought = law.casefold()
    names = (rule.citation.law_zh, rule.citation.law_en)
    return rule.id.casefold().startswith(sought) or any(sought in name.casefold() for name in names)
