"""Debit orders (扣款指令): made for what is unpaid now, settled, rejected or returned, and tried again by policy."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final

from sqlmodel import Session, col, select, update

from models.domain.daily import OrderState
from models.domain.servicing.retry_policy import (
    DEFAULT_RETRY_POLICY,
    RETRY_POLICIES,
    NextTry,
    RetryAction,
    WorkingDay,
    next_try,
)
from models.domain.tokens import new_token
from models.tables.agreements import AgreementRow, Mandate
from models.tables.daily import DebitOrder

_FAILED: Final = (OrderState.REJECTED, OrderState.RETURNED)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOrder:
    """One try to take `amount_minor` for a row. `attempt` counts from 1."""

    tenant: str
    agreement_id: str
    mandate_id: str
    row_no: int
    attempt: int
    amount_minor: int


def queue_order(session: Session, new: NewOrder, *, on: date, now: datetime) -> DebitOrder:
    """Make an order; it goes out with the next file.

    Raises:
        sqlalchemy.exc.IntegrityError: this try of the row was made before.
    """
    order = DebitOrder(
        id=new_token("dbo"),
        tenant=new.tenant,
        agreement_id=new.agreement_id,
        mandate_id=new.mandate_id,
        row_no=new.row_no,
        attempt=new.attempt,
        # From the business alone: made again after a restore, the bank knows it as the same order.
        end_to_end_id=f"{new.agreement_id.removeprefix('agr_')}-{new.row_no}-{new.attempt}",
        amount_minor=new.amount_minor,
        requested_on=on,
        state=OrderState.QUEUED,
        policy_version=DEFAULT_RETRY_POLICY.version,
        created_at=now,
        updated_at=now,
    )
    session.add(order)
    return order


def fail_order(
    session: Session,
    order: DebitOrder,
    *,
    state: OrderState,
    reason: str | None,
    on: date,
    now: datetime,
    is_bank_day: WorkingDay | None = None,
) -> NextTry:
    """The bank said no, before money moved (`REJECTED`) or after (`RETURNED`): what follows by the order's policy.

    A reason after which nothing may be debited any more ends the mandate. The next try is moved to a bank day; where
    the calendar of its year is not there (`LookupError`) it stays on the policy's date: nothing is moved by guess.
    """
    row = session.exec(
        select(AgreementRow).where(
            col(AgreementRow.agreement_id) == order.agreement_id, col(AgreementRow.no) == order.row_no
        )
    ).one_or_none()
    ask = partial(
        next_try,
        RETRY_POLICIES[order.policy_version],
        reason=reason or "",
        attempt=order.attempt,
        due=row.due if row is not None else order.requested_on,
        failed_on=on,
    )
    try:
        then = ask(is_working_day=is_bank_day)
    except LookupError:
        then = ask()
    order.state, order.reason_code, order.next_try_on, order.updated_at = state, reason, then.on, now
    session.add(order)
    if then.action is RetryAction.STOP:
        session.exec(
            update(Mandate)
            .where(col(Mandate.id) == order.mandate_id, col(Mandate.revoked_at).is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )
    return then


def forget_retries(session: Session, *, agreement_id: str, row_no: int) -> None:
    """The next try of this row has been made, or is pointless."""
    session.exec(
        update(DebitOrder)
        .where(
            col(DebitOrder.agreement_id) == agreement_id,
            col(DebitOrder.row_no) == row_no,
            col(DebitOrder.state).in_(_FAILED),
            col(DebitOrder.next_try_on).is_not(None),
        )
        .values(next_try_on=None)
        .execution_options(synchronize_session=False)
    )
