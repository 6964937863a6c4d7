"""Which retry policy (重试策略) the orders of a run are bound to; frozen with each order."""

from collections.abc import Callable
from typing import Any, Final

from sqlmodel import Session

from models.domain.batches.kinds import KINDS, KindName
from models.domain.servicing.retry_policy import DEFAULT_RETRY_POLICY, RetryPolicy
from models.operations.batches.orders import BoundPolicy
from models.tables.batch_runs import BatchRun

PolicyOf = Callable[[Session, BatchRun], BoundPolicy]
_NONE: Final = BoundPolicy(version="none")


def default_policy(session: Session, run: BatchRun) -> BoundPolicy:
    """The product's policy; none for a kind that presents nothing again. Rule sets name others."""
    del session
    if not KINDS[KindName(run.kind)].has_retries:
        return _NONE
    return BoundPolicy(version=DEFAULT_RETRY_POLICY.version, body=spelled(DEFAULT_RETRY_POLICY))


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
