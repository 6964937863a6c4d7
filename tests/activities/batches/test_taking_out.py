"""What has not left can be taken back: out of a file that is not written yet, and never out of one that is."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from activities.batches import sending
from activities.batches.policies import default_policy
from activities.batches.withdrawing import withdraw
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.batches.states import DisputeState
from models.domain.states import Outcome
from models.errors import WrongState
from models.operations.batches import disputes
from models.operations.batches.runs import want_cancel
from models.tables.batch_books import BatchDispute
from models.tables.batch_runs import BatchOrder, BatchRun
from tests.support.batch_bank import BatchBank, batch_bank
from tests.support.clock import FakeClock
from tests.support.daybook import workday


class KilledError(Exception):
    """As if the process had ended here."""


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def _dies_before(monkeypatch: pytest.MonkeyPatch, step: str, desk: BatchBank, run: str) -> None:
    """The sender is killed as it comes to a step of a file."""

    def die(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched, pytest.raises(KilledError):
        patched.setattr(sending.RunSender, step, die)
        desk.send(run)


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let something happen between the first writing of a file and the commit that marks it."""
    write, acts = sending.RunSender._write, [act]

    def written(self: sending.RunSender, *args: Any) -> Any:
        made = write(self, *args)
        if acts:
            acts.pop()()
        return made

    monkeypatch.setattr(sending.RunSender, "_write", written)


def _dispute(desk: BatchBank, order: BatchOrder) -> BatchDispute:
    now = desk.book.clock()
    kept: list[BatchDispute] = []

    def write(session: Session) -> None:
        run = session.get_one(BatchRun, order.run)
        kept.append(
            disputes.open_dispute(
                session, run, order, reason_code="not-mine", text_cell=None, by="stf_one", now=now,
                is_working_day=workday,
            )
        )  # fmt: skip

    desk.book.change(write)
    return kept[0]


def _call_off(desk: BatchBank, dispute: BatchDispute) -> None:
    today, now = desk.book.today(), desk.book.clock()
    desk.book.change(
        lambda session: disputes.settle_dispute(
            session, dispute, outcome=Outcome.CANCEL, reason_code="paid-already", annual_rate=0, by="stf_two",
            on=today, now=now,
        )
    )  # fmt: skip


def _cancel(desk: BatchBank, run: str) -> None:
    now = desk.book.clock()
    desk.book.change(
        lambda session: want_cancel(session, session.get_one(BatchRun, run), reason_code="wrong-figures", now=now)
    )


def _stop(desk: BatchBank, run: str) -> int:
    """What the workflow does when the run is cancelled."""

    def enter(session: Session) -> None:
        session.get_one(BatchRun, run).stage = "stopping"

    desk.book.change(enter)
    done = 0
    while part := withdraw(desk.book.database, run, holder="hld_test", policy_of=default_policy, now=desk.book.clock()):
        done += part
    return done


def _ends(desk: BatchBank, run: str) -> list[tuple[str, str | None, str | None]]:
    return [(order.state, order.final_state, order.reason_code) for order in desk.orders(run)]


def test_a_mandate_stopped_while_its_file_is_written_has_the_file_written_without_it(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.debits(3)
    first, *others = desk.orders(run)
    _meanwhile(monkeypatch, lambda: _dispute(desk, first) and None)
    sent = desk.send(run)
    assert (sent.files, sent.orders, sent.amount_minor) == (1, 2, sum(order.amount_minor for order in others))
    assert _ends(desk, run) == [("withdrawn", "withdrawn", "mandate-revoked"), *[("sent", None, None)] * 2]
    (content,) = desk.outbox().values()
    assert [str(order.end_to_end_id).encode() in content for order in (first, *others)] == [False, True, True]
    assert desk.orders(run)[0].file_id is None
    (taken,) = desk.bank.take_files()
    assert (taken["accepted"], taken["status"]) == (2, "ACCP")


def test_a_contested_order_is_called_off_until_its_file_is_written_and_not_afterwards(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.debits(2)
    _dies_before(monkeypatch, "_write", desk, run)
    assert desk.states(run) == ["in-file"] * 2
    first, second = desk.orders(run)
    _call_off(desk, _dispute(desk, first))
    _dies_before(monkeypatch, "_mark_sent", desk, run)
    late = _dispute(desk, second)
    with pytest.raises(WrongState) as refused:
        _call_off(desk, late)
    assert refused.value.params["state"] == "sent"  # the bank may have it, whatever we have noted
    assert {each.state for each in desk.book.all(BatchDispute)} == {DisputeState.CANCELLED, DisputeState.OPEN}
    assert desk.send(run).orders == 1
    assert _ends(desk, run) == [("withdrawn", "withdrawn", "disputed"), ("sent", None, None)]


def test_a_cancelled_run_takes_back_a_file_that_is_not_written(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.debits(2)
    _meanwhile(monkeypatch, lambda: _cancel(desk, run))
    assert desk.send(run).files == 0
    assert (desk.outbox(), list(desk.book.folders.spool.iterdir())) == ({}, [])
    assert _stop(desk, run) == 2
    assert _ends(desk, run) == [("withdrawn", "withdrawn", "run-cancelled")] * 2
    assert desk.take(run).open_orders == 0
    assert (desk.outbox(), desk.send(run).files) == ({}, 0)  # an empty file never leaves


def test_a_cancelled_run_hands_over_what_is_written_and_follows_it_to_its_end(
    desk: BatchBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = desk.debits(2)
    monkeypatch.setattr(desk.steps.bank_of("main").port.__class__, "send", _unreachable)
    with pytest.raises(KilledError):
        desk.send(run)
    monkeypatch.undo()
    _cancel(desk, run)
    assert _stop(desk, run) == 0
    assert desk.states(run) == ["in-file"] * 2
    desk.take(run)
    assert desk.states(run) == ["sent"] * 2
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)
    assert desk.states(run) == ["settled"] * 2
    desk.to(desk.book.today() + timedelta(days=7))
    assert desk.take(run).open_orders == 0


def _unreachable(*_: object) -> None:
    raise KilledError
