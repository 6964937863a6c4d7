"""The calendar of an order whose debits come back with given reasons, before a policy is released (试算扣款日历)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Final

from models.domain.batches.retrying.decide import Decision, Next, decide
from models.domain.batches.retrying.orders import Attempt, AttemptState, RetryOrder
from models.domain.batches.retrying.policy import RetryPolicy
from models.domain.servicing.retry_policy import WorkingDay
from models.domain.shanghai import SHANGHAI

_MORNING: Final = time(0, 0)
MOST_REPLY_DAYS: Final = 31


@dataclass(frozen=True, kw_only=True, slots=True)
class Presentment:
    """One presentment of a simulation, with what it comes back with; None: the money comes, as nothing else is said."""

    decision: Decision
    code: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulation:
    """The presentments in order, and what follows the last of them."""

    presentments: tuple[Presentment, ...]
    last: Decision


def simulate(
    policy: RetryPolicy,
    order: RetryOrder,
    codes: Sequence[str],
    *,
    is_bank_day: WorkingDay,
    reply_days: int = 1,
    at: datetime | None = None,
) -> Simulation:
    """What becomes of an order.

    Args:
        policy: the version to try out.
        order: as it would be frozen.
        codes: what each presentment comes back with, in order; after the last of them money comes.
        is_bank_day: of the calendar.
        reply_days: calendar days from a presentment to its answer, 0 to 31.
        at: when the first presentment is decided; None: in the morning of the due date.

    Raises:
        ValueError: as for `decide`; or the answer takes longer than a month.
    """
    if not 0 <= reply_days <= MOST_REPLY_DAYS:
        raise ValueError("an answer takes 0 to 31 days")
    moment = at or _morning(order.due)
    attempts: list[Attempt] = []
    made: list[Presentment] = []
    while True:
        decision = decide(policy, order, attempts, at=moment, is_bank_day=is_bank_day)
        if decision.what is not Next.ATTEMPT or decision.on is None:
            return Simulation(presentments=tuple(made), last=decision)
        code = codes[len(attempts)] if len(attempts) < len(codes) else None
        made.append(Presentment(decision=decision, code=code))
        attempts.append(_answered(decision.on, decision.amount_minor, code, reply_days))
        if code is None and order.owed_minor is not None:  # what comes is owed no more
            order = replace(order, owed_minor=max(0, order.owed_minor - decision.amount_minor))
        moment = _morning(decision.on + timedelta(days=reply_days))


def _answered(on: date, amount_minor: int, code: str | None, reply_days: int) -> Attempt:
    if code is None:
        return Attempt(on=on, amount_minor=amount_minor, state=AttemptState.SETTLED)
    answered_on = on + timedelta(days=reply_days)
    return Attempt(on=on, amount_minor=amount_minor, state=AttemptState.FAILED, code=code, answered_on=answered_on)


def _morning(day: date) -> datetime:
    return datetime.combine(day, _MORNING, tzinfo=SHANGHAI)
