"""Changes of orders' states by what caused them: each cause once, along the transitions, in bulk. Over a session."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table
from sqlmodel import Session, col, select, update

from models.database.bulk import insert_new
from models.domain.batches.states import ORDER_TRANSITIONS, OrderState
from models.domain.tokens import named_token
from models.tables.batch_runs import BatchOrder, BatchOutcome

_OUTCOMES: Final[Table] = BatchOutcome.__table__  # type: ignore[attr-defined]


def move_orders(
    session: Session,
    orders: Sequence[BatchOrder],
    *,
    to: OrderState,
    cause: str,
    now: datetime,
    reason_code: str | None = None,
    **values: Any,
) -> list[str]:
    """Move those of the orders that may go there, all together.

    Args:
        session: of the unit of work.
        orders: read anew and locked, so that what another has moved meanwhile stays as it is.
        to: the next state.
        cause: what made it so; it is kept with each order once.
        now: for the record.
        reason_code: of the bank, or of `OrderReason`.
        values: further columns that change with it.

    Returns:
        Ids of the orders that were moved; a repeated cause moves none.
    """
    fresh = session.exec(
        select(BatchOrder)
        .where(col(BatchOrder.id).in_([order.id for order in orders]))
        .order_by(col(BatchOrder.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    able = [order for order in fresh if to in ORDER_TRANSITIONS[OrderState(order.state)] and order.final_state is None]
    if not able:
        return []
    ids = [order.id for order in able]
    known = set(
        session.exec(
            select(BatchOutcome.order_id).where(col(BatchOutcome.order_id).in_(ids), col(BatchOutcome.cause) == cause)
        ).all()
    )
    moved = [order for order in able if order.id not in known]
    if not moved:
        return []
    session.exec(
        update(BatchOrder)
        .where(col(BatchOrder.id).in_([order.id for order in moved]))
        .values(state=to.value, reason_code=reason_code, updated_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    _note(session, moved, state=to.value, cause=cause, reason_code=reason_code, now=now)
    moved_ids = [order.id for order in moved]
    again = select(BatchOrder).where(col(BatchOrder.id).in_(moved_ids)).execution_options(populate_existing=True)
    session.exec(again).all()  # whoever goes on with these orders sees what they have become
    return moved_ids


def _note(
    session: Session, moved: Sequence[BatchOrder], *, state: str, cause: str, reason_code: str | None, now: datetime
) -> None:
    """Each change with its cause, for ever."""
    rows = [
        {
            "id": named_token("bou", f"{order.id}/{cause}"),
            "tenant": order.tenant,
            "run": order.run,
            "order_id": order.id,
            "cause": cause,
            "state": state,
            "reason_code": reason_code,
            "at": now,
        }
        for order in moved
    ]
    insert_new(session, _OUTCOMES, rows)
