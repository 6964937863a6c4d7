"""Before a debit: each rule of the gate keeps an order from being made, and leaves its reason behind."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from models.domain.daily import OrderState
from models.domain.notices import NoticeState
from models.domain.servicing import first_paid
from models.domain.servicing.state import PRINCIPAL
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.operations.daily_exceptions import ask_again
from models.tables.agreements import Agreement, Mandate
from models.tables.audit import AuditEvent
from models.tables.daily import DailyException, DebitOrder, Ticket
from models.tables.installments import RuleVerdict
from models.tables.notices import Notice
from models.tables.tenants import Tenant
from tests.support import daybook as daybook_module
from tests.support.daybook import ONE_DAY, START, TENANT, Daybook, daybook, level_rows

DUE = START + ONE_DAY  # a Tuesday; its rows are reminded of on the day before
Obstacle = Callable[[Session, Agreement, Daybook], None]


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


def rows_due_tomorrow():
    return level_rows(2, start=date(2026, 10, 24))


def _mandate(session: Session, agreement: Agreement, **values: Any) -> None:
    mandate = session.get_one(Mandate, agreement.mandate_id)
    for name, value in values.items():
        setattr(mandate, name, value)
    session.add(mandate)


def _order(book: Daybook, agreement: Agreement, row_no: int, attempt: int, state: str, **more: Any) -> DebitOrder:
    return DebitOrder(
        id=new_token("dbo"), tenant=TENANT, agreement_id=agreement.id, mandate_id=agreement.mandate_id, row_no=row_no,
        attempt=attempt, end_to_end_id=f"test-{row_no}-{attempt}", state=state, policy_version="retry/2026-01",
        created_at=book.clock(), updated_at=book.clock(),
        **({"amount_minor": 1, "requested_on": START} | more),
    )  # fmt: skip


def mandate_of_somebody_else(session: Session, agreement: Agreement, _book: Daybook) -> None:
    others = select(Agreement.subject_id).where(col(Agreement.id) != agreement.id)
    _mandate(session, agreement, subject_id=session.exec(others).one())


def wage_account(session: Session, agreement: Agreement, _book: Daybook) -> None:
    _mandate(session, agreement, account_kind="wage-special")


def reminder_failed(session: Session, _agreement: Agreement, _book: Daybook) -> None:
    notice = session.exec(select(Notice)).one()
    notice.state = NoticeState.FAILED
    session.add(notice)


def debit_that_nobody_was_told_of(session: Session, agreement: Agreement, book: Daybook) -> None:
    session.add(_order(book, agreement, 9, 1, OrderState.SETTLED))


def mandate_for_another_payee(session: Session, agreement: Agreement, book: Daybook) -> None:
    session.add(Tenant(code="other", name="-", sandbox=True, created_at=book.clock()))
    session.flush()
    _mandate(session, agreement, tenant="other")


def limit_of_the_day_used(session: Session, agreement: Agreement, book: Daybook) -> None:
    limit = session.get_one(Mandate, agreement.mandate_id).limit_minor
    session.add(_order(book, agreement, 9, 1, OrderState.SETTLED, amount_minor=limit, requested_on=DUE))


def disputed(session: Session, agreement: Agreement, book: Daybook) -> None:
    session.add(
        Ticket(
            id=new_token("tkt"), tenant=TENANT, case_token=agreement.case_token, kind="dispute", state="OPEN",
            due_at=book.clock(), opened_by="test", created_at=book.clock(),
        )
    )  # fmt: skip


def debited_before(session: Session, agreement: Agreement, book: Daybook) -> None:
    session.add(_order(book, agreement, 1, 1, OrderState.SETTLED))
    session.add(_order(book, agreement, 1, 2, OrderState.REJECTED, next_try_on=DUE))


class _PrincipalFirst:
    def order_at(self, _days: int) -> tuple[tuple[int, int], ...]:
        return ((0, PRINCIPAL),)


@pytest.mark.parametrize(
    ("rule", "obstacle"),
    [
        ("CCM-57a", mandate_of_somebody_else),
        ("WAGE-33", wage_account),
        ("CCM-67", reminder_failed),
        ("DDB-REVOKE", debit_that_nobody_was_told_of),
        ("DDB-MATCH", mandate_for_another_payee),
        ("DDB-LIMIT", limit_of_the_day_used),
        ("BATCH-CUT", disputed),
        ("BATCH-ONCE", debited_before),
        ("CCM-57b", None),
    ],
)
def test_each_rule_of_the_gate_bars_a_debit(
    book: Daybook, monkeypatch: pytest.MonkeyPatch, rule: str, obstacle: Obstacle | None
) -> None:
    agreement = book.agree(rows=rows_due_tomorrow())
    book.run_day(START)
    book.agree(rows=level_rows(2), mandate=False)  # somebody else, who pays by transfer
    if obstacle is not None:
        book.change(lambda session: obstacle(session, agreement, book))
    else:
        versions = dict.fromkeys(first_paid.ALLOCATIONS, _PrincipalFirst())
        monkeypatch.setattr(first_paid, "ALLOCATIONS", versions)
    before = len(book.orders(agreement))
    book.run_day(DUE, twice=True)

    assert len(book.orders(agreement)) == before
    (item,) = book.all(DailyException)
    assert (item.step, item.code, item.target, item.tries) == (
        "debit-orders",
        "blocked-by-rule",
        f"{agreement.id}/1",
        1,
    )
    said = book.all(RuleVerdict, col(RuleVerdict.gate_key) == item.gate_key)
    assert rule in {each.rule_id for each in said}
    assert item.rule_id in {each.rule_id for each in said}
    assert {(each.gate, each.case_token, each.as_of) for each in said} == {(Gate.DEBIT, agreement.case_token, DUE)}
    assert {each.result for each in said} <= {"FAIL", "UNKNOWN"}
    figures = book.run_of(DUE).figures["debit-orders"]
    assert (figures["orders"], figures["barred"]) == (0, 1)


def test_what_nothing_stands_against_is_ordered_and_the_event_says_what_was_asked(book: Daybook) -> None:
    good, bad = book.agree(rows=rows_due_tomorrow()), book.agree(rows=rows_due_tomorrow(), account_kind="wage-special")
    book.run_day(START)
    book.run_day(DUE)
    assert [order.agreement_id for order in book.orders()] == [good.id]
    assert [item.target for item in book.all(DailyException)] == [f"{bad.id}/1"]
    told = [event.body for event in book.all(AuditEvent, col(AuditEvent.action) == "daily.debit-orders")]
    assert [body for body in told if '"asked":2' in body and '"barred":{"WAGE-33":1}' in body]


def test_a_barred_debit_is_made_once_somebody_has_it_tried_again_and_the_item_is_done(book: Daybook) -> None:
    agreement = book.agree(rows=rows_due_tomorrow(), account_kind="wage-special")
    book.run_day(START)
    book.run_day(DUE)
    book.run_day(DUE + ONE_DAY)
    assert book.orders(agreement) == []  # nobody asked for it
    book.change(_ask_again)
    book.run_day(DUE + 2 * ONE_DAY)
    (item,) = book.all(DailyException)
    assert (item.state, item.tries, item.business_date) == ("OPEN", 2, DUE)  # the rule still stands against it
    book.change(lambda session: _mandate(session, agreement, account_kind="settlement"))
    book.change(_ask_again)
    book.run_day(DUE + 3 * ONE_DAY)
    (item,) = book.all(DailyException)
    assert item.state == "DONE"
    assert [(order.row_no, order.state) for order in book.orders(agreement)] == [(1, "SENT")]


def test_without_a_calendar_of_the_year_no_date_is_moved_and_somebody_hears_of_it(
    book: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_table(_day: date) -> bool:
        raise LookupError

    agreement = book.agree(rows=rows_due_tomorrow())
    book.run_day(START)
    monkeypatch.setattr(daybook_module, "workday", no_table)
    book.run_day(DUE, twice=True)
    assert book.exceptions() == [("debit-orders", "no-calendar")]
    assert [(order.requested_on, order.state) for order in book.orders(agreement)] == [(DUE, "SENT")]
    (file,) = list(book.folders.outbox.glob("*.xml"))
    assert f"<ReqdColltnDt>{DUE.isoformat()}</ReqdColltnDt>" in file.read_text()


def _ask_again(session: Session) -> None:
    ask_again(session, session.exec(select(DailyException)).one(), by="test")
