"""The bank's policy on the rules as the records have it on a day."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlmodel import Session

from compliance.desk.policy import AS_DELIVERED, BankPolicy, evaluate_under
from compliance.rules.evaluate import RULE_SET_VERSION
from compliance.rules.results import Verdict
from models.domain.states import Gate
from models.queries.rule_desk import policy_row
from models.tables.rule_desk import RuleDraft


def policy_on(session: Session, tenant: str, *, on: date) -> BankPolicy:
    """The version in force on the date of the legal fact; as delivered where two persons have settled nothing."""
    row = policy_row(session, tenant, on=on)
    return policy_of(row) if row is not None else AS_DELIVERED


def policy_of(row: RuleDraft) -> BankPolicy:
    """A policy from its record."""
    return BankPolicy.from_record(row.definition, version=row.version, since=row.valid_from)


def rules_version(policy: BankPolicy) -> str:
    """Names rule set and policy together: what answers can differ by."""
    return f"{RULE_SET_VERSION}+{policy.version}" if policy.version else RULE_SET_VERSION


def ask_gate(
    session: Session,
    tenant: str,
    gate: Gate,
    facts: Mapping[str, object],
    *,
    as_of: date,
    evaluated_at: datetime | None = None,
) -> tuple[Verdict, ...]:
    """What the rules of a gate say under the policy that the bank has for the date of the legal fact.

    Raises:
        TypeError: a fact has another type than the rule expects.
        ValueError: a figure is negative.
    """
    policy = policy_on(session, tenant, on=as_of)
    return evaluate_under(policy, gate, facts, as_of=as_of, evaluated_at=evaluated_at)
