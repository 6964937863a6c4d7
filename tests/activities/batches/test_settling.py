"""The end of a run as an auditor meets it: one end for each order, all books equal, and each thing wrong is found."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from activities.batches import settling
from models.contracts.batch_steps import PartStep
from models.domain.batches.kinds import KindName
from models.domain.batches.reconciling import CODES
from models.domain.batches.states import FinalState, OrderState
from models.operations.batches import suspense
from models.tables.batch_books import BatchSuspense
from models.tables.batch_clients import FundingHold
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import BankFile, BankReply, BusinessDate
from models.texts.render import LOCALES, has_text
from tests.support.settled_run import AMOUNT, RUN, STEP, TENANT, TODAY, BatchBooks, order_id

MOVED = 1  # a settled order; 7 to 9 are refused, 10 and 11 returned, 12 barred, 13 withdrawn
REFUSED = 7
RETURNED = 10


@pytest.fixture
def books(database, vault, clock) -> BatchBooks:
    return BatchBooks(database, vault, clock).build()


def orders(books: BatchBooks) -> dict[int, BatchOrder]:
    with books.database.read() as session:
        return {each.member: each for each in session.exec(select(BatchOrder))}


def test_a_sound_run_has_one_end_for_each_order_and_is_equal_to_the_cent(books: BatchBooks) -> None:
    books.to_the_end()
    ends = [each.final_state for each in orders(books).values()]
    assert {end: ends.count(end) for end in FinalState if end in ends} == {
        "settled": 6, "rejected": 3, "returned": 2, "barred": 1, "withdrawn": 1,
    }  # fmt: skip
    found = books.steps.reconcile(STEP)
    assert (found.orders, found.settled_minor, found.differs, found.waiting) == (13, 6 * AMOUNT, (), 0)
    with books.database.read() as session:
        kept = session.get_one(BatchRun, RUN).counts["reconciled"]
    assert kept["bookedMinor"] == kept["statementMinor"] == kept["settledMinor"] == 6 * AMOUNT
    assert (kept["inFiles"], kept["filesMinor"]) == (11, 11 * AMOUNT)
    assert sum(each["orders"] for each in kept["ends"].values()) == kept["orders"]
    assert sum(each["amountMinor"] for each in kept["ends"].values()) == kept["ordersMinor"]


def test_settling_goes_on_after_a_kill_anywhere_and_changes_no_end(
    books: BatchBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "PART", 2)
    monkeypatch.setattr(settling, "_TURN", timedelta(seconds=-1))  # an answer after each part, then a kill
    after: str | None = ""
    places = []
    while after is not None:
        books.steps.settle_orders(PartStep(run=RUN, after=after))  # done, and its answer lost
        after = books.steps.settle_orders(PartStep(run=RUN, after=after)).after
        places.append(after)
    assert len(places) > 2
    before = {each.id: (each.final_state, each.final_at) for each in orders(books).values()}
    books.clock.advance(hours=1)
    books.to_the_end()
    assert {each.id: (each.final_state, each.final_at) for each in orders(books).values()} == before
    assert all(end is not None for end, _ in before.values())
    with books.database.read() as session:
        terms = session.exec(select(BatchOutcome).where(col(BatchOutcome.cause).like("return-term/%"))).all()
    assert len(terms) == 6


@pytest.mark.parametrize(
    ("today", "end"), [(date(2026, 11, 19), None), (date(2026, 11, 20), "settled")], ids=["last-day", "after"]
)
def test_money_that_may_come_back_is_not_final(books: BatchBooks, today: date, end: str | None) -> None:
    with books.unit() as unit:
        unit.session.get_one(BusinessDate, TENANT).today = today
    books.to_the_end()
    assert orders(books)[MOVED].final_state == end
    found = books.steps.reconcile(STEP)
    assert (found.differs, found.waiting) == ((), 0 if end else 6)


def test_a_weekend_does_not_count_towards_the_term(database, vault, clock) -> None:
    books = BatchBooks(database, vault, clock, settled_on=date(2026, 11, 19)).build()  # Thursday; the term ends Monday
    books.to_the_end()
    assert orders(books)[MOVED].final_state is None
    with books.unit() as unit:
        unit.session.get_one(BusinessDate, TENANT).today = TODAY + timedelta(days=1)
    assert books.steps.reconcile(STEP).waiting == 0  # it settles what is past its term by now
    assert orders(books)[MOVED].final_state == "settled"


def test_the_database_keeps_an_end_that_was_written(books: BatchBooks) -> None:
    books.to_the_end()
    with pytest.raises(DBAPIError, match="final state of an order"), books.unit() as unit:
        unit.session.get_one(BatchOrder, order_id(MOVED)).final_state = "returned"


Breakage = Callable[[Session, BatchBooks], None]


def _order(session: Session, number: int, **values: object) -> None:
    order = session.get_one(BatchOrder, order_id(number))
    for name, value in values.items():
        setattr(order, name, value)
    session.add(order)


def _book(session: Session, books: BatchBooks, number: int, posting: str) -> None:
    session.add_all([books.leg(number, posting, 1, AMOUNT), books.leg(number, posting, 2, -AMOUNT)])


def _line(session: Session, number: int, status: str) -> BankReply:
    query = select(BankReply).where(BankReply.order_id == order_id(number), BankReply.status == status)
    return session.exec(query).one()


def _unsay(session: Session, number: int, status: str) -> None:
    session.delete(_line(session, number, status))


def _say_other(session: Session, number: int, status: str) -> None:
    line = _line(session, number, status)
    line.amount_minor += 1
    session.add(line)


def _file(session: Session, **values: object) -> None:
    out = session.get_one(BankFile, "bkf_out")
    for name, value in values.items():
        setattr(out, name, value)
    session.add(out)


def _member(session: Session) -> None:
    session.add(
        BatchMember(
            cohort="bco_test", number=99, tenant=TENANT, claim_key="row/99", subject_id="sub_test", amount_minor=1,
            state="included",
        )
    )  # fmt: skip


def _import(session: Session, books: BatchBooks, *, count: int, minor: int) -> None:
    now = books.clock()
    session.add(
        BatchImport(
            id="bim_test", tenant=TENANT, run=RUN, layout="wages", layout_version="1", file_name="x", digest="d",
            size_bytes=1, read_rows=2, control_count=count, control_minor=minor, created_at=now,
        )
    )  # fmt: skip
    session.flush()
    for number, (line, attempt, state) in enumerate(((1, 1, "accepted"), (2, 1, "replaced"), (2, 2, "accepted"))):
        session.add(
            BatchRow(
                import_id="bim_test", number=number, tenant=TENANT, line=line, attempt=attempt,
                subject_id=f"sub_{number}", row_cell=b"-", amount_minor=100 + (attempt - 1), state=state,
            )
        )  # fmt: skip


BROKEN: dict[str, Breakage] = {
    "order-open": lambda s, _: _order(s, REFUSED, state=OrderState.ACCEPTED),
    "end-differs": lambda s, _: _order(s, REFUSED, final_state="withdrawn"),
    "order-without-file": lambda s, _: _order(s, REFUSED, file_id=None),
    "row-without-case": lambda s, _: _order(s, REFUSED, state=OrderState.ACCEPTED, final_state="opened"),
    "settled-booked-only": lambda s, b: _book(s, b, REFUSED, "settled"),
    "settled-not-on-statement": lambda s, _: _unsay(s, MOVED, "SETTLED"),
    "settled-twice-on-statement": lambda s, b: s.add(b.line(MOVED, "SETTLED", key="again")),
    "settled-amount-on-statement": lambda s, _: _say_other(s, MOVED, "SETTLED"),
    "settled-on-statement-only": lambda s, b: s.add(b.line(REFUSED, "SETTLED")),
    "returned-booked-only": lambda s, b: _book(s, b, MOVED, "returned"),
    "returned-not-on-statement": lambda s, _: _unsay(s, RETURNED, "RETURNED"),
    "returned-twice-on-statement": lambda s, b: s.add(b.line(RETURNED, "RETURNED", key="again")),
    "returned-amount-on-statement": lambda s, _: _say_other(s, RETURNED, "RETURNED"),
    "returned-on-statement-only": lambda s, b: s.add(b.line(MOVED, "RETURNED")),
    "file-not-sent": lambda s, _: _file(s, state="WRITTEN"),
    "file-count": lambda s, _: _file(s, items=10),
    "file-total": lambda s, _: _file(s, total_minor=1),
    "row-without-order": lambda s, _: _member(s),
    "control-count": lambda s, b: _import(s, b, count=3, minor=200),
    "control-total": lambda s, b: _import(s, b, count=2, minor=201),
}


# Wrong bookings, by code: the books are append-only, so these are wrong from the beginning.
SPOILT: dict[str, tuple[int, str, tuple[int, ...]]] = {
    "posting-unbalanced": (MOVED, "settled", (AMOUNT, 5 - AMOUNT)),
    "settled-not-booked": (MOVED, "settled", ()),
    "settled-amount-booked": (MOVED, "settled", (AMOUNT + 1, -AMOUNT - 1)),
    "returned-not-booked": (RETURNED, "returned", ()),
    "returned-amount-booked": (RETURNED, "returned", (1 - AMOUNT, AMOUNT - 1)),
}


@pytest.mark.parametrize("code", [*BROKEN, *SPOILT])
def test_each_difference_is_found_when_it_is_made(sqlite_database, vault, clock, code: str) -> None:
    books = BatchBooks(sqlite_database, vault, clock)
    if code in SPOILT:
        number, posting, legs = SPOILT[code]
        books.spoilt = {(number, posting): legs}
    books.build()
    with books.unit() as unit:
        if code in BROKEN:
            BROKEN[code](unit.session, books)
    books.to_the_end()
    # An order that names no file is missing from its file's count and sum, too.
    along = {"order-without-file": {"file-count", "file-total"}}.get(code, set())
    assert set(books.steps.reconcile(STEP).differs) == {code} | along
    assert "not-equal" in books.steps.may_close(STEP).lacks


def test_every_code_of_a_difference_can_be_made_and_has_words() -> None:
    of_daily_run = {"debit-differs", "debit-without-order"}  # tests/activities/daily/test_batch_of_debits.py
    assert {*BROKEN, *SPOILT, "funding-used", *of_daily_run} == set(CODES)
    assert all(has_text(f"batch-report.difference.{code}", locale) for code in CODES for locale in LOCALES)


def test_money_in_suspense_waits_for_people_and_is_no_difference(books: BatchBooks) -> None:
    with books.unit() as unit:
        line = books.line(MOVED, "RETURNED")
        line.state = "SUSPENSE"
        unit.session.add(line)
        unit.session.flush()
        unit.session.add(
            BatchSuspense(
                id="bsu_test", tenant=TENANT, run=RUN, reply_id=line.id, amount_minor=AMOUNT, code="late-return",
                state="open", opened_at=books.clock(),
            )
        )  # fmt: skip
    books.to_the_end()
    found = books.steps.reconcile(STEP)
    assert (found.differs, found.waiting) == ((), 1)
    assert "suspense-open" in books.steps.may_close(STEP).lacks


def _decided_out_of_suspense(books: BatchBooks, line: BankReply, *, code: str, signed_minor: int, order: str) -> None:
    """Booked to suspense; one person says whose it is, a second one confirms."""
    now = books.clock()
    line.state = "SUSPENSE"
    with books.unit() as unit:
        session = unit.session
        session.add(line)
        session.flush()
        held = suspense.open_suspense(
            session, session.get_one(BatchRun, RUN), line, code=code, signed_minor=signed_minor,
            posting=f"suspense/{line.id}", on=TODAY, now=now,
        )  # fmt: skip
        suspense.propose(session, held, order_id=order, staff_id="stf_one", person_id="per_one", now=now)
        suspense.confirm(session, held, staff_id="stf_two", person_id="per_two", on=TODAY, now=now)


@pytest.mark.parametrize("kind", [KindName.AUTO_DEBIT, KindName.PAYROLL])
def test_an_order_settled_out_of_suspense_counts_as_paid_once(database, vault, clock, kind: KindName) -> None:
    books = BatchBooks(database, vault, clock, kind=kind, ends={OrderState.SETTLED: 1, OrderState.ACCEPTED: 1}).build()
    line = books.line(2, "SETTLED")
    line.order_id = line.end_to_end_id = None  # the bank has lost whose it was
    signed = AMOUNT if kind is KindName.AUTO_DEBIT else -AMOUNT
    _decided_out_of_suspense(books, line, code="unmatched", signed_minor=signed, order=order_id(2))
    books.to_the_end()
    found = books.steps.reconcile(STEP)
    assert (found.differs, found.settled_minor, found.waiting) == ((), 2 * AMOUNT, 0)
    with books.database.read() as session:
        kept = session.get_one(BatchRun, RUN).counts["reconciled"]
    assert kept["bookedMinor"] == kept["statementMinor"] == 2 * AMOUNT
    with books.unit() as unit:  # booked to the order itself besides: that is once too often
        unit.session.add(books.line(2, "SETTLED", key="again"))
    assert books.steps.reconcile(STEP).differs == ("settled-twice-on-statement",)


def test_a_late_return_put_back_to_the_client_leaves_its_run_equal(database, vault, clock) -> None:
    books = BatchBooks(database, vault, clock, kind=KindName.PAYROLL, ends={OrderState.SETTLED: 2}).build()
    books.to_the_end()
    line = books.line(1, "RETURNED")
    _decided_out_of_suspense(books, line, code="late-return", signed_minor=AMOUNT, order=order_id(1))
    with books.database.read() as session:
        assert session.get_one(FundingHold, RUN).used_minor == AMOUNT
    found = books.steps.reconcile(STEP)
    assert (found.differs, found.settled_minor) == ((), 2 * AMOUNT)


def test_a_run_closes_once_nothing_is_lacking(books: BatchBooks) -> None:
    assert books.steps.may_close(STEP).lacks == ("orders-open", "report-missing", "not-equal")
    books.to_the_end()
    books.steps.write_report(STEP)
    assert books.steps.may_close(STEP).lacks == ()


def test_of_payroll_the_funding_is_used_to_the_cent(database, vault, clock) -> None:
    books = BatchBooks(database, vault, clock, kind=KindName.PAYROLL).build()
    books.to_the_end()
    assert books.steps.reconcile(STEP).differs == ()
    with books.unit() as unit:
        unit.session.get_one(FundingHold, RUN).used_minor += 1
    assert books.steps.reconcile(STEP).differs == ("funding-used",)
