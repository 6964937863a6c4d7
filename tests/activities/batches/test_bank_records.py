"""Money of nobody, late returns and disputes: two persons, a stopped mandate, interest to the cent, the law's gate."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from compliance.audit.unit import unit_of_work
from compliance.batch_disputes import settle_checked
from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import returned
from models.database.engine import Database
from models.domain.states import Outcome
from models.errors import BlockedByRule, FormInvalid, FourEyesViolation, WrongState
from models.operations.batches import disputes, suspense
from models.tables.agreements import Mandate
from models.tables.batch_books import BatchDispute, BatchSuspense
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.tasks import Task
from tests.support.batch_bank import DEBIT, BatchBank, batch_bank
from tests.support.clock import FakeClock
from tests.support.daybook import fate_of, workday

RATE = Decimal("0.036")


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def _settled(desk: BatchBank, count: int = 1) -> str:
    run = desk.debits(count)
    desk.send(run)
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)
    assert set(desk.states(run)) == {"settled"}
    return run


def _propose(desk: BatchBank, held: BatchSuspense, order: str | None, person: str = "per_one") -> None:
    now = desk.book.clock()
    desk.book.change(
        lambda session: suspense.propose(session, held, order_id=order, staff_id="stf_one", person_id=person, now=now)
    )


def _confirm(desk: BatchBank, held: BatchSuspense, person: str = "per_two") -> None:
    today, now = desk.book.today(), desk.book.clock()
    desk.book.change(
        lambda session: suspense.confirm(session, held, staff_id="stf_two", person_id=person, on=today, now=now)
    )


def test_money_under_an_order_s_id_but_of_another_sum_waits_for_two_persons(desk: BatchBank) -> None:
    run = _settled(desk)
    (order,) = desk.orders(run)
    desk.bank.credit(77, end_to_end_id=order.end_to_end_id)
    desk.next_day()
    desk.exchange(run)
    (held,) = desk.suspense()
    assert (held.amount_minor, held.code, held.state) == (77, "unmatched", "open")
    assert desk.balances() == {"clearing": DEBIT + 78, "receivable": -(DEBIT + 1), "suspense": -77}
    (task,) = [each for each in desk.book.all(Task) if each.type == "batches.suspense"]
    assert (task.candidate_role, task.amount_minor) == ("batch-operator", 77)
    with pytest.raises(FormInvalid):  # an order that is settled takes no more
        _propose(desk, held, order.id)
    with pytest.raises(WrongState):
        _confirm(desk, held)
    _propose(desk, held, None)
    with pytest.raises(FourEyesViolation):
        _confirm(desk, held, person="per_one")
    _confirm(desk, held)
    assert desk.suspense()[0].state == "sent-back"
    assert desk.balances() == {"clearing": DEBIT + 1, "receivable": -(DEBIT + 1)}
    with pytest.raises(WrongState):
        _confirm(desk, held)
    assert [each.state for each in desk.book.all(Task) if each.type == "batches.suspense"] == ["DONE"]


def test_money_in_suspense_settles_the_order_that_waits_for_it(desk: BatchBank) -> None:
    run = desk.debits(2)
    desk.bank.sender_behaves("reject-file")
    desk.send(run)
    one, other = desk.orders(run)
    desk.bank.credit(other.amount_minor, end_to_end_id=one.end_to_end_id)  # under the wrong order's id
    desk.next_day()
    desk.take(run)
    (held,) = desk.suspense()
    _propose(desk, held, other.id)
    _confirm(desk, held)
    assert desk.states(run) == ["sent", "settled"]
    assert desk.balances() == {"clearing": other.amount_minor, "receivable": -other.amount_minor}


def test_a_return_after_the_term_leaves_the_order_s_end_and_comes_before_people(desk: BatchBank) -> None:
    run = desk.debits(1)
    fate_of(desk.book, desk.agreements[0], returned("MD06", days=9))
    desk.send(run)
    desk.exchange(run)
    desk.next_day()
    desk.exchange(run)

    def end(session: Session) -> None:
        order = session.get_one(BatchOrder, desk.orders(run)[0].id)
        order.final_state, order.final_at = "settled", desk.book.clock()
        session.add(order)
        closed = session.get_one(BatchRun, run)
        session.flush()
        closed.stage, closed.outcome, closed.ended_at = "ended", "completed", desk.book.clock()
        session.add(closed)

    desk.book.change(end)
    desk.next_day(10)
    desk.take(run)
    (order,) = desk.orders(run)
    assert (order.state, order.final_state) == ("settled", "settled")
    (held,) = desk.suspense()
    assert (held.code, held.amount_minor, held.order_id) == ("late-return", -(DEBIT + 1), order.id)
    assert desk.balances() == {"receivable": -(DEBIT + 1), "suspense": DEBIT + 1}
    _propose(desk, held, order.id)
    _confirm(desk, held)
    assert desk.balances() == {}  # the customer owes it again
    assert desk.bank.balance_minor() == 0


def _dispute(desk: BatchBank, run: str, reason: str = "amount-wrong") -> BatchDispute:
    now, order = desk.book.clock(), desk.orders(run)[0]
    kept: list[BatchDispute] = []

    def write(session: Session) -> None:
        kept.append(
            disputes.open_dispute(
                session, session.get_one(BatchRun, run), order, reason_code=reason, text_cell=None, by="stf_one",
                now=now, is_working_day=workday,
            )
        )  # fmt: skip

    desk.book.change(write)
    return kept[0]


def _settle(desk: BatchBank, dispute: BatchDispute, outcome: Outcome, reason: str, rate: Decimal = RATE) -> Any:
    keywords = {"annual_rate": rate, "by": "stf_two", "on": desk.book.today(), "now": desk.book.clock()}
    with unit_of_work(desk.book.database, desk.book._deed()) as unit:
        return settle_checked(unit, dispute, outcome=outcome, reason_code=reason, **keywords)  # type: ignore[arg-type]


def _mandate(desk: BatchBank) -> Mandate:
    return next(each for each in desk.book.all(Mandate) if each.id == desk.agreements[0].mandate_id)


def test_a_dispute_stops_the_mandate_with_it_and_the_bank_s_fault_is_paid_with_interest(desk: BatchBank) -> None:
    run = _settled(desk)
    assert _mandate(desk).revoked_at is None
    dispute = _dispute(desk, run)
    assert _mandate(desk).revoked_at == desk.book.clock()
    assert dispute.due_at - desk.book.clock() > timedelta(days=14)
    with pytest.raises(WrongState):
        _dispute(desk, run)
    desk.next_day(9)
    with pytest.raises(FormInvalid):
        _settle(desk, dispute, Outcome.EXPLAIN, "bank-at-fault")
    _settle(desk, dispute, Outcome.REFUND, "bank-at-fault")
    (kept,) = desk.book.all(BatchDispute)
    assert (kept.state, kept.refund_minor, kept.interest_minor) == ("refunded", DEBIT + 1, 9)  # 101.01 at 3.6 %, 9 days
    assert desk.balances() == {
        "clearing": DEBIT + 1,
        "receivable": -(DEBIT + 1),
        "refund": DEBIT + 10,
        "payable": -(DEBIT + 10),
    }  # owed until a run of refunds pays it
    with pytest.raises(WrongState):
        _settle(desk, dispute, Outcome.REFUND, "bank-at-fault")


def test_a_refund_without_interest_or_after_the_term_is_refused_by_the_law_and_undone(desk: BatchBank) -> None:
    run = _settled(desk)
    dispute = _dispute(desk, run)
    desk.next_day(9)
    with pytest.raises(BlockedByRule) as refused:
        _settle(desk, dispute, Outcome.REFUND, "bank-at-fault", rate=Decimal(0))
    assert refused.value.params["rule"] == "CBL-73"
    desk.next_day(15)
    with pytest.raises(BlockedByRule) as refused:
        _settle(desk, dispute, Outcome.EXPLAIN, "debit-rightful")
    assert refused.value.params["rule"] == "CRED-25"
    (kept,) = desk.book.all(BatchDispute)
    assert (kept.state, kept.refund_minor) == ("open", 0)
    assert desk.balances()["clearing"] == DEBIT + 1


def test_a_contested_order_that_has_not_left_is_cancelled_and_never_leaves(desk: BatchBank) -> None:
    run = desk.debits(2)
    dispute = _dispute(desk, run)
    _settle(desk, dispute, Outcome.CANCEL, "paid-already")
    assert desk.send(run).orders == 1
    first, _ = desk.orders(run)
    assert (first.state, first.final_state, first.reason_code) == ("withdrawn", "withdrawn", "disputed")


def test_an_order_whose_mandate_a_dispute_has_stopped_does_not_go_into_a_file(desk: BatchBank) -> None:
    run = desk.debits(2)
    _dispute(desk, run)
    assert desk.send(run).orders == 1
    first = desk.orders(run)[0]
    assert (first.state, first.reason_code) == ("withdrawn", "mandate-revoked")
