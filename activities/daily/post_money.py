"""Step 2: what the bank says becomes events and postings; money of nobody goes into suspense (入账、暂收)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import bindparam, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from activities.daily.calendar import BankCalendar
from activities.daily.chunks import DayWork
from activities.daily.customer_news import debit_failed, payment_received
from activities.gateways.bank.replies import ReplyStatus
from compliance.audit.unit import Unchanged, Unit
from models.domain.daily import AFTER_ITS_END, OPEN_ORDERS, DayStep, OrderState, ReplyState
from models.domain.servicing.events import Event, EventKind, PaymentChannel
from models.domain.servicing.ledger import Account
from models.domain.servicing.state import State
from models.domain.tokens import uuid7
from models.operations.batches.daily_mirror import Moved, account_moved
from models.operations.booking import NewEvent, book, known_keys
from models.operations.business_dates import note_exception, settle_exceptions
from models.operations.debit_orders import fail_order
from models.operations.notices import queue_notices
from models.queries.daily import mandates_ended, new_replies
from models.tables.agreements import Agreement, LedgerEntry
from models.tables.daily import BankReply, DebitOrder

_REPLIES: Final = BankReply.__table__  # type: ignore[attr-defined]
_ORDERS: Final = DebitOrder.__table__  # type: ignore[attr-defined]
_SETTLED: Final = ("state", "event_id", "reason_code", "next_try_on", "updated_at")
_SETTLE: Final = (
    update(_ORDERS)
    .where(_ORDERS.c.id == bindparam("of_order"))
    .values({name: bindparam(f"new_{name}") for name in _SETTLED})
)
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
    paid: list[DebitOrder] = field(default_factory=list)
    settled: list[dict[str, Any]] = field(default_factory=list)  # of `_SETTLE`
    failed: list[tuple[DebitOrder, date | None]] = field(default_factory=list)  # and when it is tried again
    moved: list[Moved] = field(default_factory=list)  # for the batch that accounts for them
    calendar: BankCalendar = field(init=False)
    figures: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calendar = BankCalendar(self.work)

    def move(self, reply: BankReply, order: DebitOrder, *, settled_on: date | None = None) -> None:
        """A line has moved an order."""
        self.moved.append(Moved(debit=order, cause=f"reply/{reply.business_key}", settled_on=settled_on))

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
    followed: dict[ReplyState, list[str]] = {}
    for reply in replies:
        order = chunk.orders.get(reply.order_id or "")
        state = _follow(chunk, reply, order) if order is not None else _to_suspense(chunk, reply)
        followed.setdefault(state, []).append(reply.id)
    for state, line_ids in followed.items():
        session.connection().execute(update(_REPLIES).where(_REPLIES.c.id.in_(line_ids)).values(state=state.value))
    if chunk.settled:
        session.flush()  # what other lines changed of these orders came first
        session.connection().execute(_SETTLE, chunk.settled)
    for late in account_moved(session, chunk.moved, now=now) if chunk.moved else ():
        note_exception(session, work.day, step=work.step, target=late.id, code=AFTER_ITS_END, now=now)
        chunk.count("afterEnd")
    _book(chunk)
    chunk.calendar.tell(session, now=now)
    _answered(chunk, [*followed.get(ReplyState.BOOKED, ()), *followed.get(ReplyState.NOTED, ())])
    return chunk.figures


def _answered(chunk: _Chunk, line_ids: Sequence[str]) -> None:
    """What waited in the exception queue for these lines, or for an answer to these orders, is over."""
    tenant = chunk.work.day.tenant
    for step, targets in ((DayStep.POST, line_ids), (DayStep.FILE, tuple(chunk.orders))):
        settle_exceptions(chunk.session, tenant=tenant, step=step, targets=targets, now=chunk.now)


def _follow(chunk: _Chunk, reply: BankReply, order: DebitOrder) -> ReplyState:
    """What one line means for its order. A status report names no amount: only a booked entry moves money here."""
    status, is_money = ReplyStatus(reply.status), reply.amount_minor > 0
    if status is ReplyStatus.SETTLED and is_money:
        return _settled(chunk, reply, order)
    if status is ReplyStatus.RETURNED and is_money:
        return _returned(chunk, reply, order)
    if status is ReplyStatus.REJECTED and order.state in OPEN_ORDERS:
        _failed(chunk, order, OrderState.REJECTED, reply)
        chunk.count("rejected")
        return ReplyState.BOOKED
    if status in (ReplyStatus.ACCEPTED, ReplyStatus.SETTLED) and order.state == OrderState.SENT:
        order.state, order.updated_at = OrderState.ACCEPTED, chunk.now
        chunk.session.add(order)
        chunk.move(reply, order)
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
    values = (OrderState.SETTLED.value, event.id, None, None, chunk.now)
    for name, value in zip(_SETTLED, values, strict=True):  # stored with the others of the chunk, in one statement
        set_committed_value(order, name, value)
    chunk.settled.append(
        {f"new_{name}": value for name, value in zip(_SETTLED, values, strict=True)} | {"of_order": order.id}
    )
    chunk.move(reply, order, settled_on=reply.value_date or chunk.work.day.on)
    chunk.count("paid")
    chunk.count("paidMinor", reply.amount_minor)
    chunk.paid.append(order)
    return ReplyState.BOOKED


def _returned(chunk: _Chunk, reply: BankReply, order: DebitOrder) -> ReplyState:
    if order.state != OrderState.SETTLED or order.event_id is None:
        return _to_suspense(chunk, reply, code="returned-unpaid")
    event = Event(
        id=uuid7(chunk.now), kind=EventKind.REVERSAL, value_date=chunk.work.day.on, target=order.event_id,
        ref=order.end_to_end_id,
    )  # fmt: skip
    _add(chunk, order, NewEvent(event=event, business_key=f"return/{order.id}"))
    _failed(chunk, order, OrderState.RETURNED, reply)
    chunk.count("returned")
    chunk.count("returnedMinor", reply.amount_minor)
    return ReplyState.BOOKED


def _failed(chunk: _Chunk, order: DebitOrder, state: OrderState, reply: BankReply) -> None:
    on, is_bank_day = chunk.work.day.on, chunk.calendar.is_bank_day
    then = fail_order(
        chunk.session, order, state=state, reason=reply.reason_code, on=on, now=chunk.now, is_bank_day=is_bank_day
    )
    chunk.move(reply, order)
    chunk.failed.append((order, then.on))


def _add(chunk: _Chunk, order: DebitOrder, event: NewEvent) -> None:
    chunk.events.setdefault(order.agreement_id, []).append(event)


def _to_suspense(chunk: _Chunk, reply: BankReply, *, code: str | None = None) -> ReplyState:
    """Money that belongs to nobody yet: posted, and kept for somebody to look at."""
    came = reply.credit if reply.credit is not None else ReplyStatus(reply.status) is ReplyStatus.SETTLED
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
    booked = book(chunk.session, work, as_of=chunk.work.day.on, now=chunk.now)
    _tell(chunk, by_id, {each.agreement.id: each.after for each in booked})


def _tell(chunk: _Chunk, agreements: Mapping[str, Agreement], states: Mapping[str, State]) -> None:
    on = chunk.work.day.on
    wanted = {order.mandate_id for order in chunk.paid}
    ended = mandates_ended(chunk.session, wanted, on=on) if wanted else set()
    notices = [
        payment_received(
            agreements[order.agreement_id],
            order,
            mandate_ended=order.mandate_id in ended,
            left_minor=states[order.agreement_id].owed_in_all_minor,
            on=on,
        )
        for order in chunk.paid
    ]
    notices += [
        debit_failed(agreements[order.agreement_id], order, until=until, on=on) for order, until in chunk.failed
    ]
    queue_notices(chunk.session, notices, now=chunk.now)
