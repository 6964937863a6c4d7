"""What lines of the bank's mean for their orders, and what follows, many at once: state, booking, funding, next try.

A status report names no amount: only a booked entry moves money here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum, auto
from typing import Final

from sqlmodel import Session

from activities.batches.next_tries import after_failures
from activities.gateways.bank.replies import ReplyStatus
from models.domain.batches.kinds import KINDS, Direction, KindName
from models.domain.batches.states import LATE_RETURN, OPEN_ORDER_STATES, OrderState
from models.domain.daily import ReplyState
from models.operations.batches.moving import book_all_returned, book_all_settled
from models.operations.batches.order_states import Move, move_each
from models.operations.batches.suspense import Unexplained, open_all
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankReply


class _What(Enum):
    """What follows from a line."""

    SETTLED = auto()
    RETURNED = auto()
    REJECTED = auto()
    ACCEPTED = auto()
    SUSPENSE = auto()
    NOTHING = auto()


_BECOMES: Final = {
    _What.SETTLED: ReplyState.BOOKED,
    _What.RETURNED: ReplyState.BOOKED,
    _What.REJECTED: ReplyState.BOOKED,
    _What.ACCEPTED: ReplyState.NOTED,
    _What.SUSPENSE: ReplyState.SUSPENSE,
    _What.NOTHING: ReplyState.NOTED,
}


@dataclass(frozen=True, slots=True)
class _Told:
    """A line of an order that we know."""

    reply: BankReply
    order: BatchOrder

    @property
    def cause(self) -> str:
        return f"reply/{self.reply.business_key}"


@dataclass(slots=True)
class Lines:
    """Lines of one run and status, with their orders, all of them locked.

    Attributes:
        orders: by id.
        figures: what has followed.
        states: of the lines behind it, by id.
    """

    session: Session
    run: BatchRun
    on: date
    now: datetime
    is_bank_day: Callable[[date], bool]
    orders: Mapping[str, BatchOrder]
    figures: dict[str, int] = field(default_factory=dict)
    states: dict[str, ReplyState] = field(default_factory=dict)

    def follow(self, replies: Sequence[BankReply]) -> None:
        """Let everything follow, as if one line was read after the other."""
        for wave in _waves(replies):
            self._follow_wave(wave)

    def _follow_wave(self, replies: Sequence[BankReply]) -> None:
        known: dict[_What, list[_Told]] = defaultdict(list)
        unexplained: list[Unexplained] = []
        for reply in replies:
            order = self.orders.get(reply.order_id or "")
            what, code = _meaning(self.run, reply, order)
            self.states[reply.id] = _BECOMES[what]
            if what is _What.SUSPENSE:
                unexplained.append(_unexplained(self.run, reply, code))
            elif order is not None:
                known[what].append(_Told(reply, order))
        self._settled(known[_What.SETTLED])
        self._returned(known[_What.RETURNED])
        self._failed(known[_What.REJECTED], OrderState.REJECTED)
        self._move(known[_What.ACCEPTED], OrderState.ACCEPTED)
        self._hold(unexplained)

    def _settled(self, lines: Sequence[_Told]) -> None:
        if not lines:
            return
        moved = [(line.order, line.reply.value_date or self.on) for line in lines]
        moves = [
            Move(order=line.order, cause=line.cause, values={"settled_on": value_date})
            for line, (_, value_date) in zip(lines, moved, strict=True)
        ]
        move_each(self.session, moves, to=OrderState.SETTLED, now=self.now)
        book_all_settled(self.session, self.run, moved, now=self.now)
        self._count("settled", len(lines))
        self._count("settledMinor", _sum(lines))

    def _returned(self, lines: Sequence[_Told]) -> None:
        if not lines:
            return
        moved = [(line.order, line.reply.value_date or self.on) for line in lines]
        book_all_returned(self.session, self.run, moved, now=self.now)
        self._failed(lines, OrderState.RETURNED)
        self._count("returnedMinor", _sum(lines))

    def _failed(self, lines: Sequence[_Told], to: OrderState) -> None:
        if not lines:
            return
        moved = set(self._move(lines, to, with_reason=True))
        failed = [line.order for line in lines if line.order.id in moved]
        after_failures(self.session, self.run, failed, on=self.on, now=self.now, is_bank_day=self.is_bank_day)
        self._count("failed", len(lines))

    def _move(self, lines: Sequence[_Told], to: OrderState, *, with_reason: bool = False) -> list[str]:
        moves = [
            Move(order=line.order, cause=line.cause, reason_code=line.reply.reason_code if with_reason else None)
            for line in lines
        ]
        return move_each(self.session, moves, to=to, now=self.now)

    def _hold(self, lines: Sequence[Unexplained]) -> None:
        if not lines:
            return
        open_all(self.session, self.run, lines, on=self.on, now=self.now)
        self._count("suspense", len(lines))
        late = sum(line.code == LATE_RETURN for line in lines)
        if late:
            self._count("late", late)

    def _count(self, name: str, by: int) -> None:
        self.figures[name] = self.figures.get(name, 0) + by


def _waves(replies: Sequence[BankReply]) -> Iterable[list[BankReply]]:
    """The first lines of all orders, then the second ones, and so on: each line finds its order as the last left it.

    Lines of no order stand with the first. Of one status it makes no difference which order comes first, but for those
    of one mandate that fail; and an order fails by its first line.
    """
    seen: dict[str, int] = {}
    waves: list[list[BankReply]] = []
    for reply in replies:
        number = 0
        if reply.order_id is not None:
            number = seen.get(reply.order_id, 0)
            seen[reply.order_id] = number + 1
        if number == len(waves):
            waves.append([])
        waves[number].append(reply)
    return waves


def _meaning(run: BatchRun, reply: BankReply, order: BatchOrder | None) -> tuple[_What, str]:
    """What a line means for its order as it stands; of money that no order explains, also why."""
    if order is None:
        return (_What.SUSPENSE, "unmatched") if reply.amount_minor else (_What.NOTHING, "")
    status, is_money, state = ReplyStatus(reply.status), reply.amount_minor > 0, OrderState(order.state)
    if status is ReplyStatus.SETTLED and is_money:
        return _of_money(run, reply, order)
    if status is ReplyStatus.RETURNED and is_money:
        if state is not OrderState.SETTLED:
            return _What.SUSPENSE, "returned-unpaid"
        if order.final_state is not None:  # the term is over: the order keeps its end, and people see to the money
            return _What.SUSPENSE, LATE_RETURN
        return _What.RETURNED, ""
    if status is ReplyStatus.REJECTED and state in OPEN_ORDER_STATES:
        return _What.REJECTED, ""
    if status in (ReplyStatus.ACCEPTED, ReplyStatus.SETTLED) and state is OrderState.SENT:
        return _What.ACCEPTED, ""
    return _What.NOTHING, ""


def _of_money(run: BatchRun, reply: BankReply, order: BatchOrder) -> tuple[_What, str]:
    if order.state not in OPEN_ORDER_STATES:
        # The same order was paid before under another reference, or money came for what the bank had refused.
        return _What.SUSPENSE, "paid-twice" if order.settled_on is not None else "paid-after-refusal"
    if reply.credit is not None and reply.credit is not _comes_in(run):
        return _What.SUSPENSE, "wrong-direction"
    return _What.SETTLED, ""


def _unexplained(run: BatchRun, reply: BankReply, code: str) -> Unexplained:
    came = reply.credit
    if came is None:
        came = _comes_in(run) is (ReplyStatus(reply.status) is ReplyStatus.SETTLED)
    return Unexplained(
        reply=reply,
        code=code,
        signed_minor=reply.amount_minor if came else -reply.amount_minor,
        posting=f"late-return/{reply.id}" if code == LATE_RETURN else f"suspense/{reply.id}",
    )


def _comes_in(run: BatchRun) -> bool:
    return KINDS[KindName(run.kind)].direction is Direction.IN


def _sum(lines: Sequence[_Told]) -> int:
    return sum(line.reply.amount_minor for line in lines)
