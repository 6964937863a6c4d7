"""The debits of a date are a batch: orders that say what the debits say, an end for each, books equal to the cent."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from activities.batches.bank_steps import SqlBatchBank
from activities.batches.settle_steps import SqlSettle
from compliance.audit.unit import unit_of_work
from deploy.demo.mock_bank import Fate, rejected
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import Reconciled
from models.domain.batches.kinds import Origin
from models.domain.batches.states import OrderReason
from models.domain.daily import AFTER_ITS_END
from models.errors import WrongState
from models.operations.batches import runs
from models.operations.batches.daily_mirror import refuse_open_claim
from models.queries.batches.daily_debits import differs, went_on
from models.tables.agreements import Mandate
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import DailyException, DebitOrder
from models.tables.platform import OutboxEntry
from tests.support.daybook import ONE_DAY, TENANT, Daybook, daybook, fate_of, level_rows

FIRST_DUE = date(2026, 11, 26)  # a Thursday
SOON = timedelta(days=1)


@pytest.fixture
def book(database, vault, clock, tmp_path: Path) -> Iterator[Daybook]:
    with daybook(database, vault, clock, tmp_path) as opened:
        yield opened


def one_row(due: date = FIRST_DUE):
    return level_rows(1, start=due - timedelta(days=31) if due.month == 12 else date(due.year, due.month - 1, due.day))


def accounted(book: Daybook) -> list[tuple[DebitOrder, BatchOrder]]:
    """Every debit with its order; each debit has one."""
    debits, orders = book.all(DebitOrder), {each.debit_order: each for each in book.all(BatchOrder)}
    assert len(debits) == len(orders)
    return [(debit, orders[debit.id]) for debit in sorted(debits, key=lambda each: each.end_to_end_id)]


def run_on(book: Daybook, on: date) -> str:
    """The one run of a date's debits."""
    (run,) = book.all(BatchRun, col(BatchRun.business_date) == on)
    assert (run.origin, run.request_key) == (Origin.DAILY, f"daily/{TENANT}/{on.isoformat()}")
    return str(run.token)


def check_equal(book: Daybook) -> None:
    """Both tables say the same, order for order."""
    for debit, order in accounted(book):
        assert not differs(order, debit), (debit.state, order.state, order.final_state)
        assert order.run == run_on(book, debit.requested_on)
        assert (order.state == debit.state.lower()) != went_on(order, debit)


def reconciled(book: Daybook, on: date) -> Reconciled:
    """As the run's workflow has it done when no answer is missing."""
    settle = SqlSettle(book.database, book.vault, book.clock, book.is_bank_day)
    return settle.reconcile(RunStep(run=run_on(book, on)))


def open_orders(book: Daybook, on: date) -> int:
    bank = SqlBatchBank(book.database, book.clock, book.vault, book.steps.bank_of)
    return bank.take_replies(RunStep(run=run_on(book, on))).open_orders


def test_debits_of_a_date_are_one_run_that_says_what_they_say_whatever_is_repeated(book: Daybook) -> None:
    paid, refused, back = (book.agree(rows=one_row()) for _ in range(3))
    unfit = book.agree(rows=one_row(), profile="no-such-profile")
    fate_of(book, refused, rejected())
    fate_of(book, back, Fate(reason="AM04", days=1))
    book.run_until(FIRST_DUE - SOON, check=False)
    assert book.all(BatchRun) == [], "a date without debits has no run"
    book.run_day(FIRST_DUE, twice=True)
    (run,) = book.all(BatchRun)
    assert (run.kind, run.origin, run.business_date) == ("auto-debit", Origin.DAILY, FIRST_DUE)
    starts = book.all(OutboxEntry, col(OutboxEntry.workflow_id) == f"batches/{run.token}")
    assert [each.kind for each in starts] == ["start"], "its workflow is started once"
    assert sorted((order.state, order.final_state) for _, order in accounted(book)) == [
        ("sent", None), ("sent", None), ("sent", None), ("withdrawn", "withdrawn"),
    ]  # fmt: skip
    (withdrawn,) = [order for _, order in accounted(book) if order.mandate_id == unfit.mandate_id]
    assert withdrawn.reason_code == OrderReason.PROFILE_REFUSES
    for day in range(1, 6):
        book.run_day(FIRST_DUE + day * ONE_DAY, twice=True)
        check_equal(book)
    first = {order.mandate_id: order for _, order in accounted(book) if order.run == run.token}
    ends = {each.id: first[each.mandate_id].final_state for each in (paid, refused, back)}
    assert (ends[refused.id], ends[back.id]) == ("rejected", "returned")
    retried = [(debit, order) for debit, order in accounted(book) if debit.attempt > 1]
    assert retried, "what was refused is tried again"
    assert {order.run == run_on(book, debit.requested_on) != run.token for debit, order in retried} == {True}
    assert open_orders(book, FIRST_DUE) == 0
    found = reconciled(book, FIRST_DUE)
    assert (found.orders, found.settled_minor, found.differs, found.waiting) == (4, 101_000, (), 0)
    causes = {each.cause.partition("/")[0] for each in book.all(BatchOutcome)}
    assert causes == {"order", "file", "reply", "withdrawn", "return-term"}


def test_money_that_comes_back_behind_the_end_is_booked_and_a_person_is_told(book: Daybook) -> None:
    agreement = book.agree(rows=one_row())
    fate_of(book, agreement, Fate(reason="AM04", days=8))
    book.run_until(FIRST_DUE + 6 * ONE_DAY, check=False)
    assert open_orders(book, FIRST_DUE) == 0
    assert reconciled(book, FIRST_DUE).settled_minor == 101_000
    book.run_until(FIRST_DUE + 12 * ONE_DAY)
    debit, order = next(pair for pair in accounted(book) if pair[0].attempt == 1)
    assert (debit.state, order.state, order.final_state) == ("RETURNED", "settled", "settled")
    assert "reversal" in book.events(agreement), "it is booked by itself"
    (told,) = book.all(DailyException, col(DailyException.code) == AFTER_ITS_END)
    assert (told.target, told.state) == (debit.id, "OPEN")
    check_equal(book)
    assert reconciled(book, FIRST_DUE).differs == (), "the run is what it was"


def test_a_row_whose_money_may_still_come_back_is_not_debited_again(book: Daybook) -> None:
    agreement = book.agree(rows=one_row())
    book.run_until(FIRST_DUE + SOON, check=False)
    ((debit, order),) = accounted(book)
    assert (debit.state, order.state, order.final_state) == ("SETTLED", "settled", None)
    with pytest.raises(WrongState) as refused, book.database.read() as session:
        refuse_open_claim(session, TENANT, agreement.id, debit.row_no)
    assert refused.value.params == {"state": "order-open"}


@pytest.mark.parametrize("statement", [
    "UPDATE batch_orders SET state = 'settled'",
    "UPDATE batch_orders SET amount_minor = amount_minor + 1, state = 'sent'",
])  # fmt: skip
def test_the_database_refuses_an_order_that_leaves_its_debit(book: Daybook, statement: str) -> None:
    book.agree(rows=one_row())
    book.run_until(FIRST_DUE - SOON, check=False)
    for step in ("begin", "take_replies", "post", "arrears", "reminders", "debit_orders"):
        book.run_step(step, FIRST_DUE)
    with pytest.raises(DBAPIError, match="moves with its debit"), book.database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_a_date_whose_debits_nobody_accounts_for_tells_so_when_it_ends(book: Daybook) -> None:
    book.agree(rows=one_row())
    book.run_until(FIRST_DUE - SOON, check=False)
    for step in ("begin", "take_replies", "post", "arrears", "reminders", "debit_orders", "send_file"):
        book.run_step(step, FIRST_DUE)
    with book.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE debit_orders SET state = 'ACCEPTED'")
    book.run_step("roll", FIRST_DUE)
    assert book.exceptions() == [("roll", "batch-differs")]


def test_a_debit_that_goes_its_own_way_and_one_without_an_order_are_differences(book: Daybook) -> None:
    book.agree(rows=one_row())
    book.run_until(FIRST_DUE + 6 * ONE_DAY, check=False)
    assert reconciled(book, FIRST_DUE).differs == ()
    ((debit, _),) = accounted(book)
    with book.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE debit_orders SET state = 'REJECTED'")
    assert reconciled(book, FIRST_DUE).differs == ("debit-differs",)
    with unit_of_work(book.database, book._deed()) as unit:
        again = DebitOrder(
            **debit.model_dump() | {"id": "dbo_lost", "attempt": 2, "end_to_end_id": "lost", "file_id": None}
        )
        unit.session.add(again)
    assert reconciled(book, FIRST_DUE).differs == ("debit-differs", "debit-without-order")


def test_nobody_holds_or_ends_such_a_run(book: Daybook) -> None:
    book.agree(rows=one_row())
    book.run_until(FIRST_DUE, check=False)
    (run,) = book.all(BatchRun)
    for paused in (True, False):
        with pytest.raises(WrongState) as refused, unit_of_work(book.database, book._deed()) as unit:
            runs.want_pause(unit.session, unit.session.get_one(BatchRun, run.token), paused=paused, now=book.clock())
        assert refused.value.params == {"state": "daily-run"}
    with pytest.raises(WrongState) as refused, unit_of_work(book.database, book._deed()) as unit:
        held = unit.session.get_one(BatchRun, run.token)
        runs.want_cancel(unit.session, held, reason_code="batch-called-off", now=book.clock())
    assert refused.value.params == {"state": "daily-run"}


def test_whatever_the_bank_does_both_tables_say_the_same_on_each_date(
    sqlite_database, vault, clock, tmp_path: Path
) -> None:
    chance = random.Random(7)
    with daybook(sqlite_database, vault, clock, tmp_path) as book:
        agreements = [book.agree(rows=one_row(FIRST_DUE + chance.randrange(4) * ONE_DAY)) for _ in range(12)]
        for each in agreements:
            fate_of(book, each, *(_fate(chance) for _ in range(4)))
        while book.today() <= FIRST_DUE + 17 * ONE_DAY:
            book.run_day(book.today(), twice=chance.random() < 0.2)
            if chance.random() < 0.1:  # a customer takes the mandate back
                mandate = chance.choice(agreements).mandate_id
                book.change(lambda session, name=mandate: setattr(
                    session.get_one(Mandate, name), "revoked_at", book.clock()
                ))  # fmt: skip
            check_equal(book)
        for on in sorted({each.business_date for each in book.all(BatchRun)}):
            if not open_orders(book, on):
                assert reconciled(book, on).differs == (), on


def _fate(chance: random.Random) -> Fate:
    return chance.choice([
        Fate(), Fate(), rejected(), rejected("AC04"), Fate(reason="AM04", days=1), Fate(reason="AM04", days=9),
    ])  # fmt: skip
