"""The kinds of difference between books and bank, and one difference as a report names it."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong."""

    MISSING_AT_BANK = "missing-at-bank"  # 银行无账: booked here, and the bank knows nothing of it
    MISSING_IN_BOOKS = "missing-in-books"  # 账上未记: the bank moved money for our order, and it is not booked
    UNANSWERED = "unanswered"  # 逾期未回: the order went out, and the bank's time to answer is over
    DOUBLE_AT_BANK = "double-at-bank"  # 银行重复: the bank moved the money of one order twice
    DOUBLE_IN_BOOKS = "double-in-books"  # 重复入账: the same money is booked twice
    WRONG_AMOUNT = "wrong-amount"  # 金额不符
    WRONG_ACCOUNT = "wrong-account"  # 账户不符: taken from another account than the one that was asked for
    WRONG_DAY = "wrong-day"  # 日期不符: outside the tolerance
    WRONG_DIRECTION = "wrong-direction"  # 方向不符: a credit that should be a debit, or the other way round
    ORPHAN = "orphan"  # 无主款项: of no order or payment of ours
    WRONG_POSTING = "wrong-posting"  # 清算科目不符: the clearing account has another sum than the events


class About(StrEnum):
    """Which money it is about."""

    DEBIT = "debit"
    RETURN = "return"
    TRANSFER = "transfer"
    CLEARING = "clearing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One difference, by identifiers alone. What does not apply is None; amounts are minor units."""

    kind: Kind
    about: About
    agreement_id: str | None = None
    order_id: str | None = None
    event_id: str | None = None
    line_id: str | None = None
    expected_minor: int | None = None
    found_minor: int | None = None
    expected_on: date | None = None
    found_on: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciliation:
    """The result of a comparison.

    Attributes:
        orders, lines: how many were compared.
        agreeing: movements of money on which both sides agree in everything.
        pending: orders whose answer may still come in time.
    """

    orders: int
    lines: int
    agreeing: int
    pending: int
    differences: tuple[Difference, ...]
