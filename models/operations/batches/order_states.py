"""Changes of orders' states by what caused them: each cause once, along the transitions, in bulk. Over a session."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Table
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select, update

from models.database.bulk import insert_new
from models.domain.batches.states import ORDER_TRANSITIONS, OrderState
from models.domain.tokens import named_token
from models.tables.batch_runs import BatchOrder, BatchOutcome

_OUTCOMES: Final[Table] = BatchOutcome.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One order's change, with its own cause.

    Attributes:
        order: as it stands, locked by this unit of work.
        cause: what made it so; it is kept with the order once.
        reason_code: of the bank, or of `OrderReason`.
        values: further columns that change with it.
    """

    order: BatchOrder
    cause: str
    reason_code: str | None = None
    values: Mapping[str, Hashable] = field(default_factory=dict)


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
    moves = [Move(order=order, cause=cause, reason_code=reason_code, values=values) for order in fresh]
    return move_each(session, moves, to=to, now=now)


def move_each(session: Session, moves: Sequence[Move], *, to: OrderState, now: datetime) -> list[str]:
    """Move orders that this unit of work holds, each once and by a cause of its own; whoever has them sees it.

    Returns:
        Ids of the orders that were moved, in the order in which they were given; a repeated cause moves none.
    """
    able = [
        move
        for move in moves
        if to in ORDER_TRANSITIONS[OrderState(move.order.state)] and move.order.final_state is None
    ]
    new = _note(session, able, to=to, now=now)
    moved = [move for move in able if _outcome_id(move) in new]
    alike: dict[tuple[str | None, tuple[tuple[str, Hashable], ...]], list[BatchOrder]] = {}
    for move in moved:
        alike.setdefault((move.reason_code, tuple(sorted(move.values.items()))), []).append(move.order)
    for (reason_code, values), orders in alike.items():
        changed: dict[str, Any] = {"state": to.value, "reason_code": reason_code, "updated_at": now, **dict(values)}
        session.exec(
            update(BatchOrder)
            .where(col(BatchOrder.id).in_([order.id for order in orders]))
            .values(**changed)
            .execution_options(synchronize_session=False)
        )
        for order in orders:
            for name, value in changed.items():
                set_committed_value(order, name, value)
    return [move.order.id for move in moved]


def _note(session: Session, moves: Sequence[Move], *, to: OrderState, now: datetime) -> set[str]:
    """Each change with its cause, for ever; returns the ids of the outcomes that were not there yet."""
    rows = [
        {
            "id": _outcome_id(move),
            "tenant": move.order.tenant,
            "run": move.order.run,
            "order_id": move.order.id,
            "cause": move.cause,
            "state": to.value,
            "reason_code": move.reason_code,
            "at": now,
        }
        for move in moves
    ]
    return insert_new(session, _OUTCOMES, rows)


def _outcome_id(move: Move) -> str:
    return named_token("bou", f"{move.order.id}/{move.cause}")
