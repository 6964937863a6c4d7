"""One reads the bank's exchange at a time; a reader that was killed keeps nobody waiting for long."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.batches.bank_work import BankWork
from activities.batches.run_work import RunWork
from activities.exchange.take_files import take_files
from activities.exchange.work import exchange_lease
from compliance.vault.keyring import Vault
from models.database.engine import Database
from tests.support.batch_bank import BatchBank, batch_bank
from tests.support.clock import FakeClock
from workflows.support.options import EXCHANGE_LEASE

_SECOND = EXCHANGE_LEASE.total_seconds() / 20


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def test_a_killed_reader_is_followed_within_half_a_minute_and_one_that_beats_is_not(
    database: Database, clock: FakeClock
) -> None:
    assert EXCHANGE_LEASE.total_seconds() <= 30
    killed = exchange_lease(database, clock, "main")
    reader = killed.__enter__()  # and never leaves the block
    assert reader is not None
    for _ in range(3):
        clock.advance(seconds=15 * _SECOND)
        assert reader.beat()
        with exchange_lease(database, clock, "main") as other:
            assert other is None
    clock.advance(seconds=21 * _SECOND)
    with exchange_lease(database, clock, "main") as other:
        assert other is not None
        assert not reader.beat()  # it was only slow: it learns that it is followed
        assert other.beat()


def test_a_reader_that_was_overtaken_stops_and_the_next_one_reads_on(desk: BatchBank) -> None:
    run = desk.debits(2)
    desk.send(run)
    desk.bank.take_files()
    desk.next_day()
    work = RunWork.of(desk.book.database, desk.book.clock, run)
    bank = BankWork.of(work, desk.steps.bank_of("main"))
    waiting = len(bank.bank.port.replies())
    assert waiting
    assert not take_files(bank, bank.bank, account_index=lambda _: None, beat=lambda: False)
    assert (len(bank.bank.port.replies()), desk.replies()) == (waiting, [])
    beats = iter([True])  # it begins a file, and is overtaken within it
    assert not take_files(bank, bank.bank, account_index=lambda _: None, beat=lambda: next(beats, False))
    assert len(bank.bank.port.replies()) == waiting
    desk.take(run)
    assert desk.states(run) == ["settled"] * 2
    assert bank.bank.port.replies() == []
