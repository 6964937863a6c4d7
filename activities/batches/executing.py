"""One chunk of a run (分片执行): judged and written in one transaction, under its lease, while the run goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from activities.batches.intake import CasesOfRows, Prepared
from activities.batches.judging import Expected, Judge, keep_verdicts
from activities.batches.policies import PolicyOf
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from models.contracts.batch_steps import ChunkDone, ChunkStep
from models.database.engine import Database
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.states import FinalState, OrderState, RunStage
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.errors import WrongState
from models.operations.batches import breakers, chunks
from models.operations.batches.chunks import Lease
from models.operations.batches.orders import Made, NewOrder, make_orders
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchRun

ORDERS: Final = "orders"  # the breakers' figures of what is executed


class Refused(Exception):
    """The lease is not the newest any more: what was done under it does not stand."""


@dataclass(slots=True)
class ChunkWork:
    """One holding of one chunk."""

    database: Database
    clock: Clock
    judge: Judge
    cases: CasesOfRows
    policy_of: PolicyOf
    lease: Lease

    def execute(self, input: ChunkStep) -> ChunkDone:
        """Give every row its outcome.

        Raises:
            Refused: somebody has taken the chunk over.
        """
        prepared = self._prepare(input)
        now = self.clock()
        deed = _deed(input, "batch.chunk-executed", now)
        done = ChunkDone(chunk=input.chunk, done=False, paused=True)
        with unit_of_work(self.database, deed) as unit:
            run = unit.session.get_one(BatchRun, input.run, with_for_update=True, populate_existing=True)
            if not chunks.holds(unit.session, input.run, input.chunk, self.lease):
                raise Refused
            if run.paused_at is not None or run.cancel_asked_at is not None or run.stage != RunStage.EXECUTING:
                raise Unchanged
            if run.tripped is not None:
                done = ChunkDone(chunk=input.chunk, done=False, stopped=run.tripped)
                raise Unchanged
            done = self._write(unit, run, input, prepared, now)
        if not done.done:
            self._let_go(input)
        return done

    def _prepare(self, input: ChunkStep) -> dict[int, Prepared]:
        """Of an intake: keys and cells of the cases to come, made before the transaction that writes them."""
        with self.database.read() as session:
            run = session.get_one(BatchRun, input.run)
            if KINDS[KindName(run.kind)].message:
                return {}
            return self.cases.prepare(session, run, self._members(session, run))

    def _write(
        self, unit: Unit, run: BatchRun, input: ChunkStep, prepared: dict[int, Prepared], now: datetime
    ) -> ChunkDone:
        session = unit.session
        members = self._members(session, run)
        answers = self.judge.expect(session, run, members, now=now, lock=True)
        is_intake = not KINDS[KindName(run.kind)].message
        orders, barred, amount = chunks.sums(session, run.token)
        wanted = sum(each.amount_minor for each in answers if each.state is OrderState.QUEUED)
        # The limit is asked before anything is made: no minor unit above it stands before a person has looked.
        over = breakers.trips(run, scope=ORDERS, answered=0, failed=0, amount_minor=amount + wanted)
        if over is not None:
            self._trip(unit, run, over, answered=orders + barred, failed=barred, amount_minor=amount + wanted, now=now)
            unit.deed.action = "batch.breaker-tripped"
            unit.deed.facts |= {"code": over}
            return ChunkDone(chunk=input.chunk, done=False, stopped=over)
        made = self._orders(unit, run, answers, prepared, now)
        unit.deed.facts |= {"orders": made.orders, "barred": made.barred, "amountMinor": made.amount_minor}
        if answers and KINDS[KindName(run.kind)].row_gate and not is_intake:
            unit.deed.facts["rules"] = keep_verdicts(session, run, answers, now=now)
        finished = chunks.finish(
            session,
            run.token,
            input.chunk,
            self.lease,
            orders=made.orders,
            barred=made.barred,
            amount_minor=made.amount_minor,
            now=now,
        )
        if not finished:
            raise Refused
        orders, barred, amount = chunks.sums(session, run.token)
        code = breakers.trips(run, scope=ORDERS, answered=orders + barred, failed=barred, amount_minor=amount)
        if code is not None:
            self._trip(unit, run, code, answered=orders + barred, failed=barred, amount_minor=amount, now=now)
            unit.also(_deed(input, "batch.breaker-tripped", now, code=code))
        return ChunkDone(
            chunk=input.chunk,
            done=True,
            stopped=code,
            orders=made.orders,
            barred=made.barred,
            amount_minor=made.amount_minor,
        )

    def _orders(
        self, unit: Unit, run: BatchRun, answers: Sequence[Expected], prepared: dict[int, Prepared], now: datetime
    ) -> Made:
        is_intake = not KINDS[KindName(run.kind)].message
        new = [
            self.cases.open(unit, run, each.member, prepared.get(each.member.number), on=each.requested_on, now=now)
            if is_intake
            else new_order(each)
            for each in answers
        ]
        return make_orders(unit.session, run, new, policy=self.policy_of(unit.session, run), now=now)

    def _members(self, session: Session, run: BatchRun) -> list[BatchMember]:
        cohort = chunks.cohort_of(session, run)
        if cohort is None:
            raise WrongState(detail=run.token, params={"state": "cohort-open"})
        return chunks.members_between(session, cohort.id, first=self.lease.first_member, last=self.lease.last_member)

    @staticmethod
    def _trip(
        unit: Unit, run: BatchRun, code: str, *, answered: int, failed: int, amount_minor: int, now: datetime
    ) -> None:
        breakers.trip(
            unit.session,
            run,
            code,
            scope=ORDERS,
            answered=answered,
            failed=failed,
            amount_minor=amount_minor,
            now=now,
        )

    def _let_go(self, input: ChunkStep) -> None:
        """The run waits: whoever goes on with it later need not wait for this lease to lapse."""
        with unit_of_work(self.database, _deed(input, "batch.chunk-given-back", self.clock())) as unit:
            if not chunks.give_back(unit.session, input.run, input.chunk, self.lease):
                raise Unchanged


def new_order(answer: Expected) -> NewOrder:
    """The order, or the reason, that follows from a judgement."""
    return NewOrder(
        member=answer.member,
        state=answer.state,
        amount_minor=answer.amount_minor,
        requested_on=answer.requested_on,
        reason_code=answer.reason_code,
        rule_id=answer.rule_id,
        final_state=FinalState.BARRED if answer.state is OrderState.BARRED else None,
    )


def _deed(input: ChunkStep, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(
        tenant=tenant_of_case(input.run),
        action=action,
        target=input.run,
        actor="workflow",
        at=now,
        facts={"chunk": input.chunk, **facts},
    )
