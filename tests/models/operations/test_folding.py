"""However a state is found — from the snapshot, from the checkpoint, from all events — it is the same state."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.database.engine import Database
from models.domain.schedules.rows import Row
from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold
from models.domain.servicing.snapshot import state_from
from models.domain.servicing.stored import event_from_stored, terms_to_json
from models.domain.servicing.terms import AgreementTerms
from models.domain.tokens import new_case_token, new_token, uuid7
from models.operations.booking import NewEvent, book
from models.operations.folding import events_of, state_on
from models.tables.agreements import Agreement, PlanOffer
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.tenants import Tenant
from tests.models.domain.servicing.histories import START, History, even_terms, histories, many, months_after, payment

_TWO_YEARS = tuple(
    Row(no=number, due=months_after(START, number), principal_minor=100_000, interest_minor=1_000)
    for number in range(1, 25)
)
NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)


def _unit(database: Database) -> Any:
    return unit_of_work(database, Deed(tenant="main", action="t", target="t", actor="t", at=NOW))


def _agreement(session: Session, terms: AgreementTerms) -> Agreement:
    """An agreement without events; what nobody asks for is as small as the tables allow."""
    common: dict[str, Any] = {"tenant": "main", "created_at": NOW}
    if session.get(Tenant, "main") is None:
        session.add(Tenant(code="main", name="-", created_at=NOW))
        session.flush()
    subject, token, offer = new_token("sub"), new_case_token("main"), new_token("plo")
    session.add(
        Subject(id=subject, name_cell=b"-", id_type="-", id_cell=b"-", id_index=subject.encode()[-32:], **common)
    )
    session.flush()
    session.add(
        InstallmentCase(
            token=token, subject_id=subject, branch="-", channel="staff", stage="servicing", total_due_minor=1,
            requested_amount_minor=1, requested_term_months=1, monthly_income_minor=1, essential_expense_minor=1,
            other_debt_payment_minor=1, dependants=0, hardship_code="illness", willing_to_repay=True, created_by="t",
            updated_at=NOW, **common,
        )
    )  # fmt: skip
    session.flush()
    session.add(
        PlanOffer(
            id=offer, case_token=token, version=1, family="-", kind="offer", terms={}, rows=[], figures={}, **common
        )
    )
    session.flush()
    agreement = Agreement(
        id=new_token("agr"), case_token=token, subject_id=subject, offer_id=offer, plan_hash="-", currency="CNY",
        principal_minor=terms.principal_minor, start=terms.start, terms=terms_to_json(terms), signed_at=NOW,
        status="pending", **common,
    )  # fmt: skip
    session.add(agreement)
    session.flush()
    return agreement


def _named(agreement: Agreement, events: tuple[Event, ...]) -> list[NewEvent]:
    return [NewEvent(event=event, business_key=f"{agreement.id}/{event.id}") for event in events]


def _check(session: Session, agreement: Agreement, terms: AgreementTerms, known: list[Event], as_of: date) -> None:
    assert state_from(agreement.snapshot or "") == fold(terms, known, as_of)
    if agreement.checkpoint is not None:
        checkpoint = state_from(agreement.checkpoint)
        assert checkpoint.as_of < as_of
        assert checkpoint == fold(terms, known, checkpoint.as_of)


@given(history=histories(), steps=st.lists(st.integers(0, 40), min_size=12, max_size=12))
@many(15)
def test_any_order_of_arrival_and_any_days_between_give_the_state_of_a_full_fold(
    sqlite_database: Database, history: History, steps: list[int]
):
    terms, known, as_of = history.terms, list[Event](), START
    unique = uuid7(NOW)[-12:]  # ids are, over all agreements
    renamed = {event.id: f"{event.id}-{unique}" for event in (*history.events, history.extra)}
    with _unit(sqlite_database) as unit:
        agreement = _agreement(unit.session, terms)
        for event, step in zip((*history.events, history.extra), steps, strict=False):
            target = renamed[event.target] if event.target is not None else None
            arrived = replace(event, id=renamed[event.id], target=target)
            as_of = max(as_of, event.value_date)
            if step % 3 == 0:  # a day without events for it
                as_of += timedelta(days=step)
                book(unit.session, [(agreement, ())], as_of=as_of, now=NOW)
                _check(unit.session, agreement, terms, known, as_of)
            book(unit.session, [(agreement, _named(agreement, (arrived,)))], as_of=as_of, now=NOW)
            known.append(arrived)
            _check(unit.session, agreement, terms, known, as_of)
        for back in (1, 10, 20, 60):
            day = as_of - timedelta(days=back)
            assert state_on(unit.session, agreement, day) == fold(terms, events_of(unit.session, agreement.id), day)


@pytest.mark.parametrize("late_days", [0, 1, 5])
def test_a_debit_of_a_few_days_ago_reads_the_events_since_the_last_quiet_day_only(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch, late_days: int
) -> None:
    """Month after month the bank tells the morning after, or some days later, what was debited on the due date."""
    read = list[str]()

    def parse(**columns: Any) -> Event:
        read.append(columns["event_id"])
        return event_from_stored(**columns)

    monkeypatch.setattr("models.operations.folding.event_from_stored", parse)
    terms = even_terms(rows=_TWO_YEARS)
    with _unit(sqlite_database) as unit:
        agreement = _agreement(unit.session, terms)
        start = Event(id=uuid7(NOW), kind=EventKind.ACTIVATED, value_date=START)
        book(unit.session, [(agreement, _named(agreement, (start,)))], as_of=START, now=NOW)
        known = [start]
        for row in terms.rows:
            for day in range(late_days + 1):
                book(unit.session, [(agreement, ())], as_of=row.due + timedelta(days=day), now=NOW)
            read.clear()
            paid = payment(uuid7(NOW), row.due, row.total_minor)
            told = row.due + timedelta(days=max(1, late_days))
            book(unit.session, [(agreement, _named(agreement, (paid,)))], as_of=told, now=NOW)
            known.append(paid)
            assert len(read) <= 1
            _check(unit.session, agreement, terms, known, told)
    assert agreement.status == "paid-off"
