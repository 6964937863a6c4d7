"""The daily run's debits against the orders that account for them: the one says what the other says, in both tables."""

from sqlalchemy import ColumnElement
from sqlmodel import Session, and_, col, func, or_, select

from models.domain.batches.claims import claim_of_row
from models.domain.daily import OrderState
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import DebitOrder


def differs(order: BatchOrder, debit: DebitOrder) -> bool:
    """Whether an order and its debit tell two stories. What came behind the order's end is none of its own."""
    same = (
        order.tenant == debit.tenant
        and order.amount_minor == debit.amount_minor
        and order.mandate_id == debit.mandate_id
        and order.requested_on == debit.requested_on
        and order.claim_key == claim_of_row(debit.agreement_id, debit.row_no)
    )
    return not same or not (order.state == debit.state.lower() or went_on(order, debit))


def went_on(order: BatchOrder, debit: DebitOrder) -> bool:
    """Whether the debit moved when its order had its end: money came back late, or came for what was refused."""
    return order.final_at is not None and order.state != debit.state.lower() and debit.updated_at >= order.final_at


def debits_without_order(session: Session, run: BatchRun) -> int:
    """Debits of the run's date that no order accounts for; what is older than the run was never one of its own."""
    return _count(session, run, col(BatchOrder.id).is_(None))


def unequal_debits(session: Session, run: BatchRun) -> int:
    """Debits of the run's date, which is still open, with no order or with one that says something else."""
    same = and_(
        col(BatchOrder.state) == func.lower(col(DebitOrder.state)),
        col(BatchOrder.amount_minor) == col(DebitOrder.amount_minor),
    )
    return _count(session, run, or_(col(BatchOrder.id).is_(None), ~same))


def _count(session: Session, run: BatchRun, where: ColumnElement[bool]) -> int:
    return session.exec(
        select(func.count())
        .select_from(DebitOrder)
        .outerjoin(BatchOrder, col(BatchOrder.debit_order) == col(DebitOrder.id))
        .where(
            col(DebitOrder.tenant) == run.tenant,
            col(DebitOrder.state).in_(tuple(OrderState)),  # all of them: the index begins so
            col(DebitOrder.requested_on) == run.business_date,
            col(DebitOrder.created_at) >= run.created_at,
            where,
        )
    ).one()
