"""Words of the daily run (日终): its steps in order, and the states of its orders, files and replies. Pure."""

from enum import StrEnum
from typing import Final


class DayStep(StrEnum):
    """The steps of one business date, in their order."""

    REPLIES = "take-replies"  # 收取回盘
    POST = "post"  # 入账
    ARREARS = "arrears"  # 逾期
    REMINDERS = "reminders"  # 提醒
    ORDERS = "debit-orders"  # 扣款
    FILE = "send-file"  # 送盘
    ROLL = "roll"  # 换日


class RunState(StrEnum):
    """A run is under way, or it is over."""

    RUNNING = "RUNNING"
    DONE = "DONE"


class OrderState(StrEnum):
    """What has become of a debit order."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    SETTLED = "SETTLED"
    REJECTED = "REJECTED"
    RETURNED = "RETURNED"
    WITHDRAWN = "WITHDRAWN"


OPEN_ORDERS: Final = (OrderState.QUEUED, OrderState.SENT, OrderState.ACCEPTED)


class FileState(StrEnum):
    """How far a file of the exchange has come: the first three go out, the others came in."""

    RESERVED = "RESERVED"
    WRITTEN = "WRITTEN"
    SENT = "SENT"
    RECEIVED = "RECEIVED"
    TAKEN = "TAKEN"
    QUARANTINED = "QUARANTINED"


class ReplyState(StrEnum):
    """What followed from a line of the bank's answer."""

    NEW = "NEW"
    BOOKED = "BOOKED"
    NOTED = "NOTED"  # nothing had to follow
    SUSPENSE = "SUSPENSE"  # money of nobody yet (暂收)
    ASSIGNED = "ASSIGNED"  # it was in suspense, and two persons found whose it is (认领)


class ExceptionState(StrEnum):
    """Whether somebody still has to look at it."""

    OPEN = "OPEN"
    RETRY = "RETRY"  # somebody asked for another try: the next run makes it
    DONE = "DONE"  # it was done after all
    CLOSED = "CLOSED"  # by a person, for a reason


WAITING_EXCEPTIONS: Final = (ExceptionState.OPEN, ExceptionState.RETRY)


class CloseReason(StrEnum):
    """Why an exception is closed without having been done (关闭原因)."""

    DONE_BY_HAND = "done-by-hand"  # 已手工处理
    PAID_OTHERWISE = "paid-otherwise"  # 已通过其他方式还款
    WITH_THE_BANK = "with-the-bank"  # 已与银行核实
    NOT_NEEDED = "not-needed"  # 无需处理
    MISTAKEN = "mistaken"  # 误报


# Codes of the exception queue that are no failure of a step.
BLOCKED_BY_RULE: Final = "blocked-by-rule"
NO_CALENDAR: Final = "no-calendar"
REOPENED: Final = "reopened"
UNANSWERED: Final = "unanswered"
AFTER_ITS_END: Final = "after-its-end"  # money of an order whose batch had given it its end

# How long an order may go unanswered before its row counts as missed: the longest bank holidays are nine days.
ANSWER_DAYS: Final = 10
REMIND_DAYS: Final = 3
# `agreements.told_days` of a case that has heard that nothing is owed any more.
TOLD_ENDED: Final = -1
