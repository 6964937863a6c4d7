"""Every kind of drift between inbox and workflows is mended within one pass, counted and recorded."""

import asyncio
from datetime import timedelta

import pytest
from sqlmodel import col, select

from activities.duties.reconciler import Reconciler
from compliance.vault.keyring import Vault
from models.contracts.installments import CaseView
from models.contracts.platform import Fence
from models.database.engine import Database
from models.domain.states import Outcome, TaskState, TaskType
from models.queries.open_items import OpenItem
from models.tables.audit import AuditEvent
from models.tables.installments import InstallmentCase
from models.tables.tasks import Task
from tests.support.breakage import Breakage
from tests.support.casework import CaseWorld, case_world
from tests.support.clock import FakeClock
from tests.support.temporal import TemporalServer
from tests.workflows.installments import lives


def _reconciler(world: CaseWorld) -> Reconciler:
    return Reconciler(world.database, world.client, world.clock, settled_after=timedelta(seconds=1))


def _tamper(world: CaseWorld, table, key: str, **values) -> None:
    """Somebody with a database console."""
    with world.database.write() as session:
        row = session.get_one(table, key)
        for name, value in values.items():
            setattr(row, name, value)


async def _open_case(world: CaseWorld):
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    task = await world.task(token, TaskType.DOCUMENTS)
    return team, token, task


async def test_where_nothing_differs_nothing_is_done(world: CaseWorld, clock) -> None:
    await _open_case(world)
    clock.advance(seconds=60)
    assert await _reconciler(world).run_once(world.clock()) == 0


async def test_a_task_of_a_terminated_case_is_a_ghost(world: CaseWorld, clock) -> None:
    _, token, _ = await _open_case(world)
    await world.handle(token).terminate("operator")
    clock.advance(seconds=60)
    reconciler = _reconciler(world)
    await reconciler.run_once(world.clock())
    assert [row.state for row in world.rows(Task, token)] == [TaskState.CANCELLED]
    assert (world.case(token).outcome, world.case(token).reason_code) == ("withdrawn", "terminated-by-operator")
    assert reconciler.drift["ghost"] == 1
    assert await reconciler.run_once(world.clock()) == 0


async def test_a_task_closed_behind_the_workflows_back_comes_back_and_can_be_decided(world: CaseWorld, clock) -> None:
    team, token, task = await _open_case(world)
    _tamper(world, Task, task.id, state=TaskState.CANCELLED)
    clock.advance(seconds=60)
    reconciler = _reconciler(world)
    await reconciler.run_once(world.clock())
    assert reconciler.drift["missing"] == 1
    assert (await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)).fate == "applied"


async def test_a_lost_row_is_written_again(world: CaseWorld, clock) -> None:
    team, token, task = await _open_case(world)
    with world.database.write() as session:
        session.delete(session.get_one(Task, task.id))
    clock.advance(seconds=60)
    await _reconciler(world).run_once(world.clock())
    restored = await world.task(token, TaskType.DOCUMENTS)
    assert (restored.task_no, restored.shown_hash) == (task.task_no, task.shown_hash)
    assert (await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)).fate == "applied"


@pytest.mark.parametrize("stage", ["approval", "ended"])
async def test_a_wrong_stage_is_corrected_from_the_workflows_account(world: CaseWorld, clock, stage: str) -> None:
    _, token, _ = await _open_case(world)
    _tamper(world, InstallmentCase, token, stage=stage)
    clock.advance(seconds=60)
    reconciler = _reconciler(world)
    await reconciler.run_once(world.clock())
    assert world.case(token).stage == "documents"
    assert reconciler.drift["state"] == 1
    with world.database.read() as session:
        assert session.exec(select(AuditEvent.id).where(col(AuditEvent.action) == "inbox.state-corrected")).one()


async def test_a_task_that_is_decided_while_the_reconciler_looks_stays_decided(world: CaseWorld, clock) -> None:
    team, token, task = await _open_case(world)
    account = await world.handle(token).query("view", result_type=CaseView)
    assert (await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)).fate == "applied"
    await world.task(token, TaskType.ASSESSMENT)
    clock.advance(seconds=60)
    reconciler = _reconciler(world)
    reconciler.mend(
        OpenItem(workflow_id=task.workflow_id, case_token=token, last=Fence(epoch=1, seq=0)), account, world.clock()
    )
    assert not reconciler.drift
    states = {row.type: row.state for row in world.rows(Task, token)}
    assert states == {TaskType.DOCUMENTS: TaskState.DONE, TaskType.ASSESSMENT: TaskState.READY}


async def test_a_workflow_that_is_writing_is_left_alone(
    sqlite_database: Database, vault: Vault, clock: FakeClock, temporal_server: TemporalServer
) -> None:
    plan = Breakage(hold="installments.apply_decision")
    async with case_world(sqlite_database, vault, clock, temporal_server, interceptors=[plan]) as world:
        team, token, task = await _open_case(world)
        sending = asyncio.create_task(world.send(world.take(task, team.officer, Outcome.ACCEPT)))
        await plan.held.wait()
        # Written, and the workflow has not heard of it.
        assert [row.state for row in world.rows(Task, token)] == [TaskState.DONE]
        clock.advance(seconds=60)
        reconciler = _reconciler(world)
        assert await reconciler.run_once(world.clock()) == 0
        plan.release.set()
        assert (await sending).fate == "applied"
        assert await reconciler.run_once(world.clock()) == 0
