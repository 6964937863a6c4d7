"""Step 2: what the bank says becomes events and postings; money of nobody goes into suspense (入账、暂收)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from activities.daily.chunks import DayWork
from activities.daily.customer_news import debit_failed, payment_received
from activities.gateways.bank.replies import ReplyStatus
from compliance.audit.unit import Unchanged, Unit
from models.domain.daily import OPEN_ORDERS, OrderState, ReplyState
from models.domain.servicing.events import Event, EventKind, PaymentChannel
from models.domain.servicing.ledger import Account
from models.domain.tokens import uuid7
from models.operations.booking import NewEvent, book, known_keys
from models.operations.business_dates import note_exception
from models.operations.debit_orders import fail_order
from models.queries.daily import new_replies
from models.tables.agreements import Agreement, LedgerEntry
from models.tables.daily import BankReply, DebitOrder

# In this order whatever the order of arrival: money must have come before it can go back.
_ORDER: Final = (
    ReplyStatus.PENDING,
    ReplyStatus.PARTIAL,
    ReplyStatus.ACCEPTED,
    ReplyStatus.REJECTED,
    ReplyStatus.SETTLED,
    ReplyStatus.RETURNED,
)


@dataclass(slots=True)
class _Chunk:
    """What a chunk of lines comes to."""

    session: Session
    work: DayWork
    now: datetime
    orders: dict[str, DebitOrder]
    events: dict[str, list[NewEvent]] = field(default_factory=dict)
    tell: list[Callable[[Mapping[str, Agreement]], None]] = field(default_factory=list)
    figures: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, amount: int = 1) -> None:
        self.figures[name] = self.figures.get(name, 0) + amount


def post_money(work: DayWork) -> None:
    """Let everything follow from the lines that are new."""
    for status in _ORDER:
        with work.database.read() as session:
            waiting = new_replies(session, tenant=work.day.tenant, status=status)
        work.in_chunks(waiting, lambda unit, ids, now: _post(unit, work, ids, now), name=str)
    work.finish()


def _post(unit: Unit, work: DayWork, ids: Sequence[str], now: datetime) -> Mapping[str, int]:
    session = unit.session
    replies = session.exec(
        select(BankReply)
        .where(col(BankReply.id).in_(ids), col(BankReply.state) == ReplyState.NEW)
        .order_by(col(BankReply.id))
        .with_for_update()
    ).all()
    if not replies:
        raise Unchanged
    wanted = {reply.order_id for reply in replies if reply.order_id is not None}
    orders = session.exec(select(DebitOrder).where(col(DebitOrder.id).in_(wanted)).with_for_update()).all()
    chunk = _Chunk(session, work, now, {order.id: order for order in orders})
    for reply in replies:
        order = chunk.orders.get(reply.order_id or "")
        reply.state = _follow(chunk, reply, order) if order is not None else _to_suspense(chunk, reply)
        session.add(reply)
    _book(chunk)
    return chunk.figures


def _follow(chunk: _Chunk, reply: BankReply, order: DebitOrder) -> ReplyState:
    """What one line means for its order. A status report names no amount: only a booked entry moves money here."""
    status, is_money = ReplyStatus(reply.status), reply.amount_minor > 0
    if status is ReplyStatus.SETTLED and is_money:
        return _settled(chunk, reply, order)
    if status is ReplyStatus.RETURNED and is_money:
        return _returned(chunk, reply, order)
    if status is ReplyStatus.REJECTED and order.state in OPEN_ORDERS:
        _failed(chunk, order, OrderState.REJECTED, reply.reason_code)
        chunk.count("rejected")
        return ReplyState.BOOKED
    if status in (ReplyStatus.ACCEPTED, ReplyStatus.SETTLED) and order.state == OrderState.SENT:
        order.state, order.updated_at = OrderState.ACCEPTED, chunk.now
        chunk.session.add(order)
    return ReplyState.NOTED


def _settled(chunk: _Chunk, reply: BankReply, order: DebitOrder) -> ReplyState:
    if order.event_id is not None:  # the same debit was paid before, by an entry of another reference
        return _to_suspense(chunk, reply, code="paid-twice")
    # The customer was asked on this day; what the banks take until the money is here is not the customer's delay.
    value_date = min(order.requested_on, chunk.work.day.on)
    event = Event(
        id=uuid7(chunk.now),
        kind=EventKind.PAYMENT,
        value_date=value_date,
        amount_minor=reply.amount_minor,
        channel=PaymentChannel.DEBIT,
        ref=order.end_to_end_id,
    )
    _add(chunk, order, NewEvent(event=event, business_key=f"debit/{order.id}"))
    order.state, order.event_id = OrderState.SETTLED, event.id
    order.reason_code = order.next_try_on = None
    order.updated_at = chunk.now
    chunk.session.add(order)
    chunk.count("paid")
    chunk.count("paidMinor", reply.amount_minor)
    chunk.tell.append(lambda agreements: payment_received(chunk.session, agreements[order.agreement_id], order, chunk))
    return ReplyState.BOOKED


def _returned(chunk: _Chunk, reply: BankReply, order: DebitOrder) -> ReplyState:
    if order.state != OrderState.SETTLED or order.event_id is None:
        return _to_suspense(chunk, reply, code="returned-unpaid")
    event = Event(
        id=uuid7(chunk.now), kind=EventKind.REVERSAL, value_date=chunk.work.day.on, target=order.event_id,
        ref=order.end_to_end_id,
    )  # fmt: skip
    _add(chunk, order, NewEvent(event=event, business_key=f"return/{order.id}"))
    _failed(chunk, order, OrderState.RETURNED, reply.reason_code)
    chunk.count("returned")
    chunk.count("returnedMinor", reply.amount_minor)
    return ReplyState.BOOKED


def _failed(chunk: _Chunk, order: DebitOrder, state: OrderState, reason: str | None) -> None:
    on = chunk.work.day.on
    then = fail_order(chunk.session, order, state=state, reason=reason, on=on, now=chunk.now)
    chunk.tell.append(
        lambda agreements: debit_failed(chunk.session, agreements[order.agreement_id], order, chunk, until=then.on)
    )


def _add(chunk: _Chunk, order: DebitOrder, event: NewEvent) -> None:
    chunk.events.setdefault(order.agreement_id, []).append(event)


def _to_suspense(chunk: _Chunk, reply: BankReply, *, code: str | None = None) -> ReplyState:
    """Money that belongs to nobody yet: posted, and kept for somebody to look at."""
    came = ReplyStatus(reply.status) is ReplyStatus.SETTLED
    signed = reply.amount_minor if came else -reply.amount_minor
    for account, amount in ((Account.BANK_CLEARING, signed), (Account.SUSPENSE, -signed)):
        chunk.session.add(
            LedgerEntry(
                id=uuid7(chunk.now),
                tenant=reply.tenant,
                journal=f"suspense/{reply.id}",
                account=account.value,
                amount_minor=amount,
                booked_on=chunk.work.day.on,
                created_at=chunk.now,
            )
        )
    if code is not None:
        note_exception(chunk.session, chunk.work.day, step=chunk.work.step, target=reply.id, code=code, now=chunk.now)
    chunk.count("suspense")
    chunk.count("suspenseMinor", signed)
    return ReplyState.SUSPENSE


def _book(chunk: _Chunk) -> None:
    """All events of the chunk, each agreement once; then what the customers are told of it."""
    concerned = {order.agreement_id for order in chunk.orders.values()}
    agreements = chunk.session.exec(
        select(Agreement).where(col(Agreement.id).in_(concerned)).order_by(col(Agreement.id)).with_for_update()
    ).all()
    by_id = {agreement.id: agreement for agreement in agreements}
    keys = [event.business_key for events in chunk.events.values() for event in events]
    known = known_keys(chunk.session, keys) if keys else set()
    work = [
        (by_id[agreement_id], [event for event in events if event.business_key not in known])
        for agreement_id, events in sorted(chunk.events.items())
    ]
    book(chunk.session, work, as_of=chunk.work.day.on, now=chunk.now)
    for tell in chunk.tell:
        tell(by_id)
