"""A simulation as plain data for programs; keys of texts beside each reason, so that a reader can put them in words."""

from typing import Any

from models.domain.batches.retrying.decide import Decision, Next
from models.domain.batches.retrying.reasons import reason_of
from models.domain.batches.retrying.simulate import Presentment, Simulation


def told(simulation: Simulation) -> dict[str, Any]:
    """JSON values: `attempts`, and in `end` what follows them. Amounts are minor units, dates ISO 8601."""
    last = simulation.last
    return {
        "policy": {"version": last.policy_version, "hash": last.policy_hash},
        "attempts": [_presentment(each) for each in simulation.presentments],
        "end": {
            "what": last.what.value,
            "state": last.end.value if last.end is not None else None,
            "rule": last.rule,
            "takenMinor": last.taken_minor,
            "openMinor": last.open_minor,
            "reason": {"key": f"retry-cause.{last.cause}", "params": last.params},
        },
    }


def steps_of(decision: Decision) -> list[dict[str, Any]]:
    """Each step of a presentment's date and amount: rule, key of the text, parameters."""
    if decision.what is not Next.ATTEMPT:
        return []
    return [{"rule": step.rule, "key": f"retry-step.{step.code}", "params": step.params} for step in decision.steps]


def _presentment(made: Presentment) -> dict[str, Any]:
    decision = made.decision
    return {
        "number": decision.number,
        "on": decision.on.isoformat() if decision.on is not None else None,
        "amountMinor": decision.amount_minor,
        "steps": steps_of(decision),
        "comesBackWith": made.code,
        "meaning": reason_of(made.code).value if made.code is not None else None,
    }
