"""Writes about orders to the card core: one row per key, whatever is repeated."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from models.domain.core_orders import OrderKind, OrderState
from models.domain.tokens import new_token
from models.tables.core import CoreOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderOutcome:
    """What the core said to one order.

    Attributes:
        reason_code: of a refusal.
        core_ref: the core's own reference of what it did.
        agencies_pending: of a recall: how many collection agencies have not acknowledged it.
    """

    tenant: str
    case_token: str
    business_key: str
    kind: OrderKind
    state: OrderState
    reason_code: str | None = None
    core_ref: str | None = None
    agencies_pending: int = 0


def store_outcome(session: Session, outcome: OrderOutcome, *, now: datetime) -> bool:
    """Write the outcome under its key; False if the records say so already, or the order has had its end."""
    told: dict[str, object] = {
        "state": outcome.state.value,
        "reason_code": outcome.reason_code,
        "core_ref": outcome.core_ref,
        "agencies_pending": outcome.agencies_pending,
        "acknowledged_at": now if outcome.state is OrderState.ACKNOWLEDGED else None,
    }
    row = {
        "id": new_token("cor"),
        "tenant": outcome.tenant,
        "case_token": outcome.case_token,
        "business_key": outcome.business_key,
        "kind": outcome.kind.value,
        "created_at": now,
        **told,
    }
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(CoreOrder).values(**row).on_conflict_do_nothing(index_elements=["business_key"])
    # RETURNING tells whether there was a conflict; a row count after an ORM insert would not on every driver.
    if session.execute(statement.returning(col(CoreOrder.id))).first() is not None:
        return True
    return _change(session, outcome, told)


def _change(session: Session, outcome: OrderOutcome, told: dict[str, object]) -> bool:
    compared = ("state", "reason_code", "agencies_pending")
    changed = session.execute(
        update(CoreOrder)
        .where(
            col(CoreOrder.business_key) == outcome.business_key,
            col(CoreOrder.case_token) == outcome.case_token,
            col(CoreOrder.kind) == outcome.kind.value,
            col(CoreOrder.state) != OrderState.ACKNOWLEDGED.value,
            or_(*(getattr(CoreOrder, name).is_distinct_from(told[name]) for name in compared)),
        )
        .values(**told)
        .returning(col(CoreOrder.id))
    )
    return changed.first() is not None
