"""What the rules as they are now would say of a case that they were asked about before (法律法规更新后的重新评估).

Facts are read anew from the records. An answer that differs is put down to the rules if the facts are those of the
answer on record, or if the earlier rules would still give another answer about the facts of today; otherwise the facts
have moved on, which is the ordinary course of a case and no finding.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlmodel import Session

from compliance.desk.policy import BankPolicy, evaluate_under
from compliance.policy import policy_on
from compliance.rules.evaluate import blocks
from compliance.rules.results import Verdict
from models.domain.ids import tenant_of_case
from models.domain.states import Gate
from models.operations.rule_passes import Flip, Found
from models.queries.facts import gate_facts
from models.queries.rule_passes import answers_on_record
from models.tables.installments import RuleVerdict

# Gates about a case as a whole. The others are asked about one debit, contact or change at its own moment, and are
# asked again by themselves before the next.
CASE_GATES: Final = (
    Gate.INTAKE,
    Gate.BUREAU,
    Gate.DUE_DILIGENCE,
    Gate.NEEDS,
    Gate.DECISION,
    Gate.NEGOTIATION,
    Gate.SIGNING,
    Gate.ACTIVATION,
    Gate.CLOSE,
)
NOT_ASKED: Final = "NOT_ASKED"


@dataclass(frozen=True, slots=True)
class Asking:
    """With what cases are asked again: a date of the legal fact, and the bank's policy."""

    as_of: date
    policy: BankPolicy


def look_at_case(session: Session, case_token: str, asking: Asking, found: Found) -> None:
    """Add to `found` what the rules would say differently of a case.

    Raises:
        Exception: whatever reading its facts raises; then nothing is added.
    """
    flips, verdicts, moved_on = [], 0, 0
    for name, stored in answers_on_record(session, case_token, gates=[gate.value for gate in CASE_GATES]).items():
        gate = Gate(name)
        facts = gate_facts(session, gate=gate, case_token=case_token)
        fresh = evaluate_under(asking.policy, gate, facts, as_of=asking.as_of)
        known = {verdict.rule_id: verdict for verdict in stored}
        verdicts += len(fresh)
        differing = [each for each in fresh if _differs(each, known.get(each.rule_id))]
        earlier = _by_earlier_rules(session, gate, facts, stored) if differing else {}
        for each in differing:
            before = known.get(each.rule_id)
            if before is not None and not _of_the_rules(each, before, earlier.get(each.rule_id)):
                moved_on += 1
                continue
            flips.append(_flip(case_token, gate, before, each))
    found.cases += 1
    found.verdicts += verdicts
    found.facts_changed += moved_on
    found.flips += flips


def _differs(fresh: Verdict, before: RuleVerdict | None) -> bool:
    if before is None:  # a rule that is new at the gate is a finding only where it would stop the case
        return blocks(result=fresh.result, severity=fresh.severity)
    return (fresh.result, fresh.severity) != (before.result, before.severity)


def _of_the_rules(fresh: Verdict, before: RuleVerdict, earlier: Verdict | None) -> bool:
    if fresh.inputs_hash == before.inputs_hash:
        return True
    return earlier is None or (earlier.result, earlier.severity) != (fresh.result, fresh.severity)


def _by_earlier_rules(
    session: Session, gate: Gate, facts: dict[str, object], stored: list[RuleVerdict]
) -> dict[str, Verdict]:
    """What the rules and the policy of the date of the answers on record say of today's facts."""
    as_of = stored[0].as_of
    policy = policy_on(session, tenant_of_case(stored[0].case_token), on=as_of)
    return {each.rule_id: each for each in evaluate_under(policy, gate, facts, as_of=as_of)}


def _flip(case_token: str, gate: Gate, before: RuleVerdict | None, fresh: Verdict) -> Flip:
    stopped = before is not None and blocks(result=before.result, severity=before.severity)
    return Flip(
        case_token=case_token,
        gate=gate.value,
        rule_id=fresh.rule_id,
        verdict_id=before.id if before is not None else "",
        before=before.result if before is not None else NOT_ASKED,
        before_severity=before.severity if before is not None else "",
        after=fresh.result.value,
        after_severity=fresh.severity.value,
        blocks_now=blocks(result=fresh.result, severity=fresh.severity) and not stopped,
        reason=fresh.reason,
        params=fresh.stored_params(),
    )
