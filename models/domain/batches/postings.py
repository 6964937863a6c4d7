"""How the money of a batch is booked (记账): legs that add up to zero, debit positive, in minor units. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.domain.batches.kinds import BatchKind, Direction


class BatchAccount(StrEnum):
    """Accounts of the books of batches."""

    CLEARING = "clearing"  # 待清算: our account at the bank
    RECEIVABLE = "receivable"  # 应收: what customers owed until it was taken from them
    FUNDING = "funding"  # 代发资金: what we owe a client who has paid in for wages
    PAYABLE = "payable"  # 应退款: what we owe a customer until it is paid back
    SUSPENSE = "suspense"  # 暂收: money of nobody yet
    REFUND = "refund"  # 退款: what is given back after a dispute


@dataclass(frozen=True, slots=True)
class Leg:
    """One side of a booking."""

    account: BatchAccount
    amount_minor: int


def pair(debit: BatchAccount, credit: BatchAccount, amount_minor: int) -> tuple[Leg, Leg]:
    """The plainest booking.

    Raises:
        ValueError: nothing moves, or less than nothing.
    """
    if amount_minor <= 0:
        raise ValueError("a booking moves one minor unit or more")
    return Leg(debit, amount_minor), Leg(credit, -amount_minor)


def other_account(kind: BatchKind) -> BatchAccount:
    """What stands against our account at the bank when money of this kind moves.

    Raises:
        ValueError: it moves no money.
    """
    if kind.direction is Direction.IN:
        return BatchAccount.RECEIVABLE
    if kind.direction is Direction.OUT:
        return BatchAccount.FUNDING if kind.needs_funding else BatchAccount.PAYABLE
    raise ValueError(kind.name)


def settled_legs(kind: BatchKind, amount_minor: int) -> tuple[Leg, Leg]:
    """An order's money has moved: in from a customer, or out to a worker or a customer.

    Raises:
        ValueError: of a kind that moves no money.
    """
    other = other_account(kind)
    if kind.direction is Direction.IN:
        return pair(BatchAccount.CLEARING, other, amount_minor)
    return pair(other, BatchAccount.CLEARING, amount_minor)


def returned_legs(kind: BatchKind, amount_minor: int) -> tuple[Leg, Leg]:
    """It has come back (退回、退汇): the same the other way round."""
    first, second = settled_legs(kind, amount_minor)
    return Leg(second.account, amount_minor), Leg(first.account, -amount_minor)


def balanced(legs: Sequence[Leg]) -> bool:
    """Whether the legs add up to zero, as every booking does."""
    return bool(legs) and sum(leg.amount_minor for leg in legs) == 0


def settled_posting(order_id: str) -> str:
    """Under which an order's money is booked, once."""
    return f"settled/{order_id}"


def returned_posting(order_id: str) -> str:
    """Under which it is booked back, once."""
    return f"returned/{order_id}"


_REFUND: Final = "refund/"


def refund_posting(dispute_id: str) -> str:
    """Under which what is owed to a customer after a dispute is booked, once; also the claim of its payment."""
    return f"{_REFUND}{dispute_id}"


def refunded_dispute(claim: str) -> str:
    """The dispute whose refund a claim is."""
    return claim.removeprefix(_REFUND)


def assigned_posting(suspense_id: str) -> str:
    """Under which money leaves suspense for the order that it is of, once."""
    return f"assigned/{suspense_id}"
