"""Records of a run that people decide (暂收、争议): read for the surface, oldest first."""

from sqlmodel import Session, col, select

from models.tables.batch_books import BatchDispute, BatchSuspense


def suspense_of(session: Session, run: str) -> list[BatchSuspense]:
    """Money that no order explains."""
    found = select(BatchSuspense).where(col(BatchSuspense.run) == run)
    return list(session.exec(found.order_by(col(BatchSuspense.opened_at), col(BatchSuspense.id))))


def disputes_of(session: Session, run: str) -> list[BatchDispute]:
    """Contested orders."""
    found = select(BatchDispute).where(col(BatchDispute.run) == run)
    return list(session.exec(found.order_by(col(BatchDispute.opened_at), col(BatchDispute.id))))


def disputes_of_order(session: Session, order: str) -> int:
    """How often an order was contested."""
    return len(session.exec(select(BatchDispute.id).where(col(BatchDispute.order_id) == order)).all())
