"""Funding of payroll and its clients: covered at every moment, conserved to the cent, maker and checker two persons."""

import random
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, func, select

from models.domain.batches.kinds import KindName
from models.domain.batches.payroll import ControlTotal, control_differences, payday, source_fault
from models.domain.batches.states import OrderState
from models.errors import FormInvalid, FourEyesViolation, FundingShort, NotFound, WrongState
from models.operations.batches import clients, funding
from models.operations.batches.moving import book_returned, book_settled
from models.tables.batch_books import BatchEntry
from models.tables.batch_clients import BatchClient, FundingAccount, FundingHold
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.staff import Staff
from tests.support.settled_run import AMOUNT, RUN, STEP, TENANT, TODAY, BatchBooks, order_id, workday

PAID_IN = 10 * AMOUNT + 500
NEW_YEAR = {date(2027, 1, 1)}


@pytest.fixture
def books(database, vault, clock) -> BatchBooks:
    """Ten wages that are sent and not answered; the account holds 500 more than they need."""
    return BatchBooks(database, vault, clock, kind=KindName.PAYROLL, ends={OrderState.SENT: 10}).build()


def account(session: Session) -> tuple[int, int]:
    found = session.get_one(FundingAccount, "fac_test", populate_existing=True)
    return found.balance_minor, found.held_minor


def ledger(session: Session) -> int:
    """What we owe the client by the books; a credit is negative."""
    query = select(func.sum(BatchEntry.amount_minor)).where(BatchEntry.account == "funding")
    return -int(session.exec(query).one() or 0)


def test_held_used_returned_and_released_it_is_conserved_and_covered_at_every_step(books: BatchBooks) -> None:
    rng, settled, returned = random.Random(20_261_123), set[int](), set[int]()
    for _ in range(40):
        number = rng.randint(1, 10)
        with books.unit() as unit:
            session = unit.session
            run, order = session.get_one(BatchRun, RUN), session.get_one(BatchOrder, order_id(number))
            if number in settled and rng.random() < 0.4:
                assert book_returned(session, run, order, value_date=TODAY, now=books.clock()) is (
                    number not in returned
                )
                returned.add(number)
            else:
                assert book_settled(session, run, order, value_date=TODAY, now=books.clock()) is (number not in settled)
                settled.add(number)
            gone = (len(settled) - len(returned)) * AMOUNT
            assert account(session) == (PAID_IN - gone, 10 * AMOUNT - gone)
            assert ledger(session) == PAID_IN - gone
    assert returned
    books.steps.release_run(STEP)
    books.steps.release_run(STEP)  # killed after its commit, and repeated
    with books.unit() as unit:
        session = unit.session
        assert account(session) == (PAID_IN - gone, 0)
        late = next(iter(settled - returned))
        order = session.get_one(BatchOrder, order_id(late))
        assert book_returned(session, session.get_one(BatchRun, RUN), order, value_date=TODAY, now=books.clock())
        assert account(session) == (PAID_IN - gone + AMOUNT, 0)  # a late return is free money of the client's again
        assert ledger(session) == PAID_IN - gone + AMOUNT


def test_money_paid_in_counts_once(books: BatchBooks) -> None:
    with books.unit() as unit:
        found = unit.session.get_one(FundingAccount, "fac_test")
        for expected in (True, False):
            booked = funding.pay_in(
                unit.session, found, amount_minor=700, key="ref-1", value_date=TODAY, now=books.clock()
            )
            assert booked is expected
        assert account(unit.session)[0] == ledger(unit.session) == PAID_IN + 700


def test_a_run_holds_its_control_total_or_nothing(books: BatchBooks) -> None:
    with pytest.raises(FundingShort) as refused, books.unit() as unit:
        run = unit.session.get_one(BatchRun, RUN)
        funding.hold_funding(unit.session, run, amount_minor=PAID_IN + 1, now=books.clock())
    assert refused.value.params == {"availableMinor": PAID_IN, "neededMinor": PAID_IN + 1}
    with books.unit() as unit:
        run = unit.session.get_one(BatchRun, RUN)
        for amount in (PAID_IN, PAID_IN, 3 * AMOUNT):  # again, and after a new cohort
            funding.hold_funding(unit.session, run, amount_minor=amount, now=books.clock())
            assert account(unit.session) == (PAID_IN, amount)
        orders = [unit.session.get_one(BatchOrder, order_id(number)) for number in range(1, 5)]
        for order in orders[:3]:
            book_settled(unit.session, run, order, value_date=TODAY, now=books.clock())
    with pytest.raises(FundingShort), books.unit() as unit:  # a fourth would go beyond what was held
        book_settled(unit.session, run, orders[3], value_date=TODAY, now=books.clock())
    with books.unit() as unit:
        assert account(unit.session) == (PAID_IN - 3 * AMOUNT, 0)
        assert ledger(unit.session) == PAID_IN - 3 * AMOUNT


def test_a_run_that_let_go_holds_nothing_more(books: BatchBooks) -> None:
    books.steps.release_run(STEP)
    with pytest.raises(WrongState), books.unit() as unit:
        run = unit.session.get_one(BatchRun, RUN)
        funding.hold_funding(unit.session, run, amount_minor=1, now=books.clock())
    with books.database.read() as session:
        assert session.get_one(FundingHold, RUN).state == "released"


def test_what_comes_back_to_a_run_that_used_all_it_held_and_is_over_is_free(books: BatchBooks) -> None:
    def each(act: Callable[..., bool], number: int) -> None:
        with books.unit() as unit:
            run, order = unit.session.get_one(BatchRun, RUN), unit.session.get_one(BatchOrder, order_id(number))
            assert act(unit.session, run, order, value_date=TODAY, now=books.clock())

    for number in range(1, 11):
        each(book_settled, number)
    books.steps.release_run(STEP)
    each(book_returned, 3)
    with books.database.read() as session:
        assert session.get_one(FundingHold, RUN).state == "released"
        assert account(session) == (PAID_IN - 9 * AMOUNT, 0)


@pytest.mark.parametrize("held", [-1, PAID_IN + 1])
def test_the_database_refuses_an_account_that_is_not_covered(books: BatchBooks, held: int) -> None:
    with pytest.raises(IntegrityError), books.unit() as unit:
        unit.session.get_one(FundingAccount, "fac_test").held_minor = held


def test_wages_of_a_project_come_from_its_special_account_alone(books: BatchBooks) -> None:
    assert source_fault("settlement", wage_project=True) == "not-from-special"
    assert source_fault("wage-special", wage_project=False) == "special-for-other"
    assert source_fault("wage-special", wage_project=True) is None
    with pytest.raises(FormInvalid) as refused, books.unit() as unit:
        unit.session.get_one(BatchClient, "bcl_test").wage_project = True
        unit.session.flush()
        run = unit.session.get_one(BatchRun, RUN)
        funding.hold_funding(unit.session, run, amount_minor=1, now=books.clock())
    assert refused.value.faults[0].code == "funding-not-from-special"


def staff(session: Session, books: BatchBooks, name: str, person: str) -> str:
    session.add(
        Staff(
            id=f"stf_{name}", tenant=TENANT, person_id=f"prs_{person}", login=name, name=name, branch="hq",
            created_at=books.clock(),
        )
    )  # fmt: skip
    session.flush()
    return f"stf_{name}"


def test_maker_and_checker_of_a_client_are_never_one_person(books: BatchBooks) -> None:
    now = books.clock()
    with books.unit() as unit:
        session, client = unit.session, unit.session.get_one(BatchClient, "bcl_test")
        maker, again, other = (staff(session, books, *each) for each in (("a", "one"), ("b", "one"), ("c", "two")))
        clients.add_user(session, client, staff_id=maker, part="maker", now=now)
        for same in (maker, again):  # the account, and another account of the same person
            with pytest.raises(FourEyesViolation):
                clients.add_user(session, client, staff_id=same, part="checker", now=now)
        clients.add_user(session, client, staff_id=other, part="checker", now=now)
        assert clients.require_part(session, client=client.id, staff_id=other, part="checker", on=TODAY).id == client.id
        with pytest.raises(NotFound):
            clients.require_part(session, client=client.id, staff_id=other, part="maker", on=TODAY)
        clients.remove_user(session, client, staff_id=maker, now=now)
        with pytest.raises(NotFound):
            clients.require_part(session, client=client.id, staff_id=maker, part="maker", on=TODAY)


@pytest.mark.parametrize(
    ("month", "agreed", "day"),
    [
        ((2026, 11), 10, date(2026, 11, 10)),  # a Tuesday
        ((2026, 11), 15, date(2026, 11, 13)),  # a Sunday: the Friday before it
        ((2026, 11), 31, date(2026, 11, 30)),  # the month has thirty days
        ((2027, 1), 1, date(2026, 12, 31)),  # a holiday: the day before, in the year before
    ],
)
def test_payday_on_a_holiday_is_the_bank_day_before(month: tuple[int, int], agreed: int, day: date) -> None:
    """工资支付暂行规定 Art. 7 (WAGE-P7)."""
    assert payday(*month, agreed, is_bank_day=lambda each: workday(each) and each not in NEW_YEAR) == day


def test_nobody_guesses_at_the_bank_days_of_a_year() -> None:
    def unknown(day: date) -> bool:
        raise LookupError(day)

    with pytest.raises(LookupError):
        payday(2031, 1, 1, is_bank_day=unknown)


def test_control_totals_that_nobody_told_are_no_difference() -> None:
    found = ControlTotal(count=2, amount_minor=300)
    assert control_differences(ControlTotal(count=None, amount_minor=None), found) == ()
    assert control_differences(ControlTotal(count=3, amount_minor=301), found) == ("control-count", "control-total")
    assert control_differences(ControlTotal(count=2, amount_minor=300), found) == ()
