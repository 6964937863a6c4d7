"""Reads about runs of batches: whether anything stands of one, and what it counts."""

from sqlmodel import Session, col, func, select

from models.tables.batch_runs import BatchOrder, BatchRehearsal, BatchRun


def has_orders(session: Session, run: str) -> bool:
    """Whether an order of the run stands: from then on it is stopped, and not simply ended."""
    return session.exec(select(BatchOrder.id).where(col(BatchOrder.run) == run).limit(1)).first() is not None


def has_open_orders(session: Session, run: str) -> bool:
    """Whether an order of the run has no final state yet: until then its record cannot end."""
    query = select(BatchOrder.id).where(col(BatchOrder.run) == run, col(BatchOrder.final_state).is_(None))
    return session.exec(query.limit(1)).first() is not None


def order_counts(session: Session, run: str) -> dict[str, tuple[int, int]]:
    """By state: how many orders, and their sum in minor units."""
    query = select(BatchOrder.state, func.count(), func.sum(BatchOrder.amount_minor)).where(col(BatchOrder.run) == run)
    return {
        state: (int(count), int(total or 0)) for state, count, total in session.exec(query.group_by(BatchOrder.state))
    }


def rehearsal_counts(session: Session, run: BatchRun) -> dict[str, tuple[int, int]]:
    """By expected state: how many rows of the present revision, and their sum in minor units."""
    query = select(BatchRehearsal.state, func.count(), func.sum(BatchRehearsal.amount_minor)).where(
        col(BatchRehearsal.run) == run.token, col(BatchRehearsal.revision) == run.revision
    )
    return {
        state: (int(count), int(total or 0))
        for state, count, total in session.exec(query.group_by(BatchRehearsal.state))
    }
