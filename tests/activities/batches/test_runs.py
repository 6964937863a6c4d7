"""A wish is one run; people hold it in SQL; its workflow writes fenced. On both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import col

from compliance.audit.unit import unit_of_work
from models.contracts.batch_run import EndRun, EnterRunStage, RunStep
from models.contracts.platform import Fence
from models.domain.batches.kinds import KindName, MemberSource
from models.domain.batches.states import OrderState
from models.domain.ids import batch_workflow_id
from models.domain.tokens import new_token
from models.errors import Conflict, FormInvalid, NotFound, WrongState
from models.operations.batches import runs
from models.operations.batches.beginning import amend_criteria
from models.tables.audit import AuditEvent
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.platform import OutboxEntry
from tests.support.batch_books import STATED, BatchBooks
from tests.support.daybook import START, TENANT


def test_the_same_wish_is_one_run_with_one_start_however_often_it_is_said(books: BatchBooks) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        tokens = {run.token for run in pool.map(lambda _: books.begin(key="schedule/2026-11-23"), range(4))}
    (token,) = tokens
    starts = books.book.all(OutboxEntry, col(OutboxEntry.workflow_id) == batch_workflow_id(token))
    assert len(starts) == 1
    with pytest.raises(Conflict) as refused:
        books.begin(key="schedule/2026-11-23", criteria={"period": "2026-10"})
    assert refused.value.params == {"field": "criteria"}
    assert len(books.book.all(BatchRun)) == 1


def test_what_a_kind_asks_for_is_asked_when_a_run_begins(books: BatchBooks) -> None:
    client, account = books.client()
    _, other = books.client()
    with pytest.raises(FormInvalid) as refused:
        books.begin(KindName.PAYROLL, source=MemberSource.FILE)
    assert [fault.pointer for fault in refused.value.faults] == ["/client", "/fundingAccount"]
    with pytest.raises(NotFound):
        books.begin(KindName.PAYROLL, source=MemberSource.FILE, client=client, funding_account=other)
    with pytest.raises(FormInvalid):
        books.begin(KindName.PAYROLL, client=client, funding_account=account)  # wages come from files alone
    with pytest.raises(FormInvalid):
        books.begin(client=client)
    assert books.book.all(BatchRun) == []


def test_a_run_is_paused_resumed_and_ended_by_people_and_its_workflow_sees_it(books: BatchBooks) -> None:
    run, now, steps = books.begin(), books.book.clock(), books.steps()

    def wish(act) -> None:
        with unit_of_work(books.book.database, books.deed("batch.paused")) as unit:
            act(unit.session, unit.session.get_one(BatchRun, run.token))

    wish(lambda session, held: runs.want_pause(session, held, paused=True, now=now))
    assert steps.wanted(RunStep(run=run.token)).paused
    with pytest.raises(WrongState):
        wish(lambda session, held: runs.want_pause(session, held, paused=True, now=now))
    wish(lambda session, held: runs.want_pause(session, held, paused=False, now=now))
    wish(lambda session, held: runs.want_cancel(session, held, reason_code="batch-called-off", now=now))
    wanted = steps.wanted(RunStep(run=run.token))
    assert (wanted.paused, wanted.cancelled, wanted.moved) == (False, True, False)
    books.add(
        BatchOrder(
            id=new_token("bor"),
            tenant=TENANT,
            run=run.token,
            member=1,
            claim_key="row/agr_x/1",
            subject_id="sub_x",
            amount_minor=1,
            state=OrderState.QUEUED.value,
            policy_version="-",
            requested_on=START,
            created_at=now,
            updated_at=now,
        )
    )
    assert steps.wanted(RunStep(run=run.token)).moved, "orders stand: it is stopped, and not simply ended"


def test_writes_of_the_workflow_are_fenced_and_an_ended_run_keeps_why(books: BatchBooks) -> None:
    run, now, steps = books.begin(), books.book.clock(), books.steps()
    enter = EnterRunStage(run=run.token, stage="rules", fence=Fence(epoch=1, seq=5))
    steps.enter_stage(enter)
    steps.enter_stage(enter)
    steps.enter_stage(EnterRunStage(run=run.token, stage="cohort", fence=Fence(epoch=1, seq=4)))
    assert books.row(run).stage == "rules"
    entered = books.book.all(AuditEvent, col(AuditEvent.action) == "batch.stage-entered")
    assert len(entered) == 1, "what changes nothing is no deed"
    with unit_of_work(books.book.database, books.deed("batch.cancel-asked")) as unit:
        held = unit.session.get_one(BatchRun, run.token)
        runs.want_cancel(unit.session, held, reason_code="batch-called-off", now=now)
    end = EndRun(run=run.token, fence=Fence(epoch=1, seq=6), outcome="cancelled")
    steps.end_run(end)
    steps.end_run(end)
    row = books.row(run)
    assert (row.stage, row.outcome, row.reason_code) == ("ended", "cancelled", "batch-called-off")
    with pytest.raises(WrongState):
        runs.want_pause(unit.session, row, paused=True, now=now)


def test_what_a_run_has_to_do_follows_from_kind_and_source(books: BatchBooks) -> None:
    debits = books.steps().read_run(RunStep(run=books.begin(settings={"window": 2}).token))
    assert (debits.from_file, debits.window, debits.sends_files, debits.has_retries) == (False, 2, True, True)
    intake = books.begin(KindName.INTAKE, source=MemberSource.FILE)
    read = books.steps().read_run(RunStep(run=intake.token))
    assert (read.from_file, read.sends_files, read.has_retries) == (True, False, False)
    assert "sending" not in read.stages
    assert "cohort" in read.stages


def test_criteria_are_amended_until_somebody_was_chosen_by_them(books: BatchBooks) -> None:
    books.due(5_000)
    run, now = books.begin(), books.book.clock()

    def amend(criteria: dict) -> None:
        with unit_of_work(books.book.database, books.deed("batch.criteria-amended")) as unit:
            held = unit.session.get_one(BatchRun, run.token)
            amend_criteria(unit.session, held, criteria=criteria, now=now)

    narrower = {"stated": STATED, "filter": {"amountMinor": {"$gt": 5_000}}}
    amend(narrower)
    assert books.choose(books.row(run)) == []
    with pytest.raises(WrongState):
        amend({"stated": STATED})
    assert books.row(run).criteria == narrower
