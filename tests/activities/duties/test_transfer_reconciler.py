"""Transfer jobs whose records differ from their workflows, that nobody carries, or that have not heard of a wish."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update
from temporalio.client import WorkflowExecutionStatus

from activities.duties.transfer_reconciler import TransferReconciler
from models.database.engine import Database
from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.states import Outcome, TaskState, TaskType
from models.domain.transfers.states import WaveState
from models.tables.audit import AuditEvent
from models.tables.platform import OutboxEntry
from models.tables.tasks import Task
from models.tables.transfer_jobs import TransferRollback
from models.tables.transfers import TransferJob, TransferWave
from tests.support.clock import FakeClock
from tests.support.temporal import TemporalServer
from tests.support.transfer_desk import BUYER, SELLER, Desk, transfer_desk
from tests.support.transfer_fakes import FakeWave, World
from tests.support.transfer_jobs import SOURCE, TARGET
from workflows.support import options

pytestmark = pytest.mark.temporal


def reconciler_of(desk: Desk) -> TransferReconciler:
    return TransferReconciler(
        desk.database,
        desk.client,
        desk.clock,
        settled_after=timedelta(seconds=1),
        queue=desk.queue,
        task_timeout=options.WORKFLOW_TASK_TIMEOUT,
    )


async def mended(desk: Desk, clock: FakeClock) -> dict[str, int]:
    """What one pass mends; the next one finds nothing."""
    clock.advance(seconds=60)
    reconciler = reconciler_of(desk)
    await reconciler.run_once(clock())
    found = dict(reconciler.drift)
    clock.advance(seconds=60)
    assert await reconciler.run_once(clock()) == 0
    return found


def change(desk: Desk, table: Any, key: Any, **values: Any) -> None:
    """Somebody with a database console."""
    with desk.database.write() as session:
        row = session.get_one(table, key)
        for name, value in values.items():
            setattr(row, name, value)


def actions(desk: Desk) -> set[str]:
    with desk.database.read() as session:
        return set(session.exec(select(AuditEvent.action).where(col(AuditEvent.target) == desk.job)).all())


async def test_where_nothing_differs_nothing_is_done(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.task(TaskType.TRANSFER_CLASSIFICATION)
        assert await mended(desk, clock) == {}


@pytest.mark.parametrize("how", ["closed", "deleted"])
async def test_a_task_that_got_lost_is_asked_again_as_it_was_and_can_be_decided(
    how: str, sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        lost = await desk.task(TaskType.TRANSFER_PLAN_APPROVAL, tenant=SOURCE)
        if how == "closed":
            change(desk, Task, lost.id, state=TaskState.CANCELLED)
        else:
            with desk.database.write() as session:
                session.delete(session.get_one(Task, lost.id))
        assert await mended(desk, clock) == {"missing": 1}
        found = await desk.task(TaskType.TRANSFER_PLAN_APPROVAL, tenant=SOURCE)
        assert (found.shown, found.shown_hash) == (lost.shown, lost.shown_hash), "whose approval it is, and of what"
        await desk.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER, tenant=SOURCE)
        await desk.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)
        assert "inbox.missing-restored" in actions(desk)


async def test_the_recorded_stage_follows_the_workflow(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        await desk.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await desk.task(TaskType.TRANSFER_PLAN_APPROVAL, tenant=SOURCE)
        change(desk, TransferJob, desk.job, stage="auditing")
        assert await mended(desk, clock) == {"state": 1}
        assert desk.row().stage == "approving"


async def test_a_job_whose_workflow_an_operator_has_terminated_is_at_its_end(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        task = await desk.task(TaskType.TRANSFER_CLASSIFICATION)
        await desk.client.get_workflow_handle(transfer_workflow_id(desk.job)).terminate("operator")
        assert await mended(desk, clock) == {"ghost": 1, "state": 1}
        row = desk.row()
        assert (row.stage, row.outcome, row.reason_code) == ("ended", "cancelled", "terminated-by-operator")
        with desk.database.read() as session:
            assert session.get_one(Task, task.id).state == TaskState.CANCELLED


async def test_a_start_that_counted_as_arrived_and_got_lost_is_sent_again_unless_rows_have_moved(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    async with transfer_desk(sqlite_database, temporal_server, clock, World(), start=False) as desk:
        with desk.database.write() as session:
            session.exec(update(OutboxEntry).values(done_at=clock()))
        assert await mended(desk, clock) == {}, "a wave has moved: people see to it"
        change(desk, TransferWave, (desk.job, 1), state=WaveState.PLANNED.value)
        assert await mended(desk, clock) == {"start": 1}
        with desk.database.read() as session:
            assert session.exec(select(OutboxEntry.done_at)).one() is None, "the relay has it again"
        assert "transfer.start-requeued" in actions(desk)


async def test_a_wave_that_nobody_moves_any_more_is_taken_up_again_and_the_job_goes_on(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    world = World(waves={1: FakeWave(1, WaveState.MOVING)})
    async with transfer_desk(sqlite_database, temporal_server, clock, world) as desk:
        change(desk, TransferWave, (desk.job, 1), state=WaveState.MOVING.value)
        await desk.up_to_go()
        await desk.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        reconciler = reconciler_of(desk)
        clock.advance(seconds=60)
        assert await reconciler.run_once(clock()) == 1
        assert dict(reconciler.drift) == {"wave": 1}
        handle = desk.client.get_workflow_handle(wave_workflow_id(desk.job, 1))
        await asyncio.wait_for(handle.result(), 30)
        assert world.waves[1].state is WaveState.MOVED
        assert "transfer.wave-restarted" in actions(desk)
        change(desk, TransferWave, (desk.job, 1), state=WaveState.MOVED.value)
        assert await reconciler.run_once(clock()) == 0
        await desk.task(TaskType.TRANSFER_CLOSE)


async def test_a_wave_whose_workflow_runs_is_left_alone(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    world = World(waves={1: FakeWave(1, WaveState.MOVING)}, paused=True)
    async with transfer_desk(sqlite_database, temporal_server, clock, world) as desk:
        change(desk, TransferWave, (desk.job, 1), state=WaveState.MOVING.value)
        change(desk, TransferJob, desk.job, paused_at=clock())
        clock.advance(seconds=60)
        reconciler = reconciler_of(desk)
        assert await reconciler.run_once(clock()) == 1
        handle = desk.client.get_workflow_handle(wave_workflow_id(desk.job, 1))
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        assert await reconciler.run_once(clock()) == 0
        await handle.terminate("end of the test")


async def test_a_wish_that_a_job_has_not_heard_of_reaches_it_while_it_waits_for_people(
    sqlite_database: Database, temporal_server: TemporalServer, clock: FakeClock
) -> None:
    """The nudge got lost: an open question alone would wait for its answer, for weeks."""
    async with transfer_desk(sqlite_database, temporal_server, clock, World()) as desk:
        asked = await desk.task(TaskType.TRANSFER_CLASSIFICATION)
        clock.advance(seconds=5)
        with desk.database.write() as session:
            session.add(
                TransferRollback(
                    id="trb_1", tenant=TARGET, job=desk.job, wave=1, state="proposed", reason_code="wrong-mapping",
                    asked_by="stf_1", asked_by_person="prs_1", asked_at=clock(),
                )
            )  # fmt: skip
        clock.advance(seconds=60)
        reconciler = reconciler_of(desk)
        assert await reconciler.run_once(clock()) == 1
        assert dict(reconciler.drift) == {"wish": 1}
        await desk.task(TaskType.TRANSFER_ROLLBACK)
        with desk.database.read() as session:
            assert session.get_one(Task, asked.id).state == TaskState.CANCELLED
        clock.advance(seconds=60)
        assert await reconciler.run_once(clock()) == 0, "it has heard"
