"""Verdicts as rows: what the rules of a gate answered, kept under the key of what they were asked about."""

from collections.abc import Iterable
from datetime import datetime

from compliance.rules.evaluate import RULE_SET_VERSION
from compliance.rules.results import Verdict
from models.domain.ids import tenant_of_case
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.tables.installments import RuleVerdict


def verdict_rows(
    verdicts: Iterable[Verdict], *, gate: Gate, case_token: str, key: str, now: datetime
) -> list[RuleVerdict]:
    """One row for each verdict, not yet in a session.

    Args:
        verdicts: what `evaluate_gate` answered.
        gate: which gate was asked.
        case_token: whose case it was about.
        key: unique for what was asked about; the same question is stored once.
        now: when it was asked.
    """
    return [
        RuleVerdict(
            id=new_token("vrd"),
            tenant=tenant_of_case(case_token),
            case_token=case_token,
            gate=gate.value,
            gate_key=key,
            rule_id=verdict.rule_id,
            rule_set_version=RULE_SET_VERSION,
            result=verdict.result,
            severity=verdict.severity,
            reason=verdict.reason,
            missing=list(verdict.missing),
            params=verdict.stored_params(),
            inputs_hash=verdict.inputs_hash,
            as_of=verdict.as_of,
            evaluated_at=now,
        )
        for verdict in verdicts
    ]
