"""What customers are told of the orders of a batch (逐笔扣款通知): one notice for each debit, in its transaction.

Whoever books an answer of the bank calls this in the same unit of work; under the order's own key nobody is told twice.
Orders that the daily run takes are told of there. Wages go to persons with whom we have no case: their employer's bank
slip tells them.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select as rows_of
from sqlmodel import Session, col, select

from activities.daily.customer_news import failure_of
from activities.daily.reminders import unpaid_minor
from models.domain.batches.states import OrderState
from models.domain.notices import MandateStanding, NoticeChannel, NoticeKind, case_tail
from models.domain.tokens import named_token
from models.operations.notices import NewNotice, queue_notices
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.batch_runs import BatchOrder

# How long a customer whose debit is not tried again has to pay by another way.
_GRACE: Final = timedelta(days=3)
_FAILED: Final = (OrderState.REJECTED, OrderState.RETURNED)


def tell_debits(session: Session, orders: Sequence[BatchOrder], *, on: date, now: datetime) -> int:
    """Queue a notice for each order that was settled, rejected or returned; returns how many orders have one.

    Args:
        session: of the unit of work that has booked what became of the orders.
        orders: as they stand afterwards; those in another state, without a mandate, or of the daily run are left out.
        on: business date.
        now: when they are queued.
    """
    told = [
        each
        for each in orders
        if each.mandate_id is not None
        and each.debit_order is None
        and (each.state == OrderState.SETTLED or each.state in _FAILED)
    ]
    found = session.exec(select(Mandate).where(col(Mandate.id).in_({each.mandate_id for each in told}))).all()
    mandates = {each.id: each for each in found}
    left = _left(session, {each.case_token for each in found})
    notices = [
        _received(order, mandates[order.mandate_id or ""], left, on=on)
        if order.state == OrderState.SETTLED
        else _failed(order, mandates[order.mandate_id or ""], on=on)
        for order in told
    ]
    queue_notices(session, notices, now=now)
    return len(notices)


def _received(order: BatchOrder, mandate: Mandate, left: Mapping[str, int], *, on: date) -> NewNotice:
    """The notice of each debit says how the mandate stands (DDB-REVOKE)."""
    ended = mandate.revoked_at is not None or mandate.valid_to < on
    return _notice(
        order,
        mandate,
        NoticeKind.PAYMENT_RECEIVED,
        key=f"paid/{order.id}",
        amount=order.amount_minor,
        date=(order.settled_on or on).isoformat(),
        left=left.get(mandate.case_token, 0),
        mandate=(MandateStanding.ENDED if ended else MandateStanding.ACTIVE).value,
    )


def _failed(order: BatchOrder, mandate: Mandate, *, on: date) -> NewNotice:
    """Money should be there when it is tried again."""
    return _notice(
        order,
        mandate,
        NoticeKind.DEBIT_FAILED,
        key=f"failed/{order.id}/{order.state}",
        amount=order.amount_minor,
        date=order.requested_on.isoformat(),
        reason=failure_of(order.reason_code).value,
        until=(order.next_try_on or on + _GRACE).isoformat(),
    )


def _notice(order: BatchOrder, given: Mandate, kind: NoticeKind, *, key: str, **params: int | str) -> NewNotice:
    return NewNotice(
        id=named_token("ntc", key),
        tenant=order.tenant,
        subject_id=given.subject_id,
        case_token=given.case_token,
        business_key=key,
        kind=kind,
        channel=NoticeChannel.SMS,
        params={"case": case_tail(given.case_token), **params},
    )


def _left(session: Session, cases: set[str]) -> dict[str, int]:
    """What the agreements of these cases still lack in all, in minor units."""
    # Plain rows: of every debit all rows of its agreement are read, and none is written.
    found = session.execute(
        rows_of(AgreementRow.__table__, col(Agreement.case_token), col(Agreement.late_minor))  # type: ignore[attr-defined]
        .join(AgreementRow, col(AgreementRow.agreement_id) == col(Agreement.id))
        .where(col(Agreement.case_token).in_(cases))
    ).all()
    sums = {row.case_token: row.late_minor for row in found}
    for row in found:
        sums[row.case_token] += max(0, unpaid_minor(row))
    return sums
