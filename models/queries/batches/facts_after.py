"""What the records say after a run (批后): outcomes, sums, who was told, and limitation."""

from datetime import datetime
from typing import Final

from sqlalchemy import and_, or_
from sqlmodel import Session, col, func, select

from models.domain.batches.kinds import KINDS, Direction, KindName, Origin
from models.domain.batches.states import FinalState, MemberState, OrderState
from models.domain.notices import NoticeState
from models.queries.batches.cohorts import cohort_of
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchChunk, BatchOrder, BatchRun
from models.tables.daily import DebitOrder
from models.tables.notices import Notice

_TOLD: Final = (NoticeState.QUEUED, NoticeState.SENT)


def after_facts(session: Session, run: BatchRun, now: datetime) -> dict[str, object]:
    """Facts of a run whose orders have their final states."""
    del now
    made, recorded = _interruptions(session, run)
    reported, summed = _sums(session, run)
    rows, with_outcome = _rows(session, run)
    return {
        "rows_in_run": rows,
        "rows_with_outcome": with_outcome,
        "run_total_minor": reported,
        "run_rows_sum_minor": summed,
        "debits_not_notified": _untold(session, run),
        "interruptions_made": made,
        "interruptions_recorded": recorded,
    }


def _rows(session: Session, run: BatchRun) -> tuple[int, int]:
    """Rows that the run has, and those with their end. A run that was stopped has those that it reached."""
    having = select(func.count(func.distinct(BatchOrder.member))).where(col(BatchOrder.run) == run.token)
    reached = session.exec(having).one()
    ended = reached - session.exec(having.where(col(BatchOrder.final_state).is_(None))).one()
    cohort = cohort_of(session, run)
    if cohort is None or run.cancel_asked_at is not None:
        return int(reached), int(ended)
    rows = session.exec(
        select(func.count()).where(
            col(BatchMember.cohort) == cohort.id, col(BatchMember.state) == MemberState.INCLUDED.value
        )
    ).one()
    return int(rows), int(ended)


def _sums(session: Session, run: BatchRun) -> tuple[int, int]:
    """What the run reports it has ordered, and the sum of its orders' first tries; of the daily run's the debits'."""
    orders = select(func.coalesce(func.sum(BatchOrder.amount_minor), 0)).where(
        col(BatchOrder.run) == run.token, col(BatchOrder.state) != OrderState.BARRED
    )
    if run.origin != Origin.DAILY:  # whose tries are orders of their dates, and all of them first ones of their run
        orders = orders.where(col(BatchOrder.attempt) == 1)
    summed = session.exec(orders).one()
    if run.origin == Origin.DAILY:
        reported = session.exec(
            select(func.coalesce(func.sum(DebitOrder.amount_minor), 0))
            .join(BatchOrder, col(BatchOrder.debit_order) == col(DebitOrder.id))
            .where(col(BatchOrder.run) == run.token, col(BatchOrder.state) != OrderState.BARRED)
        ).one()
    else:
        reported = session.exec(
            select(func.coalesce(func.sum(BatchChunk.amount_minor), 0)).where(col(BatchChunk.run) == run.token)
        ).one()
    return int(reported), int(summed)


def _untold(session: Session, run: BatchRun) -> int:
    """Debits that came in and of which the customer was not told: the notice of an order is `paid/<order>`."""
    if KINDS[KindName(run.kind)].direction is not Direction.IN:
        return 0
    told = and_(
        col(Notice.tenant) == col(BatchOrder.tenant),
        or_(
            col(Notice.business_key) == "paid/" + col(BatchOrder.id),
            col(Notice.business_key) == "paid/" + col(BatchOrder.debit_order),
        ),
        col(Notice.state).in_(_TOLD),
    )
    found = (
        select(func.count())
        .select_from(BatchOrder)
        .outerjoin(Notice, told)
        .where(
            col(BatchOrder.run) == run.token,
            col(BatchOrder.final_state) == FinalState.SETTLED.value,
            col(Notice.id).is_(None),
        )
    )
    return int(session.exec(found).one())


def _interruptions(session: Session, run: BatchRun) -> tuple[int, int]:
    """Payments on agreements interrupt limitation (诉讼时效中断); the ledger's event is the record of each."""
    of_run = (
        select(func.count())
        .select_from(BatchOrder)
        .join(DebitOrder, col(DebitOrder.id) == col(BatchOrder.debit_order))
        .where(col(BatchOrder.run) == run.token, col(BatchOrder.final_state) == FinalState.SETTLED.value)
    )
    made = session.exec(of_run).one()
    return int(made), int(session.exec(of_run.where(col(DebitOrder.event_id).is_not(None))).one())
