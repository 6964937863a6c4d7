"""Which retry policy (重试策略) the orders of a run are bound to; frozen whole with each order, with its hash."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from sqlmodel import Session

from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.retrying.policy import DEFAULT_POLICY, RetryPolicy, general_form
from models.domain.servicing.retry_policy import RETRY_POLICIES
from models.operations.batches.orders import BoundPolicy
from models.queries.batches.facts_rules import version_of
from models.tables.batch_runs import BatchOrder, BatchRun

PolicyOf = Callable[[Session, BatchRun], BoundPolicy]
_NONE: Final = BoundPolicy(version="none")
_VERSION_CHARACTERS: Final = 40
_RECORD: Final = "record"  # in `BatchOrder.policy`: the policy as `RetryPolicy.as_record` spells it


def default_policy(session: Session, run: BatchRun) -> BoundPolicy:
    """The product's policy; none for a kind that presents nothing again. Rule sets name others."""
    del session
    return _bound(DEFAULT_POLICY) if KINDS[KindName(run.kind)].has_retries else _NONE


def bound_policy(session: Session, run: BatchRun) -> BoundPolicy:
    """The policy of the rule set's version that the run is bound to; the product's where the set names none."""
    version = version_of(session, run)
    kept = version.body.get("retry") if version is not None else None
    if kept is None or not KINDS[KindName(run.kind)].has_retries:
        return default_policy(session, run)
    return _bound(RetryPolicy.from_record(kept))


def policy_of(order: BatchOrder) -> RetryPolicy:
    """The policy that an order was bound to when it was made: a later version never moves its dates."""
    kept = order.policy.get(_RECORD)
    if kept is not None:
        return _read(json.dumps(kept))
    return _of_daily_run(order.policy_version)


# Nearly all orders of a run are bound to one policy, and reading it costs more than what it decides.
@lru_cache(maxsize=64)
def _read(text: str) -> RetryPolicy:
    return RetryPolicy.read_json(text)


@lru_cache(maxsize=64)
def _of_daily_run(version: str) -> RetryPolicy:
    daily = RETRY_POLICIES.get(version)
    return general_form(daily) if daily is not None else DEFAULT_POLICY


def lacking(kept: dict[str, Any] | None) -> str | None:
    """What of a set's policy no order can be bound to yet; None: all of it holds. Such a set is not bound.

    Parts: no record says that a mandate allows them, and what is left of a part that came would be debited by nobody.
    """
    return "retry-policy-unsupported" if kept and RetryPolicy.from_record(kept).parts else None


def _bound(policy: RetryPolicy) -> BoundPolicy:
    body = {_RECORD: policy.as_record(), "hash": policy.hash}
    return BoundPolicy(version=policy.version[:_VERSION_CHARACTERS], body=body)
