"""The adapter of a batch's steps: execute (执行): orders, chunk by chunk, under leases.

A chunk's lease is one short commit; all that follows from the chunk is a second one, which stands only if the lease is
still the newest. Who dies in between leaves nothing but a lease, and that lapses.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from temporalio import activity

from activities.batches.executing import ChunkWork, Refused
from activities.batches.intake import CasesOfRows, NoCases
from activities.batches.judging import Judge, business_date
from activities.batches.policies import PolicyOf, default_policy
from activities.batches.timing import due_in_s
from activities.batches.turns import turns
from activities.batches.withdrawing import withdraw
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import ChunkDone, ChunksPlanned, ChunkStep, PartDone, PartStep
from models.database.engine import Database
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.settings import read_settings
from models.domain.batches.states import ChunkState, RunStage
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.domain.tokens import new_token
from models.errors import WrongState
from models.operations.batches import chunks
from models.operations.batches.chunks import Lease
from models.queries.bank_days import bank_days_of
from models.tables.batch_runs import BatchChunk, BatchRun
from workflows.ports.batches import ExecutePort


def this_activity() -> str:
    """Who holds a lease: the activity, however often it is tried again; outside of Temporal, this call."""
    if not activity.in_activity():
        return new_token("hld")
    info = activity.info()
    return f"{info.workflow_run_id}/{info.activity_id}"[-64:]


@dataclass(slots=True)
class SqlExecute(ExecutePort):
    """The adapter that the workers of the `bulk` queue register.

    Attributes:
        judge: what rows come to; the same that rehearses.
        cases: makes cases of rows of an intake.
        policy_of: the retry policy that orders of a run are bound to.
        holder: names who takes a lease.
    """

    database: Database
    clock: Clock
    judge: Judge
    cases: CasesOfRows = field(default_factory=NoCases)
    policy_of: PolicyOf = default_policy
    holder: Callable[[], str] = this_activity

    @activity.defn(name="batches.plan_chunks", no_thread_cancel_exception=True)
    def plan_chunks(self, input: RunStep) -> ChunksPlanned:
        """Cut the frozen cohort into chunks; once."""
        now = self.clock()
        planned = 0
        with unit_of_work(self.database, _deed(input.run, "batch.chunks-planned", now)) as unit:
            session = unit.session
            run = session.get_one(BatchRun, input.run, with_for_update=True)
            planned = chunks.chunk_count(session, run.token)
            if planned:
                raise Unchanged
            cohort = chunks.cohort_of(session, run)
            if cohort is None or cohort.frozen_at is None:
                raise WrongState(detail=run.token, params={"state": "cohort-open"})
            planned = chunks.cut(session, run, cohort, rows=read_settings(run.settings).chunk_rows)
            if not planned:
                raise Unchanged
            unit.deed.facts["chunks"] = planned
        return ChunksPlanned(chunks=planned)

    @activity.defn(name="batches.execute_chunk", no_thread_cancel_exception=True)
    def execute_chunk(self, input: ChunkStep) -> ChunkDone:
        """Give every row of a chunk its order or its reason, in one transaction under the chunk's lease."""
        now = self.clock()
        answer = self._look(input, now)
        if answer is not None:
            return answer
        lease = self._take(input, now)
        if lease is None:
            return self._held(input, now)
        work = ChunkWork(self.database, self.clock, self.judge, self.cases, self.policy_of, lease)
        try:
            return work.execute(input)
        except Refused:  # somebody has taken it over meanwhile; nothing of ours stands
            return self._held(input, self.clock())

    @activity.defn(name="batches.withdraw_orders", no_thread_cancel_exception=True)
    def withdraw_orders(self, input: PartStep) -> PartDone:
        """Withdraw what has not left the house, in a run that is stopped; rows not reached have their reason."""
        rows = 0
        for _ in turns(self.database):
            done = withdraw(self.database, input.run, holder=self.holder(), policy_of=self.policy_of, now=self.clock())
            rows += done
            if not done:
                return PartDone(after=None, rows=rows)
        return PartDone(after=str(int(input.after or 0) + 1), rows=rows)

    def _look(self, input: ChunkStep, now: datetime) -> ChunkDone | None:
        """What keeps the chunk from being begun; a chunk that is done answers with what it came to."""
        with self.database.read() as session:
            run = session.get_one(BatchRun, input.run)
            chunk = session.get_one(BatchChunk, (input.run, input.chunk))
            if chunk.state == ChunkState.DONE:
                return done_of(chunk)
            if run.paused_at is not None or run.cancel_asked_at is not None or run.stage != RunStage.EXECUTING:
                return ChunkDone(chunk=input.chunk, done=False, paused=True)
            if run.tripped is not None:
                return ChunkDone(chunk=input.chunk, done=False, stopped=run.tripped)
            if not KINDS[KindName(run.kind)].message:
                return None
            wait = due_in_s(
                now,
                on=business_date(session, run),
                cut_off=read_settings(run.settings).cut_off,
                is_bank_day=bank_days_of(session, run.tenant, otherwise=self.judge.is_bank_day),
            )
        return ChunkDone(chunk=input.chunk, done=False, due_in_s=wait) if wait is not None else None

    def _take(self, input: ChunkStep, now: datetime) -> Lease | None:
        lease = None
        with unit_of_work(self.database, _deed(input.run, "batch.chunk-leased", now, chunk=input.chunk)) as unit:
            lease = chunks.take(unit.session, input.run, input.chunk, holder=self.holder(), now=now)
            if lease is None:
                raise Unchanged
            unit.deed.facts["fence"] = lease.fence
        return lease

    def _held(self, input: ChunkStep, now: datetime) -> ChunkDone:
        """Somebody else works on it, or has done it."""
        with self.database.read() as session:
            chunk = session.get_one(BatchChunk, (input.run, input.chunk))
        if chunk.state == ChunkState.DONE:
            return done_of(chunk)
        rest = (chunk.lease_until - now).total_seconds() if chunk.lease_until is not None else 0
        return ChunkDone(chunk=input.chunk, done=False, due_in_s=max(1, int(rest) + 1))


def done_of(chunk: BatchChunk) -> ChunkDone:
    """What a chunk that is done came to."""
    return ChunkDone(
        chunk=chunk.number, done=True, orders=chunk.orders, barred=chunk.barred, amount_minor=chunk.amount_minor
    )


def _deed(run: str, action: str, now: datetime, **facts: object) -> Deed:
    return Deed(tenant=tenant_of_case(run), action=action, target=run, actor="workflow", at=now, facts=facts)
