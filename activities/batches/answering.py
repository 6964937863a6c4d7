"""What follows from a line of the bank's for orders of batches (入账): state, booking, funding, next try, suspense.

Lines of all runs of a tenant are posted, whoever has read them: a run that has ended still gets its late returns.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, func, select

from activities.batches.debit_news import tell_debits
from activities.batches.next_tries import after_failure
from activities.batches.sending import mark_left
from activities.gateways.bank.replies import ReplyStatus
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from models.database.engine import Database
from models.domain.batches.kinds import KINDS, Direction, KindName
from models.domain.batches.states import LATE_RETURN, OPEN_ORDER_STATES, OrderState
from models.domain.clock import Clock
from models.domain.daily import ReplyState
from models.operations.batches import breakers
from models.operations.batches.moving import book_returned, book_settled
from models.operations.batches.order_states import move_orders
from models.operations.batches.suspense import open_suspense
from models.queries.batches.replies import waiting_lines
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankReply

CHUNK: Final = 100
# In this order whatever the order of arrival: money must have come before it can go back.
_ORDER: Final = (
    ReplyStatus.PENDING,
    ReplyStatus.PARTIAL,
    ReplyStatus.ACCEPTED,
    ReplyStatus.REJECTED,
    ReplyStatus.SETTLED,
    ReplyStatus.RETURNED,
)
_ANSWERS: Final = "answers"  # the breakers' figures of what the bank has answered
# Of which the rate of failures is taken. Banks tell what they refuse first and the money a day later: of what has an
# outcome at that moment, all has failed.
_AWAY: Final = (
    OrderState.SENT,
    OrderState.ACCEPTED,
    OrderState.SETTLED,
    OrderState.REJECTED,
    OrderState.RETURNED,
)


@dataclass(slots=True)
class _Chunk:
    """Lines of one run and status."""

    session: Session
    run: BatchRun
    on: date
    now: datetime
    is_bank_day: Callable[[date], bool]
    orders: dict[str, BatchOrder] = field(default_factory=dict)
    figures: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        self.figures[name] = self.figures.get(name, 0) + by


@dataclass(frozen=True, slots=True)
class LinePoster:
    """Posts the lines of a tenant's batches."""

    database: Database
    clock: Clock
    tenant: str
    on: date
    is_bank_day: Callable[[date], bool]
    rest: Callable[[], None]

    def run(self) -> None:
        """Let everything follow from the lines that are new; repeated, nothing is left to follow."""
        with self.database.read() as session:
            waiting = waiting_lines(session, tenant=self.tenant)
        for status in _ORDER:
            of_status = [each for each in waiting if each.status == status]
            for run in sorted({each.run for each in of_status}):
                ids = [each.reply_id for each in of_status if each.run == run]
                for first in range(0, len(ids), CHUNK):
                    self._post(run, ids[first : first + CHUNK])
                    self.rest()

    def _post(self, run: str, ids: Sequence[str]) -> None:
        now = self.clock()
        deed = Deed(
            tenant=self.tenant, action="batch.replies-booked", target=run, actor="workflow", at=now, facts={"orders": 0}
        )
        with unit_of_work(self.database, deed) as unit:
            self._follow_all(unit, run, ids, now)

    def _follow_all(self, unit: Unit, token: str, ids: Sequence[str], now: datetime) -> None:
        session = unit.session
        replies = session.exec(
            select(BankReply)
            .where(col(BankReply.id).in_(ids), col(BankReply.state) == ReplyState.NEW)
            .order_by(col(BankReply.id))
            .with_for_update()
        ).all()
        if not replies:
            raise Unchanged
        run = session.get_one(BatchRun, token)
        wanted = sorted({reply.order_id for reply in replies if reply.order_id is not None})
        orders = session.exec(
            select(BatchOrder).where(col(BatchOrder.id).in_(wanted)).order_by(col(BatchOrder.id)).with_for_update()
        ).all()
        chunk = _Chunk(session, run, self.on, now, self.is_bank_day, {order.id: order for order in orders})
        mark_left(session, orders, now=now)
        for reply in replies:
            order = chunk.orders.get(reply.order_id or "")
            reply.state = (_follow(chunk, reply, order) if order is not None else _unmatched(chunk, reply)).value
            session.add(reply)
        session.flush()
        tell_debits(session, orders, on=self.on, now=now)
        tripped = _trip(session, token, now=now) if chunk.figures.get("failed") else None
        if tripped is not None:
            unit.also(
                Deed(
                    tenant=self.tenant, action="batch.breaker-tripped", target=token, actor="workflow", at=now,
                    facts={"code": tripped},
                )
            )  # fmt: skip
        late = chunk.figures.get("late", 0)
        if late:
            unit.also(
                Deed(
                    tenant=self.tenant, action="batch.returned-late", target=token, actor="workflow", at=now,
                    facts={"lines": late},
                )
            )  # fmt: skip
        unit.deed.facts |= {"orders": len(chunk.orders), **chunk.figures}


def _follow(chunk: _Chunk, reply: BankReply, order: BatchOrder) -> ReplyState:
    """What one line means for its order. A status report names no amount: only a booked entry moves money here."""
    status, is_money, state = ReplyStatus(reply.status), reply.amount_minor > 0, OrderState(order.state)
    if status is ReplyStatus.SETTLED and is_money:
        return _settled(chunk, reply, order)
    if status is ReplyStatus.RETURNED and is_money:
        return _returned(chunk, reply, order)
    if status is ReplyStatus.REJECTED and state in OPEN_ORDER_STATES:
        _failed(chunk, reply, order, OrderState.REJECTED)
        return ReplyState.BOOKED
    if status in (ReplyStatus.ACCEPTED, ReplyStatus.SETTLED) and state is OrderState.SENT:
        move_orders(chunk.session, [order], to=OrderState.ACCEPTED, cause=f"reply/{reply.business_key}", now=chunk.now)
    return ReplyState.NOTED


def _settled(chunk: _Chunk, reply: BankReply, order: BatchOrder) -> ReplyState:
    if order.state not in OPEN_ORDER_STATES:
        # The same order was paid before under another reference, or money came for what the bank had refused.
        return _suspense(chunk, reply, "paid-twice" if order.settled_on is not None else "paid-after-refusal")
    if reply.credit is not None and reply.credit is not _comes_in(chunk.run):
        return _suspense(chunk, reply, "wrong-direction")
    value_date = reply.value_date or chunk.on
    move_orders(
        chunk.session, [order], to=OrderState.SETTLED, cause=f"reply/{reply.business_key}", now=chunk.now,
        settled_on=value_date,
    )  # fmt: skip
    book_settled(chunk.session, chunk.run, order, value_date=value_date, now=chunk.now)
    chunk.count("settled")
    chunk.count("settledMinor", reply.amount_minor)
    return ReplyState.BOOKED


def _returned(chunk: _Chunk, reply: BankReply, order: BatchOrder) -> ReplyState:
    if order.state != OrderState.SETTLED:
        return _suspense(chunk, reply, "returned-unpaid")
    if order.final_state is not None:  # the term is over: the order keeps its end, and people see to the money
        chunk.count("late")
        return _suspense(chunk, reply, LATE_RETURN, posting=f"late-return/{reply.id}")
    book_returned(chunk.session, chunk.run, order, value_date=reply.value_date or chunk.on, now=chunk.now)
    _failed(chunk, reply, order, OrderState.RETURNED)
    chunk.count("returnedMinor", reply.amount_minor)
    return ReplyState.BOOKED


def _failed(chunk: _Chunk, reply: BankReply, order: BatchOrder, state: OrderState) -> None:
    moved = move_orders(
        chunk.session, [order], to=state, cause=f"reply/{reply.business_key}", now=chunk.now,
        reason_code=reply.reason_code,
    )  # fmt: skip
    if moved:
        after_failure(chunk.session, chunk.run, order, on=chunk.on, now=chunk.now, is_bank_day=chunk.is_bank_day)
    chunk.count("failed")


def _unmatched(chunk: _Chunk, reply: BankReply) -> ReplyState:
    return _suspense(chunk, reply, "unmatched") if reply.amount_minor else ReplyState.NOTED


def _suspense(chunk: _Chunk, reply: BankReply, code: str, *, posting: str | None = None) -> ReplyState:
    came = reply.credit if reply.credit is not None else _came(chunk.run, reply)
    open_suspense(
        chunk.session, chunk.run, reply, code=code, signed_minor=reply.amount_minor if came else -reply.amount_minor,
        posting=posting or f"suspense/{reply.id}", on=chunk.on, now=chunk.now,
    )  # fmt: skip
    chunk.count("suspense")
    return ReplyState.SUSPENSE


def _comes_in(run: BatchRun) -> bool:
    return KINDS[KindName(run.kind)].direction is Direction.IN


def _came(run: BatchRun, reply: BankReply) -> bool:
    return _comes_in(run) is (ReplyStatus(reply.status) is ReplyStatus.SETTLED)


def _trip(session: Session, token: str, *, now: datetime) -> str | None:
    """Whether the answers have shut the run (熔断); written with the answers that did it, so that nothing is missed."""
    run = session.get_one(BatchRun, token, with_for_update=True, populate_existing=True)
    counts = dict(
        session.exec(
            select(BatchOrder.state, func.count())
            .where(col(BatchOrder.run) == token, col(BatchOrder.state).in_(_AWAY))
            .group_by(BatchOrder.state)
        ).all()
    )
    failed = counts.get(OrderState.REJECTED, 0) + counts.get(OrderState.RETURNED, 0)
    away = sum(counts.values())
    if run.tripped is not None or run.cancel_asked_at is not None or run.ended_at is not None:
        return None
    code = breakers.trips(run, scope=_ANSWERS, answered=away, failed=failed, amount_minor=0)
    if code is not None:
        # What failed was looked at; what left stays the measure of what fails from now on.
        breakers.trip(session, run, code, scope=_ANSWERS, answered=0, failed=failed, amount_minor=0, now=now)
    return code
