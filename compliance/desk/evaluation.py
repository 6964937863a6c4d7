"""A dry run of a gate: facts as JSON in, verdicts in words out. Nothing is read from records and nothing is kept."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from compliance.desk.fact_forms import facts_from_json
from compliance.desk.policy import BankPolicy, evaluate_under
from compliance.desk.telling import told_verdict
from compliance.rules.evaluate import RULE_SET_VERSION, blocks
from models.domain.states import Gate
from models.errors import FormInvalid


def evaluated(gate: Gate, facts: Mapping[str, Any], *, as_of: date, policy: BankPolicy, locale: str) -> dict[str, Any]:
    """What the rules of a gate say of facts on a date.

    Raises:
        FormInvalid: a fact is unknown to the gate, or of another kind; pointers begin with `/facts`.
    """
    try:
        read = facts_from_json(gate, facts)
    except FormInvalid as invalid:
        faults = tuple(replace(fault, pointer=f"/facts{fault.pointer}") for fault in invalid.faults)
        raise FormInvalid(faults=faults) from None
    verdicts = evaluate_under(policy, gate, read, as_of=as_of)
    return {
        "gate": gate.value,
        "asOf": as_of.isoformat(),
        "ruleSetVersion": RULE_SET_VERSION,
        "policyVersion": policy.version,
        "blocks": any(blocks(result=each.result, severity=each.severity) for each in verdicts),
        "verdicts": [told_verdict(each, locale=locale) for each in verdicts],
    }
