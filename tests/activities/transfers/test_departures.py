"""The giving company's records: marked as moved out with their wave, given back bit for bit when it is rolled back."""

import json

import pytest
from sqlmodel import col, select

from compliance.vault.customer_layout import Customer, seal_customers
from models.contracts.transfers import ChunkStep
from models.database.engine import Database
from models.domain.customers.showing import CustomerState
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.domain.transfers.conflicts import Choice
from models.errors import CustomerMovedOut
from models.operations.four_eyes import By
from models.operations.transfers.conflict_choices import carry_out
from models.operations.transfers.conflicts import decide, hold_conflict
from models.operations.transfers.departures import come_back
from models.operations.transfers.links import links_of, unlink_record
from models.queries.transfers.departures import refuse_moved_out
from models.queries.transfers.facts_departed import departed_facts, departure_counts
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from models.tables.subject_links import SubjectLink
from models.tables.transfer_departures import TransferDeparture
from tests.support.clock import FakeClock
from tests.support.transfer_waves import JOB, SOURCE, TENANT, THEN, WaveOffice, persons


@pytest.fixture
def office(database: Database, vault, clock: FakeClock) -> WaveOffice:
    """100 rows, 20 of people whom the buyer knows; the seller's book holds the first 90 of them."""
    office = WaveOffice(database, vault, clock)
    office.open()
    theirs = persons(20, prefix="T")
    ids = office.book([{name: each[name] for name in each if name != "email"} for each in theirs])
    office.rows(persons(100, prefix="S"), into=dict(enumerate(ids)))
    _sellers_book(office, 90)
    office.plan_waves()
    return office


def _sellers_book(office: WaveOffice, count: int) -> None:
    customers = [Customer(new_token("cus"), new_token("sub"), values) for values in persons(count, prefix="S")]
    with office.database.write() as session:
        for each in seal_customers(office.vault, tenant=SOURCE, customers=customers, create=True):
            session.add(
                CustomerRecord(
                    id=each.id, tenant=SOURCE, subject_id=each.subject, created_at=THEN, updated_at=THEN, **each.columns
                )
            )


def _states(office: WaveOffice) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in office.records().values():
        if record.tenant == SOURCE:
            counts[record.state] = counts.get(record.state, 0) + 1
    return counts


def _facts(office: WaveOffice) -> dict[str, object]:
    with office.database.read() as session:
        return departed_facts(session, office.job())


def _events(office: WaveOffice, action: str) -> list[dict[str, object]]:
    with office.database.read() as session:
        found = session.exec(
            select(AuditEvent)
            .where(col(AuditEvent.action) == action, col(AuditEvent.tenant) == SOURCE)
            .order_by(col(AuditEvent.id))
        ).all()
    return [json.loads(each.body)["facts"] for each in found]


def test_records_leave_with_their_wave_and_the_gate_reads_it(office: WaveOffice) -> None:
    assert _facts(office) == {}
    office.run(1)
    assert _states(office) == {CustomerState.ACTIVE: 50, CustomerState.MOVED_OUT: 40}
    office.run(2)
    before = office.stored()
    office.steps.end_wave(ChunkStep(job=JOB, wave=2, attempt=1))
    assert office.stored() == before, "a repeated end finds everything done"
    office.move(3)
    assert _facts(office) == {"old_store_state": "open"}, "twenty rows have moved, and their records are in use"
    office.run(3)
    assert _states(office) == {CustomerState.MOVED_OUT: 90}
    assert _facts(office) == {"old_store_state": "locked"}
    with office.database.read() as session:
        assert departure_counts(session, JOB) == {"moved": 100, "movedOut": 90, "notInBook": 10}
    told = _events(office, "customer.moved-out")
    assert sum(int(str(each["records"])) for each in told) == 90
    assert sum(int(str(each["unknown"])) for each in told) == 10
    assert office.reconcile() is None


def test_a_rolled_back_job_leaves_no_trace_in_either_book(office: WaveOffice) -> None:
    before = office.stored()
    for wave in (1, 2, 3):
        office.run(wave)
    assert office.stored() != before
    for wave in (3, 2, 1):
        assert office.undo(wave).root_equal
    assert office.stored() == before
    assert _states(office) == {CustomerState.ACTIVE: 90}
    assert sum(int(str(each["records"])) for each in _events(office, "customer.came-back")) == 90
    office.run(1, attempt=2)
    assert _states(office) == {CustomerState.ACTIVE: 50, CustomerState.MOVED_OUT: 40}


def test_one_record_that_is_put_back_comes_back_alone(office: WaveOffice) -> None:
    office.run(1)
    target = str(office.row(30).target_record)
    office.change(target, email="new@example.com")
    office.undo(1)
    assert _states(office) == {CustomerState.ACTIVE: 89, CustomerState.MOVED_OUT: 1}, "its undo waits for a person"
    [conflict] = office.conflicts()
    with office.database.write() as session:
        held = hold_conflict(session, conflict.id)
        assert held is not None
        decide(
            session,
            held,
            Choice.TAKE,
            reason="wrong",
            by=By(tenant=TENANT, staff_id="stf_2", person_id="per_2"),
            now=office.clock(),
        )
        undone = carry_out(session, held, Choice.TAKE, None, now=office.clock())
    assert undone is not None
    assert undone.returned == 1
    assert _states(office) == {CustomerState.ACTIVE: 90}


def test_what_was_done_to_a_record_after_it_left_stays_and_its_state_comes_back(office: WaveOffice) -> None:
    office.run(1)
    with office.database.write() as session:
        left = session.exec(select(TransferDeparture).order_by(col(TransferDeparture.row_number))).first()
        assert left is not None
        record = session.get_one(CustomerRecord, left.record_id)
        record.language, record.version = "en", record.version + 1
        session.add(record)
        assert come_back(session, JOB, [left.row_number], now=office.clock()) == 1
        assert come_back(session, JOB, [left.row_number], now=office.clock()) == 0
    record = office.records()[str(left.record_id)]
    assert (record.state, record.language, record.version) == (CustomerState.ACTIVE, "en", 4)


def test_a_record_that_has_left_is_no_target_and_says_where_it_went(office: WaveOffice) -> None:
    office.run(1)
    record = next(each for each in office.records().values() if each.state == CustomerState.MOVED_OUT)
    with office.database.read() as session, pytest.raises(CustomerMovedOut) as refused:
        refuse_moved_out(session, record)
    assert refused.value.params == {"since": shanghai_date(office.clock()).isoformat(), "job": JOB[-6:]}


def _links(office: WaveOffice) -> list[SubjectLink]:
    with office.database.read() as session:
        return list(session.exec(select(SubjectLink).order_by(col(SubjectLink.row_number))).all())


def test_who_is_known_to_both_is_two_subjects_with_a_link(office: WaveOffice) -> None:
    office.run(1)
    links = _links(office)
    assert [each.row_number for each in links] == list(range(1, 21)), "merged rows only"
    records = office.records()
    for link in links:
        mine, other = records[link.record_id], records[link.other_record]
        assert (mine.tenant, other.tenant) == (TENANT, SOURCE)
        assert (link.subject_id, link.other_subject) == (mine.subject_id, other.subject_id)
        assert office.row(link.row_number).target_record == link.record_id
    with office.database.write() as session:
        assert len(links_of(session, links[0].record_id, tenant=TENANT)) == 1
        assert len(links_of(session, links[0].other_record, tenant=SOURCE)) == 1
        assert links_of(session, links[0].record_id, tenant=SOURCE) == [], "each company looks from its own record"
        unlink_record(session, links[0].other_record)
    assert len(_links(office)) == 19, "an erasure on either side takes the link with it"
    office.undo(1)
    assert all(each.unlinked_at is not None for each in _links(office))
