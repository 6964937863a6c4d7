"""Replies find their orders by the most telling id, and money that fits nothing is left for suspense."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.gateways.bank.matching import Match, NoMatch, SentOrder, index_orders, match
from activities.gateways.bank.replies import ReplyItem, ReplyLevel, ReplyStatus


def _order(number: int = 1, **changes: Any) -> SentOrder:
    order = SentOrder(
        order_id=f"dbo_{number}",
        message_id="M1",
        batch_id="B1",
        instruction_id=f"I{number}",
        end_to_end_id=f"E{number}",
        amount_minor=100 * number,
        currency="CNY",
    )
    return replace(order, **changes)


def _item(number: int = 1, **changes: Any) -> ReplyItem:
    item = ReplyItem(
        message="camt.054",
        reply_id="N1",
        level=ReplyLevel.ITEM,
        status=ReplyStatus.SETTLED,
        original_message_id="M1",
        batch_id="B1",
        instruction_id=f"I{number}",
        end_to_end_id=f"E{number}",
        amount_minor=100 * number,
        currency="CNY",
        credit=True,
        entry_ref="S1",
    )
    return replace(item, **changes)


def _batch(**changes: Any) -> ReplyItem:
    return _item(level=ReplyLevel.BATCH, end_to_end_id=None, instruction_id=None, **changes)


SENT = index_orders([_order(1), _order(2), _order(3, batch_id="B2"), _order(4, message_id="M2")])


def _ids(found: Match) -> list[str]:
    return [order.order_id for order in found.orders]


def test_an_item_is_found_by_its_end_to_end_id() -> None:
    assert _ids(match(_item(2), sent=SENT)) == ["dbo_2"]


def test_the_end_to_end_id_alone_is_enough() -> None:
    bare = _item(4, original_message_id=None, batch_id=None, instruction_id=None, amount_minor=None, currency=None)
    assert _ids(match(bare, sent=SENT)) == ["dbo_4"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"end_to_end_id": "E9"}, NoMatch.UNKNOWN_ID),
        ({"end_to_end_id": None}, NoMatch.NO_ID),
        ({"original_message_id": "M2"}, NoMatch.UNKNOWN_ID),
        ({"batch_id": "B2"}, NoMatch.UNKNOWN_ID),
        ({"instruction_id": "I2"}, NoMatch.UNKNOWN_ID),
        ({"amount_minor": 99}, NoMatch.AMOUNT_DIFFERS),
        ({"currency": "EUR"}, NoMatch.AMOUNT_DIFFERS),
    ],
)
def test_an_item_that_differs_in_anything_named_matches_nothing(changes: dict[str, Any], reason: NoMatch) -> None:
    assert match(_item(1, **changes), sent=SENT) == Match(reason=reason)


def test_an_id_used_twice_is_decided_by_what_else_is_named_or_by_nobody() -> None:
    sent = index_orders([_order(1), _order(1, order_id="dbo_other", message_id="M2")])
    assert _ids(match(_item(1, original_message_id="M2"), sent=sent)) == ["dbo_other"]
    assert match(_item(1, original_message_id=None), sent=sent).reason is NoMatch.AMBIGUOUS


def test_a_batch_booked_as_one_sum_decides_all_its_orders() -> None:
    assert _ids(match(_batch(amount_minor=300, count=2), sent=SENT)) == ["dbo_1", "dbo_2"]
    alone = index_orders([_order(1), _order(2)])
    assert _ids(match(_batch(amount_minor=300, original_message_id=None), sent=alone)) == ["dbo_1", "dbo_2"]


@pytest.mark.parametrize(
    "changes",
    [{"amount_minor": 299}, {"amount_minor": 300, "count": 3}, {"amount_minor": 300, "currency": "EUR"}],
)
def test_a_batch_that_is_not_the_sum_of_its_orders_decides_none(changes: dict[str, Any]) -> None:
    assert match(_batch(**changes), sent=SENT) == Match(reason=NoMatch.BATCH_DIFFERS)


def test_a_batch_id_without_its_file_must_be_the_only_one() -> None:
    found = match(_batch(amount_minor=100, original_message_id=None), sent=SENT)
    assert found.reason is NoMatch.AMBIGUOUS


def test_a_rejected_batch_and_a_rejected_file_decide_their_orders() -> None:
    rejected = {"status": ReplyStatus.REJECTED, "reason_code": "FF01", "amount_minor": None, "message": "pain.002"}
    assert _ids(match(_batch(**rejected), sent=SENT)) == ["dbo_1", "dbo_2"]
    whole = replace(_batch(**rejected), level=ReplyLevel.FILE, batch_id=None)
    assert _ids(match(whole, sent=SENT)) == ["dbo_1", "dbo_2", "dbo_3"]


def test_part_of_a_file_decides_nothing_by_itself() -> None:
    partial = replace(_batch(), level=ReplyLevel.FILE, status=ReplyStatus.PARTIAL, amount_minor=None)
    assert match(partial, sent=SENT) == Match(reason=NoMatch.NOTHING_DECIDED)


def test_a_duplicate_notice_rejects_nothing() -> None:
    notice = replace(
        _batch(), level=ReplyLevel.FILE, status=ReplyStatus.REJECTED, reason_code="DUPL", amount_minor=None
    )
    assert match(notice, sent=SENT) == Match(reason=NoMatch.DUPLICATE_NOTICE)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 9)), unique=True, max_size=20), st.data()
)
def test_a_match_is_certain_or_it_is_none(drawn: list[tuple[int, int, int]], data: st.DataObject) -> None:
    orders = [
        _order(number, order_id=f"dbo_{place}", message_id=f"M{message}", amount_minor=amount)
        for place, (number, message, amount) in enumerate(drawn)
    ]
    item = _item(
        data.draw(st.integers(1, 5)),
        original_message_id=data.draw(st.sampled_from([None, "M1", "M2", "M3"])),
        amount_minor=data.draw(st.integers(1, 9)),
    )
    found = match(item, sent=index_orders(orders))
    assert (found.reason is None) == (len(found.orders) == 1)
    for order in found.orders:
        assert (order.end_to_end_id, order.amount_minor) == (item.end_to_end_id, item.amount_minor)
