"""Both sides of the bank reconciliation (对账) as the records have them: orders and events, and the bank's lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Row, Select
from sqlalchemy import select as rows_of
from sqlmodel import Session, col, func, or_, select

from models.domain.daily import OrderState, ReplyState
from models.domain.reconciliation.records import (
    Accounts,
    BankLine,
    BookedMoney,
    BookOrder,
    ClearingSum,
    FiledLine,
    entry_reference,
)
from models.domain.servicing.events import EventKind, PaymentChannel
from models.domain.servicing.ledger import Account
from models.tables.agreements import AgreementEvent, LedgerEntry
from models.tables.daily import BankReply, DebitOrder

# What says that money has moved; other lines are reports of what will.
SETTLED: Final = "SETTLED"
RETURNED: Final = "RETURNED"
_AROUND: Final = timedelta(days=20)  # so far from its counterpart a transfer may lie
_PART: Final = 500
_MONEY: Final = frozenset({EventKind.PAYMENT, EventKind.PREPAYMENT, EventKind.SETTLEMENT})
_ON_CLEARING: Final = [kind.value for kind in (*_MONEY, EventKind.REFUND, EventKind.REVERSAL)]

# Plain rows: tens of thousands of them are read, and none is written.
_Row = Row[Any]
_ALL_ORDERS: Final = rows_of(DebitOrder.__table__)  # type: ignore[attr-defined]
_ALL_EVENTS: Final = rows_of(AgreementEvent.__table__)  # type: ignore[attr-defined]
_ALL_REPLIES: Final = rows_of(BankReply.__table__)  # type: ignore[attr-defined]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """What is to be compared: a tenant's days, both ends included, and how far the bank can have spoken."""

    tenant: str
    first: date
    last: date
    as_of: date


@dataclass(slots=True)
class _Events:
    """Events by what they are about."""

    period: Period
    all: dict[str, _Row] = field(default_factory=dict)

    def paid(self, order: _Row, by_reference: dict[str, list[_Row]]) -> list[_Row]:
        """The events that book the order's money: its own, and any other that names it."""
        own = [self.all[order.event_id]] if order.event_id in self.all else []
        others = by_reference.get(order.end_to_end_id, [])
        return own + [event for event in others if event.id != order.event_id]


def accounts_of(session: Session, period: Period, *, unknown: Iterable[BankLine] = ()) -> Accounts:
    """Both sides, ready to be compared.

    Args:
        session: for reading.
        period: which days.
        unknown: lines of the bank's files that the records do not hold.
    """
    unknown = tuple(unknown)
    orders = _orders(session, period, unknown)
    replies = _replies(session, period, orders)
    events = _events(session, period, orders)
    lines = (*(_line(reply, period.tenant) for reply in replies), *unknown)
    return Accounts(
        orders=tuple(_book_orders(orders, events)),
        lines=lines,
        first=period.first,
        last=period.last,
        as_of=period.as_of,
        transfers=tuple(_transfers(session, events)),
        clearing=(*_of_agreements(session, events), *_of_suspense(session, period, replies)),
    )


def not_kept(session: Session, filed: Iterable[FiledLine]) -> list[BankLine]:
    """Which lines of the bank's files the records do not hold."""
    lines, kept = list(filed), set[str]()
    for part in _parts([each.business_key for each in lines if not each.is_sum]):
        kept |= set(session.exec(select(BankReply.business_key).where(col(BankReply.business_key).in_(part))).all())
    for each in lines:
        if each.is_sum:
            of_sum = col(BankReply.business_key).startswith(f"{each.business_key}/", autoescape=True)
            known = session.exec(
                select(BankReply.id).where(of_sum | (col(BankReply.business_key) == each.business_key))
            )
            kept |= {each.business_key} if known.first() is not None else set()
    return [each.line for each in lines if each.business_key not in kept]


# The books -----------------------------------------------------------------------------------------------------------


def _orders(session: Session, period: Period, unknown: Sequence[BankLine]) -> list[_Row]:
    """Orders of the period, orders of which the bank spoke in it, and orders whose money went back in it."""
    of_tenant = col(DebitOrder.tenant) == period.tenant
    requested = col(DebitOrder.requested_on).between(period.first, period.last)
    found = _by_id(session, _ALL_ORDERS.where(of_tenant, requested))
    spoken = session.exec(select(BankReply.order_id, BankReply.end_to_end_id).where(*_in_period(period))).all()
    by_id = {order_id for order_id, _ in spoken if order_id is not None} - found.keys()
    end_to_end = {known for order_id, known in spoken if order_id is None and known is not None}
    end_to_end |= {line.end_to_end_id for line in unknown if line.end_to_end_id is not None}
    taken_back = select(AgreementEvent.target).where(
        col(AgreementEvent.tenant) == period.tenant,
        col(AgreementEvent.kind) == EventKind.REVERSAL,
        col(AgreementEvent.booked_on).between(period.first, period.last),
    )
    wanted: list[Any] = [col(DebitOrder.event_id).in_(taken_back)]
    wanted += [col(DebitOrder.id).in_(part) for part in _parts(sorted(by_id))]
    wanted += [col(DebitOrder.end_to_end_id).in_(part) for part in _parts(sorted(end_to_end))]
    for condition in wanted:
        found |= _by_id(session, _ALL_ORDERS.where(of_tenant, condition))
    return sorted(found.values(), key=lambda order: order.id)


def _events(session: Session, period: Period, orders: Sequence[_Row]) -> _Events:
    """Money of the days around the period, what was booked for the orders, and what took it back."""
    of_tenant = (col(AgreementEvent.tenant) == period.tenant, col(AgreementEvent.kind).in_(_ON_CLEARING))
    around = col(AgreementEvent.booked_on).between(period.first - _AROUND, period.last + _AROUND)
    found = _by_id(session, _ALL_EVENTS.where(*of_tenant, around))
    paid = [order.event_id for order in orders if order.event_id is not None]
    for part in _parts([event_id for event_id in paid if event_id not in found]):
        found |= _by_id(session, _ALL_EVENTS.where(col(AgreementEvent.id).in_(part)))
    known = {event.business_key for event in found.values()}
    went_back = [f"return/{order.id}" for order in orders if order.state == OrderState.RETURNED]
    for part in _parts([key for key in went_back if key not in known]):
        found |= _by_id(session, _ALL_EVENTS.where(col(AgreementEvent.business_key).in_(part)))
    return _Events(period, found)


def _book_orders(orders: Iterable[_Row], events: _Events) -> Iterator[BookOrder]:
    by_reference: dict[str, list[_Row]] = {}
    taking_back: dict[str, list[_Row]] = {}
    for event in events.all.values():
        if event.kind == EventKind.PAYMENT and event.params.get("channel") == PaymentChannel.DEBIT:
            by_reference.setdefault(event.params.get("ref", ""), []).append(event)
        elif event.kind == EventKind.REVERSAL:
            taking_back.setdefault(event.target or "", []).append(event)
    for order in orders:
        paid = events.paid(order, by_reference)
        back = [(money, event) for money in paid for event in taking_back.get(money.id, [])]
        yield BookOrder(
            order_id=order.id,
            agreement_id=order.agreement_id,
            end_to_end_id=order.end_to_end_id,
            amount_minor=order.amount_minor,
            requested_on=order.requested_on,
            state=OrderState(order.state),
            account=order.account_index,
            paid=tuple(_money(event, event.amount_minor) for event in paid),
            back=tuple(_money(event, money.amount_minor) for money, event in back),
        )


def _money(event: _Row, amount_minor: int, *, reference: str | None = None) -> BookedMoney:
    return BookedMoney(
        event_id=event.id,
        agreement_id=event.agreement_id,
        amount_minor=amount_minor,
        value_date=event.value_date,
        booked_on=event.booked_on,
        reference=reference,
    )


def _transfers(session: Session, events: _Events) -> Iterator[BookedMoney]:
    """Transfers that staff recorded and nobody took back."""
    start = f"bank/{events.period.tenant}/"
    recorded = [
        event
        for event in events.all.values()
        if event.kind in _MONEY
        and event.params.get("channel") == PaymentChannel.TRANSFER
        and event.amount_minor
        and event.business_key.startswith(start)
    ]
    taken_back: set[str | None] = set()
    for part in _parts([event.id for event in recorded]):
        statement = select(AgreementEvent.target).where(col(AgreementEvent.target).in_(part))
        taken_back |= set(session.exec(statement).all())
    for event in sorted(recorded, key=lambda event: event.id):
        if event.id not in taken_back:
            yield _money(event, event.amount_minor, reference=event.business_key.removeprefix(start))


# The bank ------------------------------------------------------------------------------------------------------------


def _money_moved(tenant: str) -> tuple[Any, ...]:
    return (
        col(BankReply.tenant) == tenant,
        col(BankReply.status).in_((SETTLED, RETURNED)),
        col(BankReply.amount_minor) > 0,
        col(BankReply.value_date).is_not(None),
    )


def _in_period(period: Period) -> tuple[Any, ...]:
    return (*_money_moved(period.tenant), col(BankReply.value_date).between(period.first, period.last))


def _replies(session: Session, period: Period, orders: Sequence[_Row]) -> list[_Row]:
    """Lines of the period, all lines of the orders, and lines of nobody in the days around."""
    moved = _ALL_REPLIES.where(*_money_moved(period.tenant))
    around = col(BankReply.value_date).between(period.first - _AROUND, period.last + _AROUND)
    in_period = col(BankReply.value_date).between(period.first, period.last)
    found = _by_id(session, moved.where(or_(in_period, around & col(BankReply.order_id).is_(None))))
    for part in _parts([order.id for order in orders]):
        found |= _by_id(session, moved.where(~in_period, col(BankReply.order_id).in_(part)))
    return sorted(found.values(), key=lambda reply: str(reply.id))


def _line(reply: _Row, tenant: str) -> BankLine:
    assigned = reply.state == ReplyState.ASSIGNED
    return BankLine(
        line_id=reply.id,
        amount_minor=reply.amount_minor,
        value_date=reply.value_date or date.min,
        back=reply.status == RETURNED,
        credit=reply.credit,
        reference=entry_reference(reply.business_key.removeprefix(f"{tenant}/")) or (reply.id if assigned else None),
        order_id=reply.order_id,
        end_to_end_id=reply.end_to_end_id,
        account=reply.account_index,
        in_suspense=reply.state == ReplyState.SUSPENSE,
        assigned=assigned,
    )


# The ledger ----------------------------------------------------------------------------------------------------------


def _of_agreements(session: Session, events: _Events) -> Iterator[ClearingSum]:
    """By agreement and business date: what the events come to, and what was posted."""
    period = events.period
    posted = {
        (agreement_id, booked_on): int(total)
        for agreement_id, booked_on, total in session.exec(
            select(col(LedgerEntry.agreement_id), col(LedgerEntry.booked_on), func.sum(LedgerEntry.amount_minor))
            .where(
                col(LedgerEntry.tenant) == period.tenant,
                col(LedgerEntry.booked_on).between(period.first, period.last),
                col(LedgerEntry.account) == Account.BANK_CLEARING.value,
                col(LedgerEntry.agreement_id).is_not(None),
            )
            .group_by(col(LedgerEntry.agreement_id), col(LedgerEntry.booked_on))
        ).all()
    }
    expected: dict[tuple[str | None, date], int] = {}
    in_period = [event for event in events.all.values() if period.first <= event.booked_on <= period.last]
    targets = _targets(session, events, in_period)
    for event in in_period:
        key = (event.agreement_id, event.booked_on)
        expected[key] = expected.get(key, 0) + _moved(event, targets)
    for head in sorted(expected.keys() | posted.keys(), key=str):
        yield ClearingSum(
            agreement_id=head[0],
            booked_on=head[1],
            expected_minor=expected.get(head, 0),
            posted_minor=posted.get(head, 0),
        )


def _targets(session: Session, events: _Events, reversals: Iterable[_Row]) -> dict[str, _Row]:
    """What reversals take back."""
    found = dict(events.all)
    missing = [event.target for event in reversals if event.target is not None and event.target not in found]
    for part in _parts(missing):
        found |= _by_id(session, _ALL_EVENTS.where(col(AgreementEvent.id).in_(part)))
    return found


def _moved(event: _Row, known: dict[str, _Row]) -> int:
    """What an event does to the clearing account; one that takes another back does the opposite of it."""
    if event.kind == EventKind.REVERSAL:
        return -_moved(known[event.target], known) if event.target in known else 0
    if event.kind == EventKind.REFUND:
        return -int(event.amount_minor)
    return int(event.amount_minor) if event.kind in _MONEY else 0


def _of_suspense(session: Session, period: Period, replies: Iterable[_Row]) -> Iterator[ClearingSum]:
    """Line by line: money of nobody stands on the clearing account as the bank moved it; what was assigned does not."""
    posted: dict[str, tuple[int, date]] = {}
    for journal, booked_on, total in session.exec(
        select(col(LedgerEntry.journal), col(LedgerEntry.booked_on), func.sum(LedgerEntry.amount_minor))
        .where(
            col(LedgerEntry.tenant) == period.tenant,
            col(LedgerEntry.booked_on) >= period.first - _AROUND,
            col(LedgerEntry.account) == Account.BANK_CLEARING.value,
            col(LedgerEntry.agreement_id).is_(None),
        )
        .group_by(col(LedgerEntry.journal), col(LedgerEntry.booked_on))
        .order_by(col(LedgerEntry.booked_on))
    ).all():
        entry = "/".join(journal.split("/")[:2])  # suspense/<line>, and behind it which assignment moved it out or back
        before, since = posted.get(entry, (0, booked_on))
        posted[entry] = (before + int(total), since)
    for reply in replies:
        day = reply.value_date
        if day is None or not period.first <= day <= period.last:
            continue
        total, booked_on = posted.get(f"suspense/{reply.id}", (0, day))
        came = reply.credit if reply.credit is not None else reply.status == SETTLED
        expected = reply.amount_minor if came else -reply.amount_minor
        if reply.state != ReplyState.SUSPENSE:
            expected = 0
        if total or expected:
            yield ClearingSum(line_id=reply.id, booked_on=booked_on, expected_minor=expected, posted_minor=total)


def _by_id(session: Session, statement: Select[Any]) -> dict[str, _Row]:
    return {row.id: row for row in session.connection().execute(statement)}


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for first in range(0, len(items), _PART):
        yield items[first : first + _PART]
