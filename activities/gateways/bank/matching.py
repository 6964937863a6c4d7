"""Finds the orders that a reply speaks of. Pure: the caller brings the orders, from wherever they are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class SentOrder:
    """An order as it went out. `order_id` is the caller's own."""

    order_id: str
    message_id: str
    batch_id: str
    instruction_id: str
    end_to_end_id: str
    amount_minor: int
    currency: str


@dataclass(slots=True)
class SentOrders:
    """Orders by the ids under which the bank may answer."""

    by_end_to_end: dict[str, list[SentOrder]] = field(default_factory=dict)
    by_batch: dict[tuple[str, str], list[SentOrder]] = field(default_factory=dict)
    by_message: dict[str, list[SentOrder]] = field(default_factory=dict)


class NoMatch(StrEnum):
    """Why a reply belongs to no order for certain. Money that matches nothing goes into suspense (暂收)."""

    UNKNOWN_ID = "unknown-id"
    NO_ID = "no-id"
    AMBIGUOUS = "ambiguous"
    AMOUNT_DIFFERS = "amount-differs"
    BATCH_DIFFERS = "batch-differs"
    DUPLICATE_NOTICE = "duplicate-notice"
    NOTHING_DECIDED = "nothing-decided"  # a file or batch of which the items say what became of them


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The orders that the reply decides; empty exactly when there is a reason against it."""

    orders: tuple[SentOrder, ...] = ()
    reason: NoMatch | None = None


def index_orders(orders: Iterable[SentOrder]) -> SentOrders:
    """Sort orders by their ids. For batches booked as one sum, bring only those that the bank has not rejected."""
    sent = SentOrders()
    for order in orders:
        sent.by_end_to_end.setdefault(order.end_to_end_id, []).append(order)
        sent.by_batch.setdefault((order.message_id, order.batch_id), []).append(order)
        sent.by_message.setdefault(order.message_id, []).append(order)
    return sent


def match(item: ReplyItem, *, sent: SentOrders) -> Match:
    """The orders that `item` decides, by the most telling id that it has.

    An item is found by its end-to-end id and must then agree in all else that the bank names: batch, instruction,
    amount. A batch is found by MsgId and PmtInfId; booked money must be the sum of the batch's orders to the last unit.
    """
    if item.is_duplicate_notice:
        return Match(reason=NoMatch.DUPLICATE_NOTICE)
    if item.level is ReplyLevel.ITEM:
        return _by_item(item, sent.by_end_to_end)
    if item.status is ReplyStatus.PARTIAL:
        return Match(reason=NoMatch.NOTHING_DECIDED)
    if item.level is ReplyLevel.BATCH and item.batch_id is not None:
        return _by_batch(item, sent)
    return _all(sent.by_message.get(item.original_message_id or ""), item)


def _by_item(item: ReplyItem, known: Mapping[str, list[SentOrder]]) -> Match:
    if item.end_to_end_id is None:
        return Match(reason=NoMatch.NO_ID)
    found = known.get(item.end_to_end_id, [])
    agreeing = [order for order in found if _agrees(order, item)]
    if not agreeing:
        return Match(reason=NoMatch.UNKNOWN_ID)
    if len(agreeing) > 1:
        return Match(reason=NoMatch.AMBIGUOUS)
    (order,) = agreeing
    if item.amount_minor is not None and (item.amount_minor, item.currency) != (order.amount_minor, order.currency):
        return Match(reason=NoMatch.AMOUNT_DIFFERS)
    return Match(orders=(order,))


def _agrees(order: SentOrder, item: ReplyItem) -> bool:
    return (
        item.original_message_id in {None, order.message_id}
        and item.batch_id in {None, order.batch_id}
        and item.instruction_id in {None, order.instruction_id}
    )


def _by_batch(item: ReplyItem, sent: SentOrders) -> Match:
    if item.original_message_id is not None:
        return _all(sent.by_batch.get((item.original_message_id, item.batch_id or "")), item)
    candidates = [orders for (_, batch), orders in sent.by_batch.items() if batch == item.batch_id]
    if len(candidates) > 1:
        return Match(reason=NoMatch.AMBIGUOUS)
    return _all(candidates[0] if candidates else None, item)


def _all(orders: list[SentOrder] | None, item: ReplyItem) -> Match:
    if not orders:
        return Match(reason=NoMatch.UNKNOWN_ID)
    if item.amount_minor is not None:
        same_sum = sum(order.amount_minor for order in orders) == item.amount_minor
        same_currency = all(order.currency == item.currency for order in orders)
        if not (same_sum and same_currency and item.count in {None, len(orders)}):
            return Match(reason=NoMatch.BATCH_DIFFERS)
    return Match(orders=tuple(orders))
