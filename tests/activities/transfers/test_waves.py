"""Waves move rows into the target's book, and back, on both databases."""

import json

import pytest
from sqlmodel import select

from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_proofs import Named, Proof
from compliance.vault.suites import SM4_GCM
from compliance.vault.transfer_rows import seal_rows
from models.contracts.transfers import ChunkStep
from models.domain.transfers.conflicts import Choice
from models.domain.transfers.states import WaveState
from models.errors import Conflict, SubjectShredded
from models.operations.four_eyes import By
from models.operations.transfers.conflict_choices import carry_out
from models.operations.transfers.conflicts import decide, hold_conflict
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from models.tables.tasks import Task
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.transfer_waves import JOB, TENANT, WaveOffice, persons


@pytest.fixture
def office(database, vault, clock) -> WaveOffice:
    office = WaveOffice(database, vault, clock)
    office.open()
    return office


def filled(office: WaveOffice, *, known: int = 20, new: int = 80) -> list[str]:
    """A book in which `known` of the rows stand already, with less in it."""
    theirs = persons(known, prefix="T")
    less = [{name: value for name, value in each.items() if name not in ("email", "account")} for each in theirs]
    ids = office.book([*less, *persons(10, prefix="T", first=500)])
    mine = persons(known + new, prefix="S")
    office.rows(mine, into=dict(enumerate(ids[:known])))
    return ids


def test_accepted_rows_become_records_and_merged_rows_fill_what_the_target_lacks(office: WaveOffice) -> None:
    ids = filled(office)
    source = persons(100, prefix="S")
    assert office.plan_waves() == 3
    for wave in (1, 2, 3):
        assert office.run(wave).state == WaveState.MOVED
    assert len(office.records()) == 30 + 80
    new = office.row(21).target_record
    assert new is not None
    assert office.values(new) == source[20]
    merged = office.values(ids[0])
    assert (merged["customer_no"], merged["email"]) == ("T0000001", source[0]["email"])
    assert office.records()[new].subject_id != office.row(21).subject_id, "sealed under a subject of its own"
    assert office.reconcile() is None
    office.assert_conserved()
    counts = office.job().counts["reconciled"]
    assert counts["moves"] == {"wanted": 100, "waiting": 0, "moved": 100, "conflict": 0, "undone": 0}
    assert counts["columns"]["rows"] == counts["columns"]["book"]
    assert counts["columns"]["rows"]["rows"] == 80


def test_a_wave_that_is_undone_leaves_the_book_bit_for_bit_and_runs_again_to_the_same(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    before = office.stored()
    for wave in (1, 2, 3):
        office.run(wave)
    whole, meant = office.stored(), office.meant()
    for wave in (3, 2, 1):
        undone = office.undo(wave)
        assert (undone.state, undone.root_equal) == (WaveState.UNDONE, True)
    assert office.stored() == before
    office.assert_conserved()
    for wave in (1, 2, 3):
        office.run(wave, attempt=2)
    assert office.meant() == meant
    assert office.stored() != whole, "under new keys"
    assert office.reconcile() is None
    office.assert_conserved()


def test_what_was_inserted_and_undone_can_never_be_opened_again(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    office.run(1)
    [subject] = [office.records()[office.row(25).target_record].subject_id]
    office.undo(1)
    assert office.vault.subject_key_count(tenant=TENANT, subject_id=subject) == 0
    with pytest.raises(SubjectShredded):
        office.vault.create_subject(tenant=TENANT, subject_id=subject)


def test_every_step_repeated_changes_nothing(office: WaveOffice) -> None:
    filled(office)
    assert office.plan_waves() == office.plan_waves() == 3
    office.run(1)
    stored, lines = office.stored(), len(office.changes())
    root = office.wave(1).root_before
    office.run(1)
    assert (office.stored(), len(office.changes()), office.wave(1).root_before) == (stored, lines, root)
    office.undo(1)
    undone = office.stored()
    assert office.undo(1).root_equal
    assert office.stored() == undone


def test_each_chunk_has_its_event_with_figures_and_a_root(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    office.run(1)
    events = [event for event in office.all_of(AuditEvent) if event.action == "transfer.rows-moved"]
    bodies = [json.loads(event.body)["facts"] for event in events]
    assert sum(body["inserted"] for body in bodies) == 20
    assert sum(body["updated"] for body in bodies) == 20
    assert all(len(body["root"]) == 64 for body in bodies)
    assert not any("cell" in event.body or "王" in event.body for event in events)


def test_a_job_whose_rows_do_not_add_up_is_refused(office: WaveOffice) -> None:
    filled(office)
    with office.database.write() as session:
        source = session.get_one(TransferSource, "tsr_1")
        source.read_rows += 1
        session.add(source)
    with pytest.raises(Conflict):
        office.plan_waves()


def test_a_key_field_that_differs_is_a_task_and_overwrites_nothing(office: WaveOffice) -> None:
    [theirs] = persons(1, prefix="T")
    [record] = office.book([theirs])
    [number] = office.rows([theirs | {"mobile": "+8613900000000", "email": "new@example.com"}], into={0: record})
    office.plan_waves()
    before = office.stored()
    assert office.run(1).state == WaveState.MOVED
    assert office.stored() == before
    [conflict] = office.conflicts()
    assert (conflict.kind, conflict.fields, conflict.row_number) == ("key-fields", ["mobile"], number)
    assert office.row(number).move == "conflict"
    with office.database.read() as session:
        task = session.exec(select(Task).where(Task.id == conflict.task_id)).one()
    assert (task.type, task.state) == ("transfers.conflict", "READY")
    assert "13900000000" not in str(task.shown)
    assert office.reconcile() == "conflicts-open"


def test_a_number_that_another_customer_has_is_a_conflict(office: WaveOffice) -> None:
    [record] = office.book(persons(1, prefix="S", first=3))
    office.rows(persons(5, prefix="S"))
    office.plan_waves()
    office.run(1)
    assert [(each.kind, each.row_number, each.record_id) for each in office.conflicts()] == [
        ("number-taken", 3, record)
    ]
    assert len(office.records()) == 1 + 4


def test_a_number_that_was_written_under_another_index_key_is_a_conflict_too(office: WaveOffice) -> None:
    [record] = office.book(persons(1, prefix="S", first=3))
    office.rows(persons(5, prefix="S"))
    office.plan_waves()
    office.vault.renewal.publish(TENANT, SM4_GCM)
    office.vault.renewal.activate(TENANT, SM4_GCM)
    office.run(1)
    assert [(each.kind, each.row_number, each.record_id) for each in office.conflicts()] == [
        ("number-taken", 3, record)
    ]
    assert len(office.records()) == 1 + 4


def test_the_error_budget_stops_a_wave_by_itself(office: WaveOffice) -> None:
    office.rows(persons(40, prefix="S"))
    for number in (3, 4):
        office.vault.shred_subject(tenant=TENANT, subject_id=office.row(number).subject_id)
    office.plan_waves()
    done = office.move(1)
    assert done.stopped == "error-budget", "two of forty are more than five per mille"
    wave = office.wave(1)
    assert (wave.state, wave.failed) == (WaveState.STOPPED, 2)
    assert [(office.row(n).outcome, office.row(n).reason_code) for n in (3, 4)] == [("held", "subject-shredded")] * 2
    assert office.steps.move_rows(ChunkStep(job=JOB, wave=1, attempt=1)).stopped == "error-budget"
    office.assert_conserved()
    assert office.undo(1).root_equal


def test_a_few_failures_within_the_budget_do_not_stop_it(database, vault, clock) -> None:
    office = WaveOffice(database, vault, clock, budget=100)
    office.open()
    office.rows(persons(40, prefix="S"))
    office.vault.shred_subject(tenant=TENANT, subject_id=office.row(7).subject_id)
    office.plan_waves()
    assert office.run(1).state == WaveState.MOVED
    assert (office.wave(1).moved, office.wave(1).failed) == (39, 1)
    assert office.reconcile() is None


def test_a_paused_job_moves_nothing(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    with office.database.write() as session:
        job = session.get_one(TransferJob, JOB)
        job.paused_at = office.clock()
        session.add(job)
    assert office.move(1).paused
    assert office.changes() == []


def test_a_wave_can_be_rolled_back_in_its_middle_and_a_late_mover_moves_nothing(office: WaveOffice) -> None:
    office.a_call_s, office.chunk = 0.0, 7
    filled(office)
    office.plan_waves()
    before = office.stored()
    step = ChunkStep(job=JOB, wave=1, attempt=1)
    office.steps.begin_wave(step)
    part = office.steps.move_rows(step)
    assert (part.after, len(office.changes())) == ("7", 7)
    assert office.undo(1).root_equal
    late = office.steps.move_rows(ChunkStep(job=JOB, wave=1, attempt=1, after="7"))
    assert late.stopped == "wave-not-moving"
    assert office.stored() == before


def test_two_rows_that_are_one_person_become_one_record(office: WaveOffice) -> None:
    [first] = persons(1, prefix="S")
    less = {name: value for name, value in first.items() if name != "email"}
    office.rows([less])
    office.rows([first | {"customer_no": "S9"}], outcome="merged", same_row=1)
    office.plan_waves()
    before = office.stored()
    office.run(1)
    [record] = office.records()
    assert office.values(record) == first
    assert office.reconcile() is None
    assert office.undo(1).root_equal
    assert office.stored() == before


def test_a_record_that_somebody_changed_since_is_not_put_back_but_asked_about(office: WaveOffice) -> None:
    ids = filled(office)
    office.plan_waves()
    office.run(1)
    office.clock.advance(seconds=60)
    office.change(ids[2], mobile="+8613700000007")
    changed = office.values(ids[2])
    undone = office.undo(1)
    assert not undone.root_equal
    assert office.values(ids[2]) == changed, "never overwritten"
    [conflict] = office.conflicts()
    assert (conflict.kind, conflict.record_id) == ("undo", ids[2])
    assert len(office.records()) == 30, "everything else is as it was"
    office.assert_conserved()


def test_a_byte_that_is_altered_behind_our_back_is_named(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    office.run(1)
    record = office.row(30).target_record
    with office.database.write() as session:
        found = session.get_one(type(office.records()[record]), record)
        found.language = "en"
        session.add(found)
    assert office.steps.end_wave(ChunkStep(job=JOB, wave=1, attempt=1)).state == WaveState.STOPPED
    assert office.wave(1).checked["faults"] == [{"row": 30, "record": record, "fault": "record-altered"}]


def test_a_row_that_does_not_equal_its_record_is_found_to_the_column(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    office.move(1)
    row = office.row(33)
    other = persons(100, prefix="S")[32] | {"address": "别处", "email": "x@example.com"}
    [(_, cell)] = seal_rows(office.vault, tenant=TENANT, rows=[(row.subject_id, other)])
    with office.database.write() as session:
        row.row_cell = cell
        session.merge(row)
    office.steps.end_wave(ChunkStep(job=JOB, wave=1, attempt=1))
    [fault] = office.wave(1).checked["faults"]
    assert (fault["row"], fault["fault"], fault["columns"]) == (33, "values-differ", ["email", "address"])
    assert office.reconcile() == "rows-not-moved"


def test_a_record_is_held_against_what_was_collected(office: WaveOffice) -> None:
    """The digest stands for the row: right ones give the figures of rows that are opened; with another the row is."""
    people = persons(4, prefix="S")
    office.rows(people)
    key = job_proof_key(office.vault, tenant=TENANT, job=JOB)
    with office.database.write() as session:
        for number, digest in ((1, key.digest(people[0])), (2, key.digest(people[1])), (3, b"x" * 32)):
            row = session.get_one(TransferRow, (JOB, number))
            row.digest = digest
            session.add(row)
    office.plan_waves()
    office.run(1)
    checked = office.wave(1).checked
    meant = Proof()
    meant.extend(key, (Named(f"{number:012d}", values) for number, values in enumerate(people, start=1)))
    assert checked["rows"] == checked["book"] == meant.figures()
    assert checked["faults"] == []


def test_an_undo_is_proven_once_a_person_has_decided_about_what_could_not_be_put_back(office: WaveOffice) -> None:
    ids = filled(office)
    office.plan_waves()
    office.run(1)
    office.clock.advance(seconds=60)
    office.change(ids[2], mobile="+8613700000007")
    assert not office.undo(1).root_equal
    [conflict] = office.conflicts()
    with office.database.write() as session:
        held = hold_conflict(session, conflict.id)
        decide(
            session,
            held,
            Choice.KEEP,
            reason="target-newer",
            by=By(tenant=TENANT, staff_id="stf_1", person_id="per_1"),
            now=office.clock(),
        )
        carry_out(session, held, Choice.KEEP, None, now=office.clock())
    assert office.undo(1).root_equal
    [event] = [e for e in office.all_of(AuditEvent) if e.action == "transfer.wave-undone"]
    assert json.loads(event.body)["facts"]["differing"] == [{"record": ids[2], "why": "not-put-back"}]
    assert office.run(1, attempt=2).state == WaveState.MOVED
    assert office.values(ids[2])["mobile"] == "+8613700000007"
    for wave in (2, 3):
        office.run(wave)
    assert office.reconcile() is None
    office.assert_conserved()


def test_a_record_that_others_changed_beside_a_waiting_row_does_not_bar_the_undo(office: WaveOffice) -> None:
    theirs = persons(2, prefix="T")
    ids = office.book(theirs)
    rows = [theirs[0] | {"mobile": "+8613900000000"}, theirs[1] | {"occupation": "会计"}]
    office.rows(rows, into=dict(enumerate(ids)))
    office.plan_waves()
    office.run(1)
    office.clock.advance(seconds=60)
    office.change(ids[0], email="desk@example.com")
    assert office.undo(1).root_equal
    [event] = [e for e in office.all_of(AuditEvent) if e.action == "transfer.wave-undone"]
    facts = json.loads(event.body)["facts"]
    assert (facts["equal"], facts["differing"]) == (False, [{"record": ids[0], "why": "changed-beside"}])
    assert office.values(ids[0])["email"] == "desk@example.com"


def test_a_record_that_is_altered_behind_our_back_is_named_by_the_undo(office: WaveOffice) -> None:
    filled(office)
    office.plan_waves()
    office.run(1)
    altered = office.row(3).target_record
    office.undo(1)
    office.run(1, attempt=2)
    office._walk("undo_rows", 1, 2)
    with office.database.write() as session:
        found = session.get_one(CustomerRecord, altered)
        found.language = "en"
        session.add(found)
    assert not office.steps.end_undo(ChunkStep(job=JOB, wave=1, attempt=2)).root_equal
    [event] = [e for e in office.all_of(AuditEvent) if e.action == "transfer.wave-undone" and '"equal":false' in e.body]
    assert json.loads(event.body)["facts"]["differing"] == [{"record": altered, "why": "altered"}]
