"""A run's files and the bank's answers, end to end at an independent bank: every effect once, money to the cent."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import rejected, returned
from models.database.engine import Database
from tests.support.batch_bank import DEBIT, WAGE, BatchBank, batch_bank
from tests.support.clock import FakeClock
from tests.support.daybook import START, fate_of


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def test_debits_settle_once_however_often_each_step_is_repeated(desk: BatchBank) -> None:
    run = desk.debits(3)
    sent = desk.send(run)
    assert (sent.files, sent.orders, sent.amount_minor, sent.due_in_s) == (1, 3, 3 * DEBIT + 6, None)
    assert desk.send(run).files == 0
    assert desk.exchange(run).open_orders == 3
    assert desk.states(run) == ["accepted"] * 3
    desk.next_day()
    for _ in range(2):
        taken = desk.exchange(run)
    assert (taken.open_orders, taken.retries) == (3, 0)  # inside the term of returns
    assert desk.states(run) == ["settled"] * 3
    total = 3 * DEBIT + 6
    assert desk.balances() == {"clearing": total, "receivable": -total}
    assert desk.bank.balance_minor() == total
    desk.to(START + timedelta(days=7))
    assert desk.take(run).open_orders == 0
    assert set(desk.outcomes(desk.orders(run)[0])) == {"in-file", "sent", "accepted", "settled"}
    assert desk.suspense() == []
    assert desk.book.exceptions() == []


def test_wages_leave_the_client_s_funding_and_a_late_return_comes_back_to_it(desk: BatchBank) -> None:
    run = desk.wages(2)
    first = desk.orders(run)[0].end_to_end_id
    desk.bank.fund(100_000)
    desk.bank.sender_behaves("return-later", days=2, reason="AC04", end_to_end_id=first)
    assert desk.send(run).orders == 2
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["settled", "settled"]
    assert desk.balances() == {}  # paid in, and paid out
    desk.next_day(3)
    desk.exchange(run)
    assert desk.states(run) == ["returned", "settled"]
    assert desk.orders(run)[0].reason_code == "AC04"
    assert desk.balances() == {"clearing": WAGE + 1, "funding": -(WAGE + 1)}
    assert desk.retry(run) == 0  # wages are never presented again by themselves


def test_a_refused_debit_is_presented_again_under_its_policy_and_holds_its_claim(desk: BatchBank) -> None:
    run = desk.debits(2)
    fate_of(desk.book, desk.agreements[0], rejected("AM04"))
    desk.send(run)
    desk.exchange(run)
    taken = desk.exchange(run)
    assert desk.states(run) == ["rejected", "accepted"]
    assert (taken.open_orders, taken.retries) == (2, 0)
    failed = desk.orders(run)[0]
    assert (failed.reason_code, failed.next_try_on, failed.final_state) == ("AM04", START + timedelta(days=3), None)
    desk.to(START + timedelta(days=3))
    assert desk.take(run).retries == 1
    assert desk.retry(run) == 1
    assert desk.retry(run) == 0
    before, again, _ = desk.orders(run)
    assert (before.final_state, again.attempt, again.state, again.amount_minor) == ("rejected", 2, "queued", DEBIT + 1)
    assert desk.send(run).orders == 1
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["rejected", "settled", "settled"]
    assert desk.balances()["clearing"] == 2 * DEBIT + 3


def test_a_reason_that_forbids_debits_ends_the_mandate_and_nothing_is_tried_again(desk: BatchBank) -> None:
    run = desk.debits(1)
    fate_of(desk.book, desk.agreements[0], rejected("MD01"))
    desk.send(run)
    desk.exchange(run)
    taken = desk.exchange(run)
    assert (taken.open_orders, desk.states(run)) == (0, ["rejected"])


def test_a_return_within_the_term_takes_the_money_back(desk: BatchBank) -> None:
    run = desk.debits(1)
    fate_of(desk.book, desk.agreements[0], returned("AC04", days=1))
    desk.send(run)
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)
    assert desk.balances()["clearing"] == DEBIT + 1
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["returned"]
    assert desk.balances() == {}
    assert desk.bank.balance_minor() == 0
