"""What happened to an agreement in service (事件): append-only facts from which its state is folded.

Order of effect is (value date, rank of the kind, id), never order of arrival: an event learnt late has the effect it
would have had in time. An event is never changed or taken away; a `REVERSAL` names it instead.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from models.domain.schedules.rows import Row
from models.domain.servicing.components import Component


class EventKind(StrEnum):
    """Kinds in their order of effect within one day."""

    ACTIVATED = "activated"  # 生效
    WAIVER = "waiver"  # 减免: before payments, which then need not pay what is conceded
    PAYMENT = "payment"  # 还款: debit, transfer or counter
    RE_AGE = "re-age"  # 重新计龄: everything unpaid is spread over new rows
    DUE_DATE_CHANGE = "due-date-change"  # 变更还款日
    PAUSE = "pause"  # 停息 / 延期
    PREPAYMENT = "prepayment"  # 提前部分还款
    SETTLEMENT = "settlement"  # 提前结清
    REFUND = "refund"  # 溢缴款退回
    DEFAULTED = "defaulted"  # 违约
    CURED = "cured"  # 恢复正常
    WRITTEN_OFF = "written-off"  # 核销
    REVERSAL = "reversal"  # 冲正 / 退票


class PaymentChannel(StrEnum):
    """How money came in."""

    DEBIT = "debit"
    TRANSFER = "transfer"
    COUNTER = "counter"


class PrepaymentChoice(StrEnum):
    """What a partial prepayment changes."""

    SHORTER = "shorter"  # 缩短期限
    LOWER = "lower"  # 减少每期还款


_RANK: Final = {kind: rank for rank, kind in enumerate(EventKind)}
REVISIONS: Final = frozenset({EventKind.RE_AGE, EventKind.DUE_DATE_CHANGE, EventKind.PAUSE})
_WITH_AMOUNT: Final = frozenset({EventKind.PAYMENT, EventKind.PREPAYMENT, EventKind.WAIVER, EventKind.REFUND})


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One fact. Which fields it needs depends on `kind`.

    Attributes:
        id: unique within the agreement; breaks ties within a day and kind, so ids best ascend with time.
        value_date: the business date on which it has effect. A reversal has it on the value date of its target;
            its own date says only when it was booked.
        amount_minor: money of payments and refunds, or what is conceded by a waiver; above zero there, zero elsewhere.
            A settlement may need no money, where waiting credit covers it.
        ref: what it goes back to: bank reference, quote id, approval. Never a person's data.
        channel: how a payment came in.
        target: id of the event that a reversal takes back.
        component: what a waiver is taken off.
        choice: what a prepayment changes.
        rows: the new rows of a revision or prepayment, as agreed; all due after `value_date`, in order.
        late_free_until: last day of a pause without late interest; None leaves late interest running.
    """

    id: str
    kind: EventKind
    value_date: date
    amount_minor: int = 0
    ref: str = ""
    channel: PaymentChannel | None = None
    target: str | None = None
    component: Component | None = None
    choice: PrepaymentChoice | None = None
    rows: tuple[Row, ...] = ()
    late_free_until: date | None = None
    order: tuple[date, int, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a fact that could not be folded, and fix its place in the order of effect."""
        _check_fields(self)
        _check_rows(self)
        object.__setattr__(self, "order", (self.value_date, _RANK[self.kind], self.id))


def _check_fields(event: Event) -> None:
    no_money = event.amount_minor == 0
    if event.amount_minor < 0 or (event.kind is not EventKind.SETTLEMENT and no_money == (event.kind in _WITH_AMOUNT)):
        raise ValueError(f"{event.kind}: an amount above zero belongs to money and waivers, and only to them")
    if (event.target is not None) != (event.kind is EventKind.REVERSAL) or event.target == event.id:
        raise ValueError(f"{event.kind}: a reversal, and only a reversal, names another event")
    if (event.component is not None) != (event.kind is EventKind.WAIVER):
        raise ValueError(f"{event.kind}: a waiver, and only a waiver, names a component")
    if (event.choice is not None) != (event.kind is EventKind.PREPAYMENT):
        raise ValueError(f"{event.kind}: a prepayment, and only a prepayment, makes a choice")
    if event.late_free_until is not None and event.kind is not EventKind.PAUSE:
        raise ValueError(f"{event.kind}: only a pause stops late interest")


def _check_rows(event: Event) -> None:
    if bool(event.rows) != (event.kind in REVISIONS or event.kind is EventKind.PREPAYMENT):
        raise ValueError(f"{event.kind}: revisions and prepayments, and only they, carry new rows")
    last = event.value_date
    for row in event.rows:
        if row.due <= last or min(row.principal_minor, row.interest_minor, row.fee_minor) < 0:
            raise ValueError(f"{event.kind}: new rows ascend, fall due after the event and are not negative")
        last = row.due
