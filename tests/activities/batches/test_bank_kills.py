"""Killed between any two commits, and begun again: nothing is lost, nothing is doubled, the file is the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.batches import bank_work
from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import rejected
from models.database.engine import Database
from tests.support.batch_bank import DEBIT, BatchBank, batch_bank
from tests.support.clock import FakeClock
from tests.support.daybook import START, fate_of


class KilledError(Exception):
    """As if the process had ended here."""


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def _killed_after(monkeypatch: pytest.MonkeyPatch, commits: int) -> None:
    """Let so many commits of the step pass, and end behind the last."""
    write, left = bank_work.BankWork.write, [commits]

    def counted(self: object, *args: object, **keywords: object) -> None:
        write(self, *args, **keywords)  # type: ignore[arg-type]
        left[0] -= 1
        if left[0] == 0:
            raise KilledError

    monkeypatch.setattr(bank_work.BankWork, "write", counted)


def test_a_file_is_the_same_bytes_whenever_the_sender_is_killed(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, kept = desk.debits(3), set()
    for commits in (1, 1, 2, 3):  # reserved; written; marked; closed: each time it begins anew
        with monkeypatch.context() as patched, pytest.raises(KilledError):
            _killed_after(patched, commits)
            desk.send(run)
        spool = list(desk.book.folders.spool.glob("*.xml"))
        kept |= {path.read_bytes() for path in spool} | set(desk.outbox().values())
        if desk.files()[0].state == "SENT":
            break
    desk.send(run)
    kept |= set(desk.outbox().values())
    assert len(kept) == 1
    (file,) = desk.files()
    assert (file.state, file.items, file.total_minor) == ("SENT", 3, 3 * DEBIT + 6)
    assert desk.states(run) == ["sent"] * 3
    assert desk.send(run).files == 0
    assert list(desk.book.folders.spool.iterdir()) == []  # a file in clear does not outlive its sender
    (taken,) = desk.bank.take_files()
    assert (taken["accepted"], taken["status"]) == (3, "ACCP")


def test_an_answer_before_we_noted_the_file_as_sent_is_no_loss(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.debits(2)
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        _killed_after(patched, 2)  # reserved, written
        desk.send(run)
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(bank_work.BankWork, "rest", lambda _: None)
        patched.setattr("activities.batches.sending.RunSender._mark_sent", _die)
        desk.send(run)
    assert desk.states(run) == ["in-file"] * 2
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["settled"] * 2
    assert desk.send(run).files == 1  # the file's own mark, and nothing else
    desk.bank.take_files()
    assert desk.states(run) == ["settled"] * 2
    assert desk.bank.balance_minor() == desk.balances()["clearing"] == 2 * DEBIT + 3


@pytest.mark.parametrize("commits", [1, 2, 3])
def test_answers_are_taken_once_however_the_reader_is_killed(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch, commits: int
) -> None:
    run = desk.debits(2)
    desk.send(run)
    desk.bank.take_files()
    desk.next_day()
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        _killed_after(patched, commits)
        desk.take(run)
    desk.take(run)
    assert desk.states(run) == ["settled"] * 2
    assert desk.balances()["clearing"] == 2 * DEBIT + 3
    assert len({reply.business_key for reply in desk.replies()}) == len(desk.replies())


def test_a_reply_that_comes_twice_changes_nothing(desk: BatchBank) -> None:
    run = desk.debits(2)
    desk.send(run)
    desk.bank.take_files()
    desk.next_day()
    inbox = desk.book.folders.inbox
    copies = {path.name: path.read_bytes() for path in inbox.iterdir() if path.is_file()}
    desk.take(run)
    before = (desk.balances(), len(desk.replies()), [order.updated_at for order in desk.orders(run)])
    for name, content in copies.items():
        (inbox / f"again-{name}").write_bytes(content)
        (inbox / f"other-{name}").write_bytes(content + b"\n")  # the same facts in other bytes
    desk.take(run)
    assert (desk.balances(), len(desk.replies()), [order.updated_at for order in desk.orders(run)]) == before


def test_retries_are_made_once_however_often_they_are_asked_for(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.debits(1)
    fate_of(desk.book, desk.agreements[0], rejected("AM04"))
    desk.send(run)
    desk.exchange(run)
    desk.exchange(run)
    desk.to(START + timedelta(days=3))
    with monkeypatch.context() as patched, pytest.raises(KilledError):
        _killed_after(patched, 1)
        desk.retry(run)
    assert desk.retry(run) == 0
    assert [(order.attempt, order.state) for order in desk.orders(run)] == [(1, "rejected"), (2, "queued")]


def _die(*_: object) -> None:
    raise KilledError
