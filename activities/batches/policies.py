"""Which retry policy (重试策略) the orders of a run are bound to; frozen with each order."""

from collections.abc import Callable
from typing import Any, Final

from sqlmodel import Session

from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.retrying.policy import ReasonRule
from models.domain.batches.retrying.policy import RetryPolicy as GeneralPolicy
from models.domain.batches.retrying.reasons import REASON_OF_CODE, Reason
from models.domain.servicing.retry_policy import DEFAULT_RETRY_POLICY, RetryAction, RetryPolicy
from models.operations.batches.orders import BoundPolicy
from models.queries.batches.facts_rules import version_of
from models.tables.batch_runs import BatchRun

PolicyOf = Callable[[Session, BatchRun], BoundPolicy]
_NONE: Final = BoundPolicy(version="none")
_VERSION_CHARACTERS: Final = 40


def default_policy(session: Session, run: BatchRun) -> BoundPolicy:
    """The product's policy; none for a kind that presents nothing again. Rule sets name others."""
    del session
    if not KINDS[KindName(run.kind)].has_retries:
        return _NONE
    return BoundPolicy(version=DEFAULT_RETRY_POLICY.version, body=spelled(DEFAULT_RETRY_POLICY))


def bound_policy(session: Session, run: BatchRun) -> BoundPolicy:
    """The policy of the rule set's version that the run is bound to; the product's where the set names none."""
    version = version_of(session, run)
    kept = version.body.get("retry") if version is not None else None
    if kept is None or not KINDS[KindName(run.kind)].has_retries:
        return default_policy(session, run)
    policy = GeneralPolicy.from_record(kept)
    codes = {**REASON_OF_CODE, **dict.fromkeys(policy.codes, Reason.UNKNOWN)}
    return BoundPolicy(
        version=policy.version[:_VERSION_CHARACTERS],
        body={
            "attempts": policy.attempts,
            "windowDays": policy.window_days,
            "salaryWaitDays": policy.salary_wait_days,
            "rules": {code: _rule(policy.rule_for(code, reason)) for code, reason in sorted(codes.items())},
            # A code that nobody has placed is not presented again by guess.
            "otherwise": _unplaced(policy).value,
            "hash": policy.hash,
        },
    )


def lacking(kept: dict[str, Any] | None) -> str | None:
    """What of a set's policy no order can be bound to yet; None: all of it holds. Such a set is not bound."""
    if not kept:
        return None
    policy = GeneralPolicy.from_record(kept)
    asks = policy.parts or policy.cut_off or policy.payday_before_holiday or policy.minimum_gap_days > 1
    return "retry-policy-unsupported" if asks else None


def _rule(rule: ReasonRule) -> dict[str, Any]:
    return {"action": rule.action.value, "afterDays": list(rule.after_days), "salaryAware": rule.salary_aware}


def _unplaced(policy: GeneralPolicy) -> RetryAction:
    action = policy.rule_for(None, Reason.UNKNOWN).action
    return RetryAction.STOP if action is RetryAction.RETRY else action


def spelled(policy: RetryPolicy) -> dict[str, Any]:
    """A policy as it is kept with an order."""
    return {
        "attempts": policy.attempts,
        "windowDays": policy.window_days,
        "salaryWaitDays": policy.salary_wait_days,
        "rules": {
            code: {"action": rule.action.value, "afterDays": list(rule.after_days), "salaryAware": rule.salary_aware}
            for code, rule in sorted(policy.rules.items())
        },
        "otherwise": policy.otherwise.action.value,
    }
