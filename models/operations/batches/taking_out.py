"""Orders that have not left the house are taken back (撤回): while they wait, or stand in a file that is not written.

A file is out of our hands with the commit that marks it as written. From then on its bytes may be at the bank, whether
or not we have noted it, and its orders are followed to their end: no profile has a message by which a bank cancels.
Functions over a session.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from models.domain.batches.states import FinalState, OrderState
from models.domain.daily import FileState
from models.operations.batches.order_states import move_orders
from models.tables.batch_runs import BatchOrder
from models.tables.daily import BankFile


def in_our_hands() -> Any:
    """Condition on orders: they wait for a file, or their file is not written yet."""
    unwritten = select(BankFile.id).where(
        col(BankFile.id) == col(BatchOrder.file_id), col(BankFile.state) == FileState.RESERVED
    )
    return or_(
        col(BatchOrder.state) == OrderState.QUEUED,
        and_(col(BatchOrder.state) == OrderState.IN_FILE, unwritten.exists()),
    )


def take_out(
    session: Session, orders: Sequence[BatchOrder], *, cause: str, reason_code: str, now: datetime
) -> list[str]:
    """Withdraw those of the orders that have not left; a file that they stood in is written without them.

    Whoever marks the file as written holds its row: either they find the orders gone, or we find the file written.

    Returns:
        Ids of the orders that were withdrawn; what the bank may have is left alone.
    """
    held = session.exec(
        select(BatchOrder)
        .where(col(BatchOrder.id).in_([order.id for order in orders]))
        .order_by(col(BatchOrder.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    files = {order.file_id for order in held if order.state == OrderState.IN_FILE}
    unwritten = set(
        session.exec(
            select(BankFile.id)
            .where(col(BankFile.id).in_(files), col(BankFile.state) == FileState.RESERVED)
            .order_by(col(BankFile.id))
            .with_for_update()
        )
    )
    ours = [
        order
        for order in held
        if order.state == OrderState.QUEUED or (order.state == OrderState.IN_FILE and order.file_id in unwritten)
    ]
    return move_orders(
        session,
        ours,
        to=OrderState.WITHDRAWN,
        cause=cause,
        reason_code=reason_code,
        now=now,
        final_state=FinalState.WITHDRAWN.value,
        final_at=now,
        file_id=None,
        next_try_on=None,
    )


def state_at_bank(order: BatchOrder) -> str:
    """As what an order counts that could not be taken out: in a file that is written, it counts as sent."""
    return OrderState.SENT.value if order.state == OrderState.IN_FILE else order.state
