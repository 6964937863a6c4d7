"""Next attempts (重试): when, by the policy frozen in the order; and their orders, each made once.

A failed order keeps its claim until its next attempt takes it over, in one transaction: nobody else debits the row
between the two.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final, Protocol

from sqlmodel import Session, col, exists, select, update

from activities.batches.bank_work import BankWork, unless_nothing
from compliance.audit.unit import Unit
from models.contracts.batch_steps import PartDone
from models.domain.batches.states import DisputeState, FinalState, OrderState
from models.domain.servicing.retry_policy import (
    DEFAULT_RETRY_POLICY,
    RETRY_POLICIES,
    RetryAction,
    RetryPolicy,
    RetryRule,
    next_try,
)
from models.domain.tokens import named_token
from models.tables.agreements import Mandate
from models.tables.batch_books import BatchDispute
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun

CHUNK: Final = 200
_LAST_DAY: Final = 31
FAILED: Final = (OrderState.REJECTED, OrderState.RETURNED)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What follows a failure: the day of the next attempt and what it asks for, or that there is none."""

    on: date | None
    amount_minor: int
    stops_mandate: bool


class NextAttempt(Protocol):
    """How the policy that an order is bound to answers a failure. Partial amounts and salary days come in here."""

    def __call__(self, order: BatchOrder, *, reason: str, due: date, failed_on: date, is_bank_day: Any) -> FollowUp:
        """What follows."""


def by_frozen_policy(
    order: BatchOrder, *, reason: str, due: date, failed_on: date, is_bank_day: Callable[[date], bool]
) -> FollowUp:
    """By the body that the order keeps, or by the version that it names; always for the whole amount."""
    ask = partial(
        next_try,
        policy_of(order),
        reason=reason,
        attempt=order.attempt,
        due=due,
        failed_on=failed_on,
        salary_day=_salary_day(order),
    )
    try:
        then = ask(is_working_day=is_bank_day)
    except LookupError:  # nobody knows that year's calendar: nothing is moved by guess
        then = ask()
    return FollowUp(then.on, order.amount_minor, then.action is RetryAction.STOP)


def policy_of(order: BatchOrder) -> RetryPolicy:
    """The policy that an order was bound to when it was made: a later version never moves its dates."""
    body = order.policy
    if not body.get("rules"):
        return RETRY_POLICIES.get(order.policy_version, DEFAULT_RETRY_POLICY)
    rules = {
        code: RetryRule(
            action=RetryAction(rule["action"]),
            after_days=tuple(rule.get("afterDays", ())),
            salary_aware=bool(rule.get("salaryAware", False)),
        )
        for code, rule in body["rules"].items()
    }
    return RetryPolicy(
        version=order.policy_version,
        source="frozen in the order",
        rules=rules,
        otherwise=RetryRule(action=RetryAction(body["otherwise"])),
        attempts=int(body["attempts"]),
        window_days=int(body["windowDays"]),
        salary_wait_days=int(body["salaryWaitDays"]),
    )


def after_failure(
    session: Session,
    run: BatchRun,
    order: BatchOrder,
    *,
    reason: str | None,
    on: date,
    now: datetime,
    is_bank_day: Callable[[date], bool],
    attempt: NextAttempt = by_frozen_policy,
) -> FollowUp:
    """Note on a failed order when it is presented again; a reason that forbids debits ends the mandate."""
    if order.mandate_id is None:  # wages are never presented again by themselves
        return FollowUp(None, 0, stops_mandate=False)
    first = session.exec(
        select(col(BatchOrder.requested_on)).where(
            col(BatchOrder.run) == run.token, col(BatchOrder.member) == order.member, col(BatchOrder.attempt) == 1
        )
    ).one()
    then = attempt(order, reason=reason or "", due=first, failed_on=on, is_bank_day=is_bank_day)
    order.next_try_on, order.updated_at = then.on, now
    session.add(order)
    if then.stops_mandate:
        session.exec(
            update(Mandate)
            .where(col(Mandate.id) == order.mandate_id, col(Mandate.revoked_at).is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )
    session.flush()
    return then


@dataclass(frozen=True, slots=True)
class RetryMaker:
    """The step, over one run."""

    bank: BankWork
    amount_of: Callable[[BatchOrder], int] = lambda order: order.amount_minor

    def run(self, after: str) -> PartDone:
        """Make what is due; `after` is the last order that was looked at."""
        made = 0
        while True:
            if self.bank.work.is_held():
                return PartDone(after=after, paused=True, rows=made)
            orders = self._due(after)
            if not orders:
                return PartDone(after=None, rows=made)
            self.bank.write("batch.retries-made", partial(self._make, [order.id for order in orders]))
            after, made = orders[-1].id, made + len(orders)
            self.bank.rest()
            if self.bank.work.turn_is_over:
                return PartDone(after=after, rows=made)

    def _due(self, after: str) -> list[BatchOrder]:
        with self.bank.work.database.read() as session:
            return list(
                session.exec(
                    select(BatchOrder)
                    .where(*due_again(self.bank.work.run.token, self.bank.day.on), col(BatchOrder.id) > after)
                    .order_by(col(BatchOrder.id))
                    .limit(CHUNK)
                )
            )

    def _make(self, ids: Sequence[str], unit: Unit, now: datetime) -> Mapping[str, int]:
        session, run, today = unit.session, self.bank.work.run, self.bank.day.on
        failed = session.exec(
            select(BatchOrder)
            .where(col(BatchOrder.id).in_(ids), *due_again(run.token, today))
            .order_by(col(BatchOrder.id))
            .with_for_update()
        ).all()
        standing = _standing(session, failed, on=today)
        fresh = []
        for order in failed:
            order.next_try_on, order.updated_at = None, now
            if order.id in standing:
                order.final_state, order.final_at = FinalState(order.state).value, now
                fresh.append(self._next(order, now))
            session.add(order)
        session.flush()  # the claims are free now, and are taken again in the same transaction
        session.add_all(fresh)
        session.flush()
        session.add_all(_made(order, now) for order in fresh)
        return unless_nothing({"orders": len(fresh), "dropped": len(failed) - len(fresh)})

    def _next(self, order: BatchOrder, now: datetime) -> BatchOrder:
        number = order.attempt + 1
        name = named_token("bor", f"{order.run}/{order.member}/{number}")
        return BatchOrder(
            id=name,
            tenant=order.tenant,
            run=order.run,
            member=order.member,
            attempt=number,
            claim_key=order.claim_key,
            subject_id=order.subject_id,
            end_to_end_id=name.removeprefix("bor_"),
            amount_minor=self.amount_of(order),
            currency=order.currency,
            mandate_id=order.mandate_id,
            state=OrderState.QUEUED,
            policy_version=order.policy_version,
            policy=order.policy,
            requested_on=self.bank.day.on,
            created_at=now,
            updated_at=now,
        )


def due_again(run: str, on: date) -> tuple[Any, ...]:
    """Conditions on orders that are to be presented again by a date."""
    return (
        col(BatchOrder.run) == run,
        col(BatchOrder.state).in_(FAILED),
        col(BatchOrder.final_state).is_(None),
        col(BatchOrder.next_try_on) <= on,
    )


def _standing(session: Session, orders: Sequence[BatchOrder], *, on: date) -> set[str]:
    """Which of these may be debited still: the mandate stands and covers it, and nobody contests the order."""
    if not orders:
        return set()
    contested = exists().where(
        col(BatchDispute.order_id) == col(BatchOrder.id), col(BatchDispute.state) == DisputeState.OPEN
    )
    return set(
        session.exec(
            select(BatchOrder.id)
            .join(Mandate, col(Mandate.id) == col(BatchOrder.mandate_id))
            .where(
                col(BatchOrder.id).in_([order.id for order in orders]),
                col(Mandate.revoked_at).is_(None),
                col(Mandate.signed_on) <= on,
                col(Mandate.valid_to) >= on,
                col(Mandate.limit_minor) >= col(BatchOrder.amount_minor),
                ~contested,
            )
        )
    )


def _made(order: BatchOrder, now: datetime) -> BatchOutcome:
    cause = f"order/{order.id}"
    return BatchOutcome(
        id=named_token("bou", f"{order.id}/{cause}"),
        tenant=order.tenant,
        run=order.run,
        order_id=order.id,
        cause=cause,
        state=order.state,
        at=now,
    )


def _salary_day(order: BatchOrder) -> int | None:
    """Day of the month on which the customer's wage comes, where the order was made knowing it."""
    day = order.policy.get("salaryDay")
    return int(day) if day is not None and 1 <= int(day) <= _LAST_DAY else None
