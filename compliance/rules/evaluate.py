"""Asks the rules of a gate. Pure: the same facts and dates give the same verdicts, today and in ten years."""

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from compliance.audit.deeds import canonical_json
from compliance.rules.facts import checked_fact, spelled_fact
from compliance.rules.gates import GATES
from compliance.rules.registry import rule_on, versions_of
from compliance.rules.results import Result, Severity, Verdict
from compliance.rules.rule import MISSING_FACTS, NOT_IN_FORCE, Finding, Rule
from models.domain.states import Gate

# Changes whenever an answer, a parameter or a citation of any rule changes; a test holds the two together.
RULE_SET_VERSION: Final = "2026-11.6"
STANDING: Final = frozenset({Result.FAIL, Result.UNKNOWN})  # what stands against a step, if the rule blocks


def evaluate_gate(
    gate: Gate, facts: Mapping[str, object], *, as_of: date, evaluated_at: datetime | None = None
) -> tuple[Verdict, ...]:
    """The verdict of every rule of a gate, in the gate's order.

    A fact that is absent or None is unknown; facts that no rule of the gate asks for are not looked at. `as_of` is the
    date of the legal fact, not today's. `evaluated_at` is kept on the verdicts.

    Raises:
        TypeError: a fact has another type than the rule expects.
        ValueError: a figure is negative.
    """
    return tuple(evaluate_rule(rule_id, facts, as_of=as_of, evaluated_at=evaluated_at) for rule_id in GATES[gate])


def evaluate_standing(
    gate: Gate, facts: Mapping[str, object], *, as_of: date, evaluated_at: datetime | None = None
) -> tuple[Verdict, ...]:
    """Of `evaluate_gate`'s verdicts those that fail or cannot be answered, of whatever severity.

    For rows of a batch, of which only what stands against them is kept: most pass, and what they pass by needs no hash.

    Raises:
        TypeError: a fact has another type than the rule expects.
        ValueError: a figure is negative.
    """
    found = []
    for rule_id in GATES[gate]:
        rule = rule_on(rule_id, as_of=as_of)
        if rule is None:  # not in force: it does not apply
            continue
        seen = _seen(rule, facts)
        finding, missing = _answer(rule, seen)
        if finding.result in STANDING:
            found.append(_verdict(rule, seen, finding, missing=missing, as_of=as_of, evaluated_at=evaluated_at))
    return tuple(found)


def evaluate_rule(
    rule_id: str, facts: Mapping[str, object], *, as_of: date, evaluated_at: datetime | None = None
) -> Verdict:
    """The verdict of one rule, in its version of `as_of`.

    Raises:
        LookupError: there is no such rule.
        TypeError: a fact has another type than the rule expects.
        ValueError: a figure is negative.
    """
    rule = rule_on(rule_id, as_of=as_of)
    if rule is None:
        versions = versions_of(rule_id)
        nearest = next((each for each in versions if each.effective_from > as_of), versions[-1])
        finding = Finding(result=Result.NOT_APPLICABLE, reason=NOT_IN_FORCE)
        return _verdict(nearest, _seen(nearest, facts), finding, as_of=as_of, evaluated_at=evaluated_at)
    seen = _seen(rule, facts)
    finding, missing = _answer(rule, seen)
    return _verdict(rule, seen, finding, missing=missing, as_of=as_of, evaluated_at=evaluated_at)


def blocks(*, result: str, severity: str) -> bool:
    """Whether a verdict, fresh or stored, stops the step: a blocking rule that fails, or that cannot be answered."""
    return severity == Severity.BLOCK and result in STANDING


def _inputs_hash(seen: Mapping[str, Any]) -> str:
    """SHA-256, in hex, over the canonical JSON of the facts that the rule may look at; a missing one counts as null."""
    spelled = {name: spelled_fact(value) for name, value in seen.items()}
    return hashlib.sha256(canonical_json(spelled).encode()).hexdigest()


def _seen(rule: Rule, facts: Mapping[str, object]) -> dict[str, Any]:
    return {name: checked_fact(name, kind, facts.get(name)) for name, kind in rule.facts.items()}


def _answer(rule: Rule, seen: Mapping[str, Any]) -> tuple[Finding, tuple[str, ...]]:
    """The finding, and the names of missing facts. A rule that does not apply misses nothing."""
    condition = rule.only_if
    if condition is not None and all(seen[name] is not None for name in condition.facts) and not condition.holds(seen):
        return Finding(result=Result.NOT_APPLICABLE, reason=condition.otherwise), ()
    missing = tuple(name for name in rule.facts if seen[name] is None)
    if missing:
        return Finding(result=Result.UNKNOWN, reason=MISSING_FACTS, text_params={"missing": missing[0]}), missing
    return rule.check(seen), ()


def _verdict(
    rule: Rule,
    seen: Mapping[str, Any],
    finding: Finding,
    *,
    missing: tuple[str, ...] = (),
    as_of: date,
    evaluated_at: datetime | None,
) -> Verdict:
    return Verdict(
        rule_id=rule.id,
        title=rule.title,
        authority=rule.authority,
        citation=rule.citation,
        effective_from=rule.effective_from,
        effective_to=rule.effective_to,
        verified=rule.verified,
        severity=rule.severity,
        inputs_hash=_inputs_hash(seen),
        result=finding.result,
        reason=finding.reason,
        missing=missing,
        params=rule.params,
        text_params=finding.text_params,
        as_of=as_of,
        evaluated_at=evaluated_at,
    )
