"""What follows a failed order (下一次扣款), by the policy that it keeps: the day, the amount, or why there is none.

`models.domain.batches.retrying.decide` decides; here it is told what the records hold. An answer is kept with its
order, so that everybody can see which rule gave it; it is asked again when its day has come.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select, update

from activities.batches.policies import policy_of
from models.domain.batches.retrying.decide import Decision, Next, decide
from models.domain.batches.retrying.orders import Attempt, AttemptState, Mandate, RetryOrder
from models.domain.batches.retrying.reasons import reason_of
from models.domain.batches.states import OPEN_ORDER_STATES, OrderState
from models.domain.servicing.retry_policy import RetryAction
from models.domain.shanghai import SHANGHAI
from models.tables.agreements import Mandate as MandateRow
from models.tables.batch_runs import BatchOrder, BatchRun

FAILED: Final = (OrderState.REJECTED, OrderState.RETURNED)
_DECIDED: Final = "decided"  # in `BatchOrder.policy`: what was decided when the order failed, and on which date
_PRESENTED: Final = frozenset({*OPEN_ORDER_STATES, OrderState.SETTLED, *FAILED})
_LAST_DAY: Final = 31
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NextTries:
    """Decides about failed orders of one run; read for a chunk at once.

    Attributes:
        mandates: by id, as they are now.
        history: presentments of each row, by member and attempt.
        is_bank_day: for a year that nobody has announced it raises `LookupError`, and then nothing is set by guess.
    """

    mandates: Mapping[str, MandateRow]
    history: Mapping[int, Sequence[BatchOrder]]
    is_bank_day: Callable[[date], bool]

    @classmethod
    def of(
        cls, session: Session, run: str, orders: Sequence[BatchOrder], *, is_bank_day: Callable[[date], bool]
    ) -> "NextTries":
        """Read what is known of these orders' rows."""
        wanted = {order.mandate_id for order in orders if order.mandate_id is not None}
        mandates = session.exec(select(MandateRow).where(col(MandateRow.id).in_(wanted))).all()
        history: dict[int, list[BatchOrder]] = defaultdict(list)
        found = select(BatchOrder).where(
            col(BatchOrder.run) == run, col(BatchOrder.member).in_({order.member for order in orders})
        )
        for each in session.exec(found.order_by(col(BatchOrder.member), col(BatchOrder.attempt))):
            history[each.member].append(each)
        return cls({each.id: each for each in mandates}, history, is_bank_day)

    def decide(self, order: BatchOrder, *, on: date, now: datetime, answered_on: date | None = None) -> Decision:
        """What follows for an order on a business date.

        Args:
            order: a failed one.
            on: the business date; the time of day is the clock's.
            now: for the time of day, by which a cut-off has passed or not.
            answered_on: when it failed, if that is being written just now; otherwise it stands with the order.
        """
        rows = [each for each in self.history[order.member] if OrderState(each.state) in _PRESENTED]
        attempts = [_attempt(each, answered_on if each.id == order.id else None, on=on) for each in rows]
        mandate = self.mandates.get(order.mandate_id or "")
        terms = (
            Mandate(limit_minor=mandate.limit_minor, valid_to=mandate.valid_to, revoked=mandate.revoked_at is not None)
            if mandate is not None
            else Mandate(revoked=True)  # nobody allows a debit any more
        )
        first = rows[0]
        claim = RetryOrder(
            amount_minor=first.amount_minor, due=first.requested_on, mandate=terms, salary_day=_salary_day(order)
        )
        local = datetime.combine(on, now.astimezone(SHANGHAI).timetz())
        return decide(policy_of(order), claim, attempts, at=local, is_bank_day=self.is_bank_day)


def after_failures(
    session: Session,
    run: BatchRun,
    orders: Sequence[BatchOrder],
    *,
    on: date,
    now: datetime,
    is_bank_day: Callable[[date], bool],
) -> None:
    """Note on failed orders of a run when each is presented again; a reason that forbids debits ends the mandate.

    They are decided in the order in which they are given: behind one that ended its mandate no other of it is tried.
    """
    presented = [order for order in orders if order.mandate_id is not None]  # wages are never presented again
    if not presented:
        return
    tries = NextTries.of(session, run.token, presented, is_bank_day=is_bank_day)
    ended: set[str] = set()
    for order in presented:
        decision = tries.decide(order, on=on, now=now, answered_on=on)
        keep_decision(order, decision, answered_on=on)
        order.next_try_on, order.updated_at = asked_on_of(decision, on=on), now
        session.add(order)
        rule = policy_of(order).rule_for(order.reason_code, reason_of(order.reason_code))
        mandate = tries.mandates.get(order.mandate_id or "")
        if rule.action is RetryAction.STOP and mandate is not None and mandate.revoked_at is None:
            ended.add(mandate.id)
            set_committed_value(mandate, "revoked_at", now)  # for those behind it, and for the notices
    if ended:
        session.exec(
            update(MandateRow)
            .where(col(MandateRow.id).in_(ended), col(MandateRow.revoked_at).is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )
    session.flush()


def asked_on_of(decision: Decision, *, on: date) -> date | None:
    """On which date an order is looked at next: its day, or tomorrow where nobody can tell it yet; None: never."""
    return on + _DAY if decision.what is Next.WAIT else decision.on


def keep_decision(order: BatchOrder, decision: Decision, *, answered_on: date) -> None:
    """Keep with the order what follows, and by which rule; the policy beside it stays as it was frozen."""
    kept: dict[str, Any] = {
        "answeredOn": answered_on.isoformat(),
        "what": decision.what.value,
        "on": decision.on.isoformat() if decision.on is not None else None,
        "amountMinor": decision.amount_minor,
        "cause": decision.cause,
        "rule": decision.rule,
        "steps": [{"code": step.code, "rule": step.rule, "params": step.params} for step in decision.steps],
    }
    order.policy = order.policy | {_DECIDED: kept}


def frozen(order: BatchOrder) -> dict[str, Any]:
    """What the next attempt is bound to: all that this one was, without what was decided about it."""
    return {name: value for name, value in order.policy.items() if name != _DECIDED}


def _attempt(order: BatchOrder, answered_on: date | None, *, on: date) -> Attempt:
    state = OrderState(order.state)
    if state in FAILED:
        kept = order.policy.get(_DECIDED, {}).get("answeredOn")
        known = answered_on or (date.fromisoformat(kept) if kept else on)
        return Attempt(
            on=order.requested_on,
            amount_minor=order.amount_minor,
            state=AttemptState.FAILED,
            code=order.reason_code,
            answered_on=known,
        )
    settled = state is OrderState.SETTLED
    return Attempt(
        on=order.requested_on,
        amount_minor=order.amount_minor,
        state=AttemptState.SETTLED if settled else AttemptState.OPEN,
    )


def _salary_day(order: BatchOrder) -> int | None:
    """Day of the month on which the customer's wage comes, where the order was made knowing it."""
    day = order.policy.get("salaryDay")
    return int(day) if day is not None and 1 <= int(day) <= _LAST_DAY else None
