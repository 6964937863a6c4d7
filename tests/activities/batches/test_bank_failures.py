"""Each way in which the mock bank fails, with its expected end: orders, money and what waits for people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import rejected, returned
from models.database.engine import Database
from models.operations.batches.runs import run_on
from tests.support.batch_bank import DEBIT, WAGE, BatchBank, batch_bank
from tests.support.clock import FakeClock
from tests.support.daybook import fate_of


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def _through(desk: BatchBank, run: str, days: int = 1) -> None:
    desk.send(run)
    desk.exchange(run)
    for _ in range(days):
        desk.next_day()
        desk.exchange(run)


def test_accept_pays_every_wage_to_the_cent(desk: BatchBank) -> None:
    run = desk.wages(3)
    desk.bank.fund(100_000)
    _through(desk, run)
    assert desk.states(run) == ["settled"] * 3
    assert desk.bank.balance_minor() == 100_000 - (3 * WAGE + 6)
    assert [paid.amount_minor for paid in desk.bank.payments()] == [order.amount_minor for order in desk.orders(run)]
    assert desk.balances() == {}


def test_insufficient_funds_pays_what_the_balance_covers(desk: BatchBank) -> None:
    run = desk.wages(3)
    desk.bank.fund(2 * WAGE + 10)
    desk.bank.sender_behaves("insufficient-funds")
    _through(desk, run)
    assert desk.states(run) == ["settled", "settled", "rejected"]
    assert desk.orders(run)[2].reason_code == "AM04"
    assert desk.bank.balance_minor() == 2 * WAGE + 10 - (2 * WAGE + 3)


def test_return_later_brings_one_wage_back_to_the_funding(desk: BatchBank) -> None:
    run = desk.wages(2)
    back = desk.orders(run)[1].end_to_end_id
    desk.bank.sender_behaves("return-later", days=1, reason="MD07", end_to_end_id=back)
    _through(desk, run, days=3)
    assert desk.states(run) == ["settled", "returned"]
    assert desk.balances() == {"clearing": WAGE + 2, "funding": -(WAGE + 2)}
    assert [paid.returned for paid in desk.bank.payments()] == [False, True]


@pytest.mark.parametrize("wages", [False, True])
def test_reject_file_refuses_every_order_and_no_money_moves(desk: BatchBank, wages: bool) -> None:
    run = desk.wages(2) if wages else desk.debits(2)
    before = desk.balances()
    desk.bank.sender_behaves("reject-file")
    _through(desk, run)
    assert [(order.state, order.reason_code) for order in desk.orders(run)] == [("rejected", "FF01")] * 2
    assert desk.balances() == before
    assert desk.take(run).open_orders == 0


@pytest.mark.parametrize("wages", [False, True])
def test_duplicate_file_is_a_notice_that_decides_nothing(desk: BatchBank, wages: bool) -> None:
    run = desk.wages(2) if wages else desk.debits(2)
    desk.bank.sender_behaves("duplicate-file")
    desk.send(run)
    ((name, content),) = desk.outbox().items()
    desk.exchange(run)
    (desk.book.folders.outbox / name).write_bytes(content)  # as after the worst crash
    desk.exchange(run)
    assert desk.states(run) == [("settled" if wages else "accepted")] * 2  # the bank pays at once, and collects later
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["settled"] * 2
    assert abs(desk.bank.balance_minor()) == sum(order.amount_minor for order in desk.orders(run))


@pytest.mark.parametrize("wages", [False, True])
def test_silent_leaves_orders_open_until_the_money_speaks(desk: BatchBank, wages: bool) -> None:
    run = desk.wages(2) if wages else desk.debits(2)
    desk.bank.sender_behaves("silent")
    desk.send(run)
    assert desk.exchange(run).open_orders == 2
    assert desk.states(run) == [("settled" if wages else "sent")] * 2
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["settled"] * 2


def test_statement_gap_loses_nothing_since_the_notification_has_told_it(desk: BatchBank) -> None:
    run = desk.debits(2)
    desk.bank.sender_behaves("statement-gap")
    _through(desk, run, days=2)
    assert desk.states(run) == ["settled"] * 2
    assert desk.balances()["clearing"] == 2 * DEBIT + 3
    assert desk.suspense() == []


def test_answers_that_fail_too_often_shut_the_run_until_a_person_has_looked(desk: BatchBank) -> None:
    run = desk.debits(2, failureBps=1_000, atLeast=2)
    desk.bank.sender_behaves("reject-file")
    desk.send(run)
    assert desk.exchange(run).stopped == "failure-rate"
    assert desk.send(run).stopped == "failure-rate"


def test_refusals_that_are_told_before_the_money_are_held_against_all_that_left(desk: BatchBank) -> None:
    run = desk.debits(4, failureBps=5_000, atLeast=1)
    fate_of(desk.book, desk.agreements[0], rejected("AC04"))
    desk.send(run)
    assert desk.exchange(run).stopped is None
    assert desk.states(run) == ["rejected"] + ["accepted"] * 3


def test_a_person_who_has_the_run_go_on_is_asked_again_only_by_new_failures(desk: BatchBank) -> None:
    run = desk.debits(4, failureBps=5_000, atLeast=3)
    for agreement in desk.agreements[:3]:
        fate_of(desk.book, agreement, rejected("AC04"))
    fate_of(desk.book, desk.agreements[3], returned("AC04", days=1))
    desk.send(run)
    desk.exchange(run)
    assert desk.exchange(run).stopped == "failure-rate"
    desk.book.change(lambda session: run_on(session, run, settings=None, now=desk.book.clock()))
    for _ in range(2):
        desk.next_day()
        taken = desk.exchange(run)
    assert desk.states(run) == ["rejected"] * 3 + ["returned"]
    assert taken.stopped is None  # three of four that failed were looked at, and one is too few for a rate


def test_a_file_that_breaks_off_goes_into_quarantine_and_its_whole_copy_is_taken(desk: BatchBank) -> None:
    run = desk.debits(1)
    desk.send(run)
    desk.bank.take_files()
    (path,) = [each for each in desk.book.folders.inbox.iterdir() if each.is_file()]
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    desk.take(run)
    assert desk.states(run) == ["sent"]
    assert desk.book.exceptions() == [("take-replies", "file-unreadable")]
    path.write_bytes(content)
    desk.take(run)
    assert desk.states(run) == ["accepted"]
