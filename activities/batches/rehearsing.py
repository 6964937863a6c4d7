"""Rehearsing and comparing (试运行、差异): the judgement of the live run with effects off, and what came of it."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table, bindparam
from sqlmodel import Session, col, func, select, update

from activities.batches.judging import Expected, Judge
from activities.batches.turns import turns
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_steps import PartDone, PartStep, Rehearsed
from models.database.bulk import insert_many, update_many
from models.database.engine import Database
from models.domain.batches.differences import Line, difference
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.settings import read_settings
from models.domain.batches.states import MemberState, OrderState
from models.domain.clock import Clock
from models.domain.ids import tenant_of_case
from models.errors import WrongState
from models.operations.batches.chunks import cohort_of
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchRehearsal, BatchRun

# Reserves the client's funding for what the rehearsal says; called in the transaction that sums it.
HoldFunding = Callable[..., None]
_TABLE: Final[Table] = BatchRehearsal.__table__  # type: ignore[attr-defined]
_AT_ONCE: Final = 500
_COMPARED: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.run == bindparam("of_run"),
        _TABLE.c.revision == bindparam("of_revision"),
        _TABLE.c.member == bindparam("of_member"),
    )
    .values(difference=bindparam("code"), compared_at=bindparam("at"))
)


def no_funding(session: Session, run: BatchRun, *, amount_minor: int, now: datetime) -> None:
    """Where nothing is reserved."""
    del session, run, amount_minor, now


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The steps over one run's rehearsal."""

    database: Database
    clock: Clock
    judge: Judge
    hold_funding: HoldFunding = no_funding

    def rehearse(self, input: PartStep) -> PartDone:
        """Write the next rows' expected outcomes; what is written stands, whoever asks again."""
        after, rows = int(input.after or 0), 0
        for _ in turns(self.database):
            found = self._rehearse(input.run, after)
            if found is None:
                return PartDone(after=input.after if not rows else str(after), paused=True, rows=rows)
            last, count = found
            rows += count
            if last is None:
                return PartDone(after=None, rows=rows)
            after = last
        return PartDone(after=str(after), rows=rows)

    def sum_up(self, token: str) -> Rehearsed:
        """Totals and hash of the rehearsal; of a payroll its funding is reserved in the same transaction."""
        now = self.clock()
        summed = Rehearsed(orders=0, barred=0, amount_minor=0, rehearsal_hash="")
        with unit_of_work(self.database, _deed(token, "batch.rehearsal-summed", now)) as unit:
            session = unit.session
            run = session.get_one(BatchRun, token, with_for_update=True)
            summed = _summed(session, run)
            if run.rehearsal_hash == summed.rehearsal_hash:
                raise Unchanged
            run.rehearsal_hash, run.updated_at, run.version = summed.rehearsal_hash, now, run.version + 1
            session.add(run)
            if KINDS[KindName(run.kind)].needs_funding:
                self.hold_funding(session, run, amount_minor=summed.amount_minor, now=now)
            unit.deed.facts |= {
                "orders": summed.orders,
                "barred": summed.barred,
                "amountMinor": summed.amount_minor,
                "hash": summed.rehearsal_hash,
            }
        return summed

    def compare(self, input: PartStep) -> PartDone:
        """Line by line, what the live run did otherwise, and why."""
        after, rows = int(input.after or 0), 0
        for _ in turns(self.database):
            last, count = self._compare(input.run, after)
            rows += count
            if last is None:
                return PartDone(after=None, rows=rows)
            after = last
        return PartDone(after=str(after), rows=rows)

    def _rehearse(self, token: str, after: int) -> tuple[int | None, int] | None:
        """The next chunk of rows; None: a person has paused the run."""
        now = self.clock()
        last: int | None = None
        count, paused = 0, False
        with unit_of_work(self.database, _deed(token, "batch.rehearsed", now)) as unit:
            session = unit.session
            run = session.get_one(BatchRun, token, with_for_update=True, populate_existing=True)
            if run.paused_at is not None:
                paused = True
                raise Unchanged
            cohort = cohort_of(session, run)
            if cohort is None or cohort.frozen_at is None:
                raise WrongState(detail=token, params={"state": "cohort-open"})
            members = _next_members(session, cohort.id, after, limit=read_settings(run.settings).chunk_rows)
            if not members:
                raise Unchanged
            last, count = members[-1].number, len(members)
            known = _rehearsed(session, run, members)
            new = [each for each in members if each.number not in known]
            if not new:
                raise Unchanged
            answers = self.judge.expect(session, run, new, now=now, taken=_taken(session, run, new))
            insert_many(session, _TABLE, [_row(run, each) for each in answers])
            unit.deed.facts |= {"rows": len(new), "revision": run.revision, "last": last}
        return None if paused else (last, count)

    def _compare(self, token: str, after: int) -> tuple[int | None, int]:
        now = self.clock()
        last: int | None = None
        count = 0
        with unit_of_work(self.database, _deed(token, "batch.compared", now)) as unit:
            session = unit.session
            run = session.get_one(BatchRun, token)
            lines = _lines(session, run, after)
            if not lines:
                raise Unchanged
            last, count = lines[-1].member, len(lines)
            waiting = [each for each in lines if each.compared_at is None]
            if not waiting:
                raise Unchanged
            live = _live(session, run, [each.member for each in waiting])
            codes = {each.member: difference(_expected(each), live.get(each.member)) for each in waiting}
            common = {"of_run": token, "of_revision": run.revision, "at": now}
            update_many(
                session, _COMPARED, [common | {"of_member": member, "code": code} for member, code in codes.items()]
            )
            told = Counter(code for code in codes.values() if code is not None)
            unit.deed.facts |= {"rows": len(codes), "differing": told.total(), "codes": dict(sorted(told.items()))}
        return last, count


def _next_members(session: Session, cohort: str, after: int, *, limit: int) -> Sequence[BatchMember]:
    return session.exec(
        select(BatchMember)
        .where(
            col(BatchMember.cohort) == cohort,
            col(BatchMember.state) == MemberState.INCLUDED,
            col(BatchMember.number) > after,
        )
        .order_by(col(BatchMember.number))
        .limit(limit)
    ).all()


def _rehearsed(session: Session, run: BatchRun, members: Sequence[BatchMember]) -> set[int]:
    return set(
        session.exec(
            select(BatchRehearsal.member).where(
                col(BatchRehearsal.run) == run.token,
                col(BatchRehearsal.revision) == run.revision,
                col(BatchRehearsal.member).in_([each.number for each in members]),
            )
        ).all()
    )


def _taken(session: Session, run: BatchRun, members: Sequence[BatchMember]) -> Mapping[str, int]:
    """What rows that were rehearsed before would take under the mandates of these: no order shows it yet."""
    mandates = {each.mandate_id for each in members if each.mandate_id is not None}
    if not mandates:
        return {}
    found = session.exec(
        select(BatchMember.mandate_id, func.sum(BatchRehearsal.amount_minor))
        .join(BatchRehearsal, col(BatchRehearsal.member) == col(BatchMember.number))
        .where(
            col(BatchMember.cohort) == members[0].cohort,
            col(BatchMember.mandate_id).in_(mandates),
            col(BatchRehearsal.run) == run.token,
            col(BatchRehearsal.revision) == run.revision,
            col(BatchRehearsal.state) == OrderState.QUEUED,
        )
        .group_by(col(BatchMember.mandate_id))
    ).all()
    return {mandate: int(total) for mandate, total in found if mandate is not None}


def _row(run: BatchRun, answer: Expected) -> dict[str, Any]:
    return {
        "run": run.token,
        "revision": run.revision,
        "member": answer.member.number,
        "tenant": run.tenant,
        "state": answer.state.value,
        "amount_minor": answer.amount_minor,
        "reason_code": answer.reason_code,
        "rule_id": answer.rule_id,
    }


def _pages(session: Session, run: BatchRun) -> Iterator[Sequence[BatchRehearsal]]:
    after = 0
    while lines := _lines(session, run, after):
        yield lines
        after = lines[-1].member
        for each in lines:
            session.expunge(each)


def _lines(session: Session, run: BatchRun, after: int) -> Sequence[BatchRehearsal]:
    return session.exec(
        select(BatchRehearsal)
        .where(
            col(BatchRehearsal.run) == run.token,
            col(BatchRehearsal.revision) == run.revision,
            col(BatchRehearsal.member) > after,
        )
        .order_by(col(BatchRehearsal.member))
        .limit(_AT_ONCE)
    ).all()


def _summed(session: Session, run: BatchRun) -> Rehearsed:
    orders = barred = amount = 0
    digest = hashlib.sha256()
    for page in _pages(session, run):
        for line in page:
            spelled = (line.member, line.state, line.amount_minor, line.reason_code or "", line.rule_id or "")
            digest.update(("|".join(map(str, spelled)) + "\n").encode())
            if line.state == OrderState.QUEUED:
                orders, amount = orders + 1, amount + line.amount_minor
            else:
                barred += 1
    return Rehearsed(orders=orders, barred=barred, amount_minor=amount, rehearsal_hash=digest.hexdigest())


def _expected(line: BatchRehearsal) -> Line:
    return Line(state=line.state, amount_minor=line.amount_minor, reason_code=line.reason_code, rule_id=line.rule_id)


def _live(session: Session, run: BatchRun, members: Sequence[int]) -> dict[int, Line]:
    """The first order of each row; what the bank said of it later is no difference."""
    found = session.exec(
        select(BatchOrder).where(
            col(BatchOrder.run) == run.token, col(BatchOrder.attempt) == 1, col(BatchOrder.member).in_(members)
        )
    ).all()
    return {
        each.member: Line(
            state=each.state, amount_minor=each.amount_minor, reason_code=each.reason_code, rule_id=each.rule_id
        )
        for each in found
    }


def _deed(run: str, action: str, now: datetime) -> Deed:
    return Deed(tenant=tenant_of_case(run), action=action, target=run, actor="workflow", at=now, facts={})
