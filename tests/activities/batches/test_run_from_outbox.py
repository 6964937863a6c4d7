"""A run starts from the outbox and goes through its cohort over real records, to its end by people or by rules."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import col, select
from temporalio.client import WorkflowExecutionStatus

from activities.duties.batch_reconciler import BatchReconciler
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.ids import batch_workflow_id
from models.domain.states import Gate, Outcome, TaskState, TaskType
from models.operations.batches import runs
from models.tables.agreements import Mandate
from models.tables.audit import AuditEvent
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchRun
from models.tables.platform import OutboxEntry
from models.tables.tasks import Task
from tests.support.batch_books import BatchBooks
from tests.support.batch_desk import BatchDesk, batch_desk
from tests.support.clock import FakeClock
from tests.support.daybook import daybook
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal


@pytest.fixture
def one_bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBooks]:
    with daybook(sqlite_database, vault, clock, tmp_path, with_bank=False) as book:
        yield BatchBooks(book)


@pytest_asyncio.fixture
async def desk(one_bank: BatchBooks, temporal_server: TemporalServer) -> AsyncIterator[BatchDesk]:
    async with batch_desk(one_bank, temporal_server) as found:
        yield found


def reconciler_of(desk: BatchDesk) -> BatchReconciler:
    book = desk.books.book
    return BatchReconciler(book.database, desk.client, book.clock, settled_after=timedelta(seconds=1))


def cancel(desk: BatchDesk, run: BatchRun) -> None:
    with unit_of_work(desk.books.book.database, desk.books.deed("batch.cancel-asked")) as unit:
        held = unit.session.get_one(BatchRun, run.token)
        runs.want_cancel(unit.session, held, reason_code="batch-called-off", now=desk.books.book.clock())


async def test_a_gate_shut_by_a_missing_assessment_opens_and_a_mandate_revoked_meanwhile_is_taken_out(
    desk: BatchDesk,
) -> None:
    books = desk.books
    kept, revoked = books.due(5_000), books.due(6_000)
    run = books.begin()
    assert await desk.relay() == 1
    task = await desk.task(run, TaskType.BATCH_GATE)
    assert task.shown["gate"] == Gate.BATCH_COHORT
    books.assessed()
    books.change(Mandate, revoked.mandate_id, revoked_at=books.book.clock())
    await desk.decide(run, TaskType.BATCH_GATE, Outcome.RETRY)
    gate = await desk.task(run, TaskType.BATCH_GATE)
    assert gate.shown["gate"] == Gate.BATCH_RULE_SET, "no version of a rule set is on record"
    assert {each.agreement_id: each.exclusion for each in books.members(run)} == {
        kept.id: None,
        revoked.id: "mandate-revoked",
    }
    cohort = books.cohort(run)
    assert (cohort.members, cohort.excluded, cohort.frozen_at is not None) == (1, 1, True)
    await desk.decide(run, TaskType.BATCH_GATE, Outcome.GIVE_UP, reason_code="not-lawful")
    assert (await desk.end(run))["outcome"] == "refused"
    row = books.row(run)
    assert (row.stage, row.outcome, row.reason_code) == ("ended", "refused", "not-lawful")


async def test_a_wish_to_end_it_reaches_a_run_that_waits_and_a_paused_one_stays(desk: BatchDesk) -> None:
    books, clock = desk.books, desk.books.book.clock
    books.due(5_000)
    run = books.begin()
    await desk.relay()
    task = await desk.task(run, TaskType.BATCH_GATE)
    clock.advance(seconds=60)
    assert await reconciler_of(desk).run_once(clock()) == 0
    cancel(desk, run)
    clock.advance(seconds=60)
    reconciler = reconciler_of(desk)
    assert await reconciler.run_once(clock()) == 1
    assert dict(reconciler.drift) == {"wish": 1}, "nobody has nudged it: the duty does"
    assert (await desk.end(run))["outcome"] == "cancelled"
    row = books.row(run)
    assert (row.stage, row.outcome, row.reason_code) == ("ended", "cancelled", "batch-called-off")
    with books.book.database.read() as session:
        assert session.get_one(Task, task.id).state == TaskState.CANCELLED


async def test_a_run_that_an_operator_terminated_ends_and_a_start_that_got_lost_is_sent_again(desk: BatchDesk) -> None:
    books, clock = desk.books, desk.books.book.clock
    books.due(5_000)
    first = books.begin()
    await desk.relay()
    await desk.task(first, TaskType.BATCH_GATE)
    handle = desk.client.get_workflow_handle(batch_workflow_id(first.token))
    await handle.terminate("operator")
    lost = books.begin()
    for entry in books.book.all(OutboxEntry, col(OutboxEntry.workflow_id) == batch_workflow_id(lost.token)):
        books.change(OutboxEntry, entry.id, done_at=clock())
    clock.advance(seconds=60)
    reconciler = reconciler_of(desk)
    await reconciler.run_once(clock())
    assert dict(reconciler.drift) == {"ghost": 1, "state": 1, "start": 1}
    row = books.row(first)
    assert (row.outcome, row.reason_code) == ("cancelled", "terminated-by-operator")
    assert await desk.relay() == 1
    await desk.task(lost, TaskType.BATCH_GATE)
    described = await desk.client.get_workflow_handle(batch_workflow_id(lost.token)).describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    with books.book.database.read() as session:
        actions = set(session.exec(select(AuditEvent.action).where(col(AuditEvent.target) == lost.token)).all())
    assert {"batch.start-requeued", "batch.members-chosen"} <= actions
    assert books.book.all(BatchMember)
