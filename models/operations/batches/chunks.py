"""Chunks of a run under leases (分片租约): a lapsed lease is taken over, under the next fence.

Functions over a session; they never commit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from sqlalchemy import Table, or_
from sqlmodel import Session, col, func, select, update

from models.database.bulk import insert_many
from models.domain.batches.states import ChunkState
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_runs import BatchChunk, BatchRun

LEASE: Final = timedelta(seconds=30)  # many times longer than a chunk takes
_TABLE: Final[Table] = BatchChunk.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Lease:
    """One holding of a chunk. A write names its fence, and is refused under an older one."""

    holder: str
    fence: int
    first_member: int
    last_member: int


def cohort_of(session: Session, run: BatchRun) -> BatchCohort | None:
    """The cohort of the run's present revision."""
    return session.exec(
        select(BatchCohort).where(col(BatchCohort.run) == run.token, col(BatchCohort.revision) == run.revision)
    ).one_or_none()


def chunk_count(session: Session, run: str) -> int:
    """How many chunks the run was cut into; 0: it was not cut yet."""
    return session.exec(select(func.count()).select_from(BatchChunk).where(col(BatchChunk.run) == run)).one()


def cut(session: Session, run: BatchRun, cohort: BatchCohort, *, rows: int) -> int:
    """Cut the cohort into chunks of consecutive numbers, `rows` each; returns how many."""
    last = session.exec(select(func.max(BatchMember.number)).where(col(BatchMember.cohort) == cohort.id)).one() or 0
    made: list[dict[str, Any]] = [
        {
            "run": run.token,
            "number": number,
            "tenant": run.tenant,
            "first_member": (number - 1) * rows + 1,
            "last_member": min(number * rows, last),
            "state": ChunkState.WAITING.value,
            "fence": 0,
            "orders": 0,
            "barred": 0,
            "amount_minor": 0,
        }
        for number in range(1, ceil(last / rows) + 1)
    ]
    insert_many(session, _TABLE, made)
    return len(made)


def take(session: Session, run: str, number: int, *, holder: str, now: datetime) -> Lease | None:
    """Take a chunk that nobody holds, whose lease has lapsed, or that this holder held before it died.

    Returns:
        None: somebody holds it, or it is done.
    """
    taken = session.exec(
        update(BatchChunk)
        .where(
            col(BatchChunk.run) == run,
            col(BatchChunk.number) == number,
            col(BatchChunk.state) != ChunkState.DONE,
            or_(
                col(BatchChunk.lease_until).is_(None),
                col(BatchChunk.lease_until) <= now,
                col(BatchChunk.holder) == holder,
            ),
        )
        .values(state=ChunkState.LEASED.value, holder=holder, lease_until=now + LEASE, fence=BatchChunk.fence + 1)
        .execution_options(synchronize_session=False)
    )
    if not taken.rowcount:
        return None
    row = session.get_one(BatchChunk, (run, number), populate_existing=True)
    return Lease(holder, row.fence, row.first_member, row.last_member)


def take_over(session: Session, run: str, number: int, *, holder: str, now: datetime) -> Lease:
    """Take a chunk whoever holds it: whoever still works on it finds its fence grown, and can write nothing."""
    row = session.get_one(BatchChunk, (run, number), with_for_update=True, populate_existing=True)
    row.state, row.holder, row.lease_until, row.fence = ChunkState.LEASED.value, holder, now + LEASE, row.fence + 1
    session.add(row)
    session.flush()
    return Lease(holder, row.fence, row.first_member, row.last_member)


def holds(session: Session, run: str, number: int, lease: Lease) -> bool:
    """Whether the lease still is the newest; the chunk is locked until the transaction ends."""
    row = session.get_one(BatchChunk, (run, number), with_for_update=True, populate_existing=True)
    return row.fence == lease.fence and row.state == ChunkState.LEASED


def finish(
    session: Session,
    run: str,
    number: int,
    lease: Lease,
    *,
    orders: int,
    barred: int,
    amount_minor: int,
    now: datetime,
) -> bool:
    """Every row of the chunk has its outcome. False: somebody took it over, and nothing may stand."""
    done = session.exec(
        update(BatchChunk)
        .where(
            col(BatchChunk.run) == run,
            col(BatchChunk.number) == number,
            col(BatchChunk.fence) == lease.fence,
            col(BatchChunk.state) == ChunkState.LEASED,
        )
        .values(
            state=ChunkState.DONE.value,
            holder=None,
            lease_until=None,
            orders=orders,
            barred=barred,
            amount_minor=amount_minor,
            done_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount)


def give_back(session: Session, run: str, number: int, lease: Lease) -> bool:
    """Let the next one in at once; nothing was done. False: the lease is not the newest."""
    given = session.exec(
        update(BatchChunk)
        .where(
            col(BatchChunk.run) == run,
            col(BatchChunk.number) == number,
            col(BatchChunk.fence) == lease.fence,
            col(BatchChunk.state) == ChunkState.LEASED,
        )
        .values(state=ChunkState.WAITING.value, holder=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return bool(given.rowcount)


def sums(session: Session, run: str) -> tuple[int, int, int]:
    """Of all chunks that are done: orders, barred rows, and minor units of the orders."""
    orders, barred, amount = session.exec(
        select(func.sum(BatchChunk.orders), func.sum(BatchChunk.barred), func.sum(BatchChunk.amount_minor)).where(
            col(BatchChunk.run) == run, col(BatchChunk.state) == ChunkState.DONE
        )
    ).one()
    return int(orders or 0), int(barred or 0), int(amount or 0)


def unfinished(session: Session, run: str) -> int | None:
    """The first chunk that is not done; None: all are."""
    return session.exec(
        select(func.min(BatchChunk.number)).where(col(BatchChunk.run) == run, col(BatchChunk.state) != ChunkState.DONE)
    ).one()


def members_between(session: Session, cohort: str, *, first: int, last: int) -> list[BatchMember]:
    """The included members of a range of numbers, in their order."""
    return list(
        session.exec(
            select(BatchMember)
            .where(
                col(BatchMember.cohort) == cohort,
                col(BatchMember.number) >= first,
                col(BatchMember.number) <= last,
                col(BatchMember.state) == "included",
            )
            .order_by(col(BatchMember.number))
        ).all()
    )
