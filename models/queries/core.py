"""Reads about the card core: what it has confirmed for a case."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from models.domain.core_orders import OrderKind, OrderState
from models.domain.plans.debt import Debt
from models.tables.core import CardBalance, CoreOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class CoreState:
    """What the core confirmed for one case, and when; None: it has not.

    Attributes:
        agencies_pending: collection agencies that have not acknowledged the recall; None if nothing was recalled.
    """

    blocked_at: datetime | None = None
    released_at: datetime | None = None
    recalled_at: datetime | None = None
    resumed_at: datetime | None = None
    agencies_pending: int | None = None

    @property
    def blocked(self) -> bool:
        """Whether no new card is issued now."""
        return _stands(self.blocked_at, undone=self.released_at)

    @property
    def released(self) -> bool:
        """Whether a block was lifted; without a block there is nothing to lift."""
        return self.blocked_at is not None and self.released_at is not None and not self.blocked

    @property
    def recalled(self) -> bool:
        """Whether collection stands still now, as every agency has acknowledged."""
        return _stands(self.recalled_at, undone=self.resumed_at)


def _stands(done: datetime | None, *, undone: datetime | None) -> bool:
    return done is not None and (undone is None or undone < done)


def order_by_key(session: Session, business_key: str) -> CoreOrder | None:
    """The order under this key, whatever became of it."""
    return session.exec(select(CoreOrder).where(col(CoreOrder.business_key) == business_key)).one_or_none()


def balance_by_key(session: Session, business_key: str) -> CardBalance | None:
    """What was read under this key."""
    return session.exec(select(CardBalance).where(col(CardBalance.business_key) == business_key)).one_or_none()


def latest_balance(session: Session, *, case_token: str) -> CardBalance | None:
    """What stood on the card when it was last asked for this case."""
    return session.exec(
        select(CardBalance)
        .where(col(CardBalance.case_token) == case_token)
        .order_by(col(CardBalance.created_at).desc(), col(CardBalance.id).desc())
        .limit(1)
    ).first()


def debt_of(balance: CardBalance) -> Debt:
    """The debt by kind, without a kind below zero."""
    return Debt(
        purchases_minor=balance.purchases_minor,
        cash_minor=balance.cash_minor,
        installments_minor=balance.installments_minor,
        interest_minor=balance.interest_minor,
        fees_minor=balance.fees_minor,
    ).netted()


def orders_of_case(session: Session, *, case_token: str) -> list[CoreOrder]:
    """Every order of a case, oldest first."""
    return list(
        session.exec(
            select(CoreOrder)
            .where(col(CoreOrder.case_token) == case_token)
            .order_by(col(CoreOrder.created_at), col(CoreOrder.id))
        ).all()
    )


def core_state(session: Session, case_token: str) -> CoreState:
    """What is confirmed for a case; what was only sent or was refused does not count."""
    orders = orders_of_case(session, case_token=case_token)
    done: dict[str, datetime] = {}
    for order in orders:
        if order.state == OrderState.ACKNOWLEDGED and order.acknowledged_at is not None:
            done[order.kind] = max(order.acknowledged_at, done.get(order.kind, order.acknowledged_at))
    recalls = [order for order in orders if order.kind == OrderKind.RECALL_COLLECTION]
    answered = [order for order in recalls if order.state != OrderState.REFUSED]
    return CoreState(
        blocked_at=done.get(OrderKind.BLOCK_CARD),
        released_at=done.get(OrderKind.RELEASE_CARD),
        recalled_at=done.get(OrderKind.RECALL_COLLECTION),
        resumed_at=done.get(OrderKind.RESUME_COLLECTION),
        agencies_pending=answered[-1].agencies_pending if answered else None,
    )
