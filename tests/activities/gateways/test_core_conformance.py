"""What every card core behind our gateway must do, whichever adapter stands before it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import pytest

from activities.gateways.core import Card, CoreGateway
from activities.gateways.core_files import FileCore
from activities.gateways.simulated_core import SimulatedCore
from activities.gateways.simulated_core_files import answer_orders, write_balances, write_journal
from models.domain.bank_card import luhn_digit
from models.domain.core_journal import ControlTotals, JournalLine
from models.domain.core_orders import OrderKind
from models.domain.rule_words import DueDiligence
from models.errors import GatewayRefused, GatewayUnavailable

TENANT = "main"
DAY = date(2026, 11, 23)
KEY = "core.block_card/main.00000000000000000000000000"
RECALL = "core.recall_collection/main.00000000000000000000000000"
LINES = (
    JournalLine(reference="GL-1", account="principal", amount_minor=150_000),
    JournalLine(reference="GL-2", account="cash", amount_minor=-150_000),
)
_Answer = TypeVar("_Answer")


def card_of(serial: int = 1) -> Card:
    """A card nobody has, another one for each serial."""
    body = f"622999000{serial:06d}"
    return Card(TENANT, body + luhn_digit(body))


CARD = card_of()


@dataclass
class World:
    """An adapter, the core behind it, and what lets the core get on with its work."""

    gateway: CoreGateway
    core: SimulatedCore
    work: Callable[[], object]

    def ask(self, call: Callable[[], _Answer], *, tries: int = 4) -> _Answer:
        """As a worker does: without an answer, again under the same key."""
        for _ in range(tries - 1):
            try:
                return call()
            except GatewayUnavailable:
                self.work()
        return call()


@pytest.fixture(params=["memory", "shared-file", "folder"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "memory":
        core = SimulatedCore()
        return World(core, core, lambda: None)
    if request.param == "shared-file":
        core = SimulatedCore(tmp_path / "core" / "simulated.jsonl")
        return World(core, core, lambda: None)
    core, root = SimulatedCore(), tmp_path / "core"

    def work() -> None:
        answer_orders(core, root, tenant=TENANT)
        write_journal(core, root, tenant=TENANT, business_date=DAY)
        write_balances(core, root, owed={card_of(2): None, CARD: None}, tenant=TENANT, business_date=DAY)

    return World(FileCore(root), core, work)


def test_each_order_does_what_it_says(world: World) -> None:
    world.ask(lambda: world.gateway.block(CARD, key="k/1"))
    world.ask(lambda: world.gateway.recall(CARD, key="k/2"))
    assert (world.core.is_blocked(CARD), world.core.is_recalled(CARD)) == (True, True)
    assert not world.core.is_blocked(card_of(2))
    world.ask(lambda: world.gateway.release(CARD, key="k/3"))
    world.ask(lambda: world.gateway.resume(CARD, key="k/4"))
    assert (world.core.is_blocked(CARD), world.core.is_recalled(CARD)) == (False, False)
    assert world.core.orders() == 4


def test_the_same_key_is_one_order_with_one_answer(world: World) -> None:
    first = world.ask(lambda: world.gateway.block(CARD, key=KEY))
    again = [world.ask(lambda: world.gateway.block(CARD, key=KEY)) for _ in range(3)]
    assert again == [first] * 3
    assert world.core.orders() == 1


def test_a_repeated_block_does_not_undo_a_later_release(world: World) -> None:
    world.ask(lambda: world.gateway.block(CARD, key="k/1"))
    world.ask(lambda: world.gateway.release(CARD, key="k/2"))
    world.ask(lambda: world.gateway.block(CARD, key="k/1"))
    assert not world.core.is_blocked(CARD)


def test_a_lost_answer_is_asked_for_again_and_counts_once(world: World) -> None:
    world.core.failures.lost = 2
    answer = world.ask(lambda: world.gateway.recall(CARD, key=RECALL))
    assert answer.reference
    assert world.core.orders() == 1


def test_silence_is_unavailability_not_refusal(world: World) -> None:
    world.core.failures.silent = 5
    with pytest.raises(GatewayUnavailable):
        world.gateway.block(CARD, key=KEY)
    assert world.core.orders() == 0


def test_a_refusal_says_the_reason_and_the_order_can_be_given_again(world: World) -> None:
    world.core.failures.refusals = ["card-closed"]
    with pytest.raises(GatewayRefused) as refused:
        world.ask(lambda: world.gateway.block(CARD, key=KEY))
    assert refused.value.params["reason"] == "card-closed"
    assert world.core.orders() == 0
    assert world.ask(lambda: world.gateway.block(CARD, key=KEY)).reference
    assert world.core.is_blocked(CARD)


def test_a_key_of_another_order_is_refused(world: World) -> None:
    world.ask(lambda: world.gateway.block(CARD, key=KEY))
    with pytest.raises(GatewayRefused) as refused:
        world.ask(lambda: world.gateway.release(CARD, key=KEY))
    assert refused.value.params["reason"] == "key-reused"
    assert world.core.is_blocked(CARD)


def test_a_recall_names_the_agencies_that_are_still_to_acknowledge(world: World) -> None:
    world.core.failures.agencies_pending = [2]
    first = world.ask(lambda: world.gateway.recall(CARD, key=RECALL))
    assert first.agencies_pending == 2
    world.work()
    last = world.ask(lambda: world.gateway.recall(CARD, key=RECALL))
    assert (last.agencies_pending, last.reference) == (0, first.reference)
    assert world.core.orders() == 1


def test_balances_are_by_kind_and_always_the_same_for_a_card(world: World) -> None:
    balances = world.ask(lambda: world.gateway.balances(CARD, as_of=DAY))
    assert balances == world.core.balances(CARD, as_of=DAY)
    assert balances != world.core.balances(card_of(2), as_of=DAY)
    assert balances.total_minor == sum(balances.amounts) > 0


def test_the_age_of_the_debt_and_the_due_diligence_on_the_holder_come_with_the_balances(world: World) -> None:
    world.core.failures.due_diligence = [DueDiligence.CURRENT, DueDiligence.DOUBTED]  # the folder writes card 2 first
    if world.gateway is world.core:
        world.gateway.balances(card_of(2), as_of=DAY)
    doubted = world.ask(lambda: world.gateway.balances(CARD, as_of=DAY))
    assert doubted.due_diligence is DueDiligence.DOUBTED
    assert doubted.days_past_due == world.core.balances(CARD, as_of=DAY).days_past_due
    world.work()
    assert world.gateway.balances(CARD, as_of=DAY).due_diligence is DueDiligence.CURRENT


def test_the_journal_comes_with_control_totals_that_fit(world: World) -> None:
    world.core.book(LINES, tenant=TENANT, business_date=DAY)
    world.core.book(LINES, tenant=TENANT, business_date=DAY)  # repeated: the same entries
    journal = world.ask(lambda: world.gateway.journal(tenant=TENANT, business_date=DAY))
    assert journal.lines == LINES
    assert journal.control == ControlTotals(count=2, debit_minor=150_000, credit_minor=150_000)
    assert (journal.tenant, journal.business_date, journal.currency) == (TENANT, DAY, "CNY")


def test_a_card_shows_no_digit_when_it_is_printed() -> None:
    assert CARD.number not in f"{CARD} {CARD!r}"
    assert CARD.number[-4:] not in repr(CARD)


@pytest.mark.parametrize("kind", list(OrderKind))
def test_no_failure_repeats_the_card_number(world: World, kind: OrderKind) -> None:
    world.core.failures.refusals = ["card-closed"]
    with pytest.raises(GatewayRefused) as refused:
        world.ask(lambda: world.gateway.order(kind, CARD, key=KEY))
    assert CARD.number not in f"{refused.value} {refused.value.params}"
