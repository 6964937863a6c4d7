"""Next attempts (重试): when, by the policy frozen in the order; and their orders, each made once.

A failed order keeps its claim until its next attempt takes it over, in one transaction: nobody else debits the row
between the two. Before it does the gate of the row is asked again, with the records as they are by then: what was right
of a row when the run reached it may not be weeks later.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from sqlmodel import Session, col, select

from activities.batches.bank_work import BankWork, unless_nothing
from activities.batches.judging import Expected, Judge, keep_verdicts
from activities.batches.next_tries import FAILED, NextTries, asked_on_of, frozen
from compliance.audit.unit import Unit
from models.contracts.batch_steps import PartDone
from models.domain.batches.retrying.decide import Decision
from models.domain.batches.states import FinalState, OrderState
from models.domain.tokens import named_token
from models.operations.batches import chunks
from models.operations.batches.orders import order_id
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun

CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class RetryMaker:
    """The step, over one run."""

    bank: BankWork
    judge: Judge

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
        session, token, today = unit.session, self.bank.work.run.token, self.bank.day.on
        failed = session.exec(
            select(BatchOrder)
            .where(col(BatchOrder.id).in_(ids), *due_again(token, today))
            .order_by(col(BatchOrder.id))
            .with_for_update()
        ).all()
        tries = NextTries.of(session, token, failed, is_bank_day=self.bank.is_bank_day)
        ready: list[tuple[BatchOrder, Decision]] = []
        waiting = 0
        for order in failed:
            decision = tries.decide(order, on=today, now=now)
            asked_on = asked_on_of(decision, on=today)
            order.next_try_on, order.updated_at = asked_on, now
            if asked_on is not None and asked_on > today:
                waiting += 1
            elif asked_on is not None:
                order.next_try_on = None
                order.final_state, order.final_at = FinalState(order.state).value, now
                ready.append((order, decision))
            session.add(order)
        session.flush()  # the claims are free now, and are taken again in the same transaction
        made = self._present(unit, ready, now)
        return unless_nothing({"orders": made, "dropped": len(failed) - waiting - made, "postponed": waiting})

    def _present(self, unit: Unit, ready: Sequence[tuple[BatchOrder, Decision]], now: datetime) -> int:
        """Ask the gate of each row as if the run reached it now, and make the orders that it lets pass."""
        session = unit.session
        run = session.get_one(BatchRun, self.bank.work.run.token)
        by_member = {order.member: (order, decision) for order, decision in ready}
        members = _members(session, run, list(by_member))
        answers = self.judge.expect(session, run, members, now=now, lock=True)
        fresh: list[BatchOrder] = []
        causes: list[BatchOutcome] = []
        for answer in answers:
            order, decision = by_member[answer.member.number]
            if answer.state is OrderState.QUEUED:
                fresh.append(_next(order, decision, answer, now))
            else:
                causes.append(_not_again(order, answer, now))
        session.add_all(fresh)
        session.flush()
        session.add_all([*(_made(order, now) for order in fresh), *causes])
        if answers:
            attempts = {number: order.attempt + 1 for number, (order, _) in by_member.items()}
            unit.deed.facts["rules"] = keep_verdicts(session, run, answers, now=now, attempts=attempts)
        return len(fresh)


def due_again(run: str, on: date) -> tuple[Any, ...]:
    """Conditions on orders that are to be presented again by a date."""
    return (
        col(BatchOrder.run) == run,
        col(BatchOrder.state).in_(FAILED),
        col(BatchOrder.final_state).is_(None),
        col(BatchOrder.next_try_on) <= on,
    )


def _members(session: Session, run: BatchRun, numbers: Sequence[int]) -> list[BatchMember]:
    cohort = chunks.cohort_of(session, run)
    if cohort is None or not numbers:
        return []
    return list(
        session.exec(
            select(BatchMember)
            .where(col(BatchMember.cohort) == cohort.id, col(BatchMember.number).in_(numbers))
            .order_by(col(BatchMember.number))
        )
    )


def _next(order: BatchOrder, decision: Decision, answer: Expected, now: datetime) -> BatchOrder:
    number = order.attempt + 1
    name = order_id(order.run, order.member, number)
    return BatchOrder(
        id=name,
        tenant=order.tenant,
        run=order.run,
        member=order.member,
        attempt=number,
        claim_key=order.claim_key,
        subject_id=order.subject_id,
        end_to_end_id=name.removeprefix("bor_"),
        amount_minor=min(decision.amount_minor, answer.amount_minor),  # of what is due by now, and no more
        currency=order.currency,
        mandate_id=order.mandate_id,
        state=OrderState.QUEUED,
        policy_version=order.policy_version,
        policy=frozen(order),
        requested_on=answer.requested_on,
        created_at=now,
        updated_at=now,
    )


def _made(order: BatchOrder, now: datetime) -> BatchOutcome:
    return _outcome(order, f"order/{order.id}", None, now)


def _not_again(order: BatchOrder, answer: Expected, now: datetime) -> BatchOutcome:
    """Why the next attempt was not made: it stands with the order that failed, which keeps its end."""
    return _outcome(order, f"not-again/{order.attempt + 1}", answer.reason_code, now)


def _outcome(order: BatchOrder, cause: str, reason_code: str | None, now: datetime) -> BatchOutcome:
    return BatchOutcome(
        id=named_token("bou", f"{order.id}/{cause}"),
        tenant=order.tenant,
        run=order.run,
        order_id=order.id,
        cause=cause,
        state=order.state,
        reason_code=reason_code,
        at=now,
    )
