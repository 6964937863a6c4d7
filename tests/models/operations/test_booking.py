"""The books follow from events: whatever comes in whichever chunks, rows, figures and postings say the same."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import Database
from models.domain.schedules.rows import Row
from models.domain.servicing.events import Event, EventKind, PaymentChannel
from models.domain.servicing.fold import fold
from models.domain.servicing.ledger import balances
from models.domain.servicing.snapshot import state_from
from models.domain.servicing.state import State
from models.domain.servicing.terms import AgreementTerms
from models.domain.tokens import new_case_token, new_token, uuid7
from models.operations.agreements import NewAgreement, activate
from models.operations.booking import NewEvent, book
from models.operations.folding import events_of
from models.tables.agreements import Agreement, AgreementEvent, AgreementRow, LedgerEntry, PlanOffer
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.tenants import Tenant

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
START = date(2026, 11, 23)
ROWS = tuple(
    Row(no=no, due=date(2026 + (11 + no - 1) // 12, (11 + no - 1) % 12 + 1, 23), principal_minor=100_000,
        interest_minor=1_500 - 100 * no)
    for no in range(1, 13)
)  # fmt: skip
TERMS = AgreementTerms(rows=ROWS, start=START, annual_rate=Decimal("0.12"), late_rate=Decimal("0.18"))


class Books:
    """One agreement in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.id = ""

    def open(self) -> None:
        with self._unit() as unit:
            case = _case(unit.session)
            offer = _offer(unit.session, case)
            new = NewAgreement(
                tenant="main",
                case_token=case.token,
                subject_id=case.subject_id,
                offer_id=offer.id,
                mandate_id=None,
                plan_hash="0" * 64,
                currency="CNY",
                terms=TERMS,
                signed_at=NOW,
            )
            self.id = activate(unit.session, new, business_date=START, now=NOW).agreement.id

    def day(self, as_of: date, *events: NewEvent) -> None:
        with self._unit() as unit:
            book(unit.session, [(unit.session.get_one(Agreement, self.id), events)], as_of=as_of, now=NOW)

    def state(self) -> State:
        with self.database.read() as session:
            snapshot = session.get_one(Agreement, self.id).snapshot
        assert snapshot is not None
        return state_from(snapshot)

    def folded(self, as_of: date) -> State:
        with self.database.read() as session:
            return fold(TERMS, events_of(session, self.id), as_of)

    def ledger(self) -> dict[str, int]:
        with self.database.read() as session:
            sums = session.exec(
                select(LedgerEntry.account, func.sum(LedgerEntry.amount_minor))
                .where(col(LedgerEntry.agreement_id) == self.id)
                .group_by(col(LedgerEntry.account))
            ).all()
        return {account: int(amount) for account, amount in sums if amount}

    def rows(self) -> list[AgreementRow]:
        with self.database.read() as session:
            return list(
                session.exec(
                    select(AgreementRow).where(col(AgreementRow.agreement_id) == self.id).order_by(col(AgreementRow.no))
                ).all()
            )

    def _unit(self) -> Any:
        return unit_of_work(self.database, Deed(tenant="main", action="t", target="t", actor="t", at=NOW))


@pytest.fixture
def books(database: Database) -> Books:
    made = Books(database)
    made.open()
    return made


def _case(session: Session) -> InstallmentCase:
    session.add(Tenant(code="main", name="-", created_at=NOW))
    session.flush()
    subject = Subject(
        id=new_token("sub"), tenant="main", id_type="resident-id", name_cell=b"-", id_cell=b"-", id_index=b"-" * 32,
        created_at=NOW,
    )  # fmt: skip
    session.add(subject)
    session.flush()
    case = InstallmentCase(
        token=new_case_token("main"), tenant="main", subject_id=subject.id, branch="sh-01", channel="staff",
        stage="activation", total_due_minor=1_200_000, requested_amount_minor=1_200_000, requested_term_months=12,
        monthly_income_minor=1, essential_expense_minor=1, other_debt_payment_minor=1, dependants=0,
        hardship_code="illness", willing_to_repay=True, created_by="t", created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    session.add(case)
    session.flush()
    return case


def _offer(session: Session, case: InstallmentCase) -> PlanOffer:
    offer = PlanOffer(
        id=new_token("plo"), tenant="main", case_token=case.token, version=1, family="fixed-term", kind="offer",
        terms={}, rows=[], figures={}, created_at=NOW,
    )  # fmt: skip
    session.add(offer)
    session.flush()
    return offer


def _paid(amount: int, on: date, key: str) -> NewEvent:
    event = Event(
        id=uuid7(NOW), kind=EventKind.PAYMENT, value_date=on, amount_minor=amount, channel=PaymentChannel.DEBIT
    )
    return NewEvent(event=event, business_key=key)


def _reversed(target: NewEvent, on: date, key: str) -> NewEvent:
    event = Event(id=uuid7(NOW), kind=EventKind.REVERSAL, value_date=on, target=target.event.id)
    return NewEvent(event=event, business_key=key)


def _agree(books: Books, as_of: date) -> None:
    state = books.state()
    assert state == books.folded(as_of)
    assert books.ledger() == {account.value: amount for account, amount in balances(state).items() if amount}
    assert sum(books.ledger().values()) == 0
    kept = [(row.no, row.due, row.paid_principal_minor, row.paid_interest_minor) for row in books.rows()]
    assert kept == [(row.no, row.due, row.paid_principal_minor, row.paid_interest_minor) for row in state.rows]


def test_what_is_serviced_is_what_was_signed(books: Books) -> None:
    served = [(row.no, row.due, row.principal_minor, row.interest_minor, row.fee_minor) for row in books.rows()]
    assert served == [(row.no, row.due, row.principal_minor, row.interest_minor, row.fee_minor) for row in ROWS]
    _agree(books, START)


def test_day_by_day_and_late_and_taken_back(books: Books) -> None:
    on_time = _paid(101_400, ROWS[0].due, "one")
    late = _paid(50_000, ROWS[1].due + timedelta(days=3), "two")
    for as_of, events in (
        (ROWS[0].due, [on_time]),
        (ROWS[1].due, []),
        (ROWS[1].due + timedelta(days=9), [late]),  # learnt six days after its value date
        (ROWS[1].due + timedelta(days=20), [_reversed(on_time, ROWS[1].due + timedelta(days=20), "back")]),
        (ROWS[2].due, []),
    ):
        books.day(as_of, *events)
        _agree(books, as_of)
    assert books.state().days_past_due == (ROWS[2].due - ROWS[0].due).days  # the first row is open again


def test_the_same_money_is_booked_once(books: Books) -> None:
    books.day(ROWS[0].due, _paid(101_400, ROWS[0].due, "debit/1"))
    before = books.ledger()
    with pytest.raises(IntegrityError):
        books.day(ROWS[0].due, _paid(101_400, ROWS[0].due, "debit/1"))
    assert books.ledger() == before
    _agree(books, ROWS[0].due)


def test_a_day_without_news_posts_nothing(books: Books) -> None:
    before = books.ledger()
    books.day(START + timedelta(days=1))
    assert books.ledger() == before


def test_events_and_postings_cannot_be_changed(books: Books) -> None:
    for table in (AgreementEvent, LedgerEntry):
        with pytest.raises(Exception, match="append-only"), books._unit() as unit:
            unit.session.connection().exec_driver_sql(f"DELETE FROM {table.__tablename__}")
