"""What has not arrived is sent again, under the same ids, until the workflow has said yes or no."""

from datetime import timedelta

from sqlmodel import col, func, select

from activities.duties.relay import Relay
from models.domain.states import Outcome, TaskState, TaskType
from models.tables.audit import AuditEvent
from models.tables.platform import OutboxEntry
from models.tables.tasks import Task
from tests.support.casework import CaseWorld, case_world
from tests.workflows.installments import lives


def _relay(world: CaseWorld) -> Relay:
    return Relay(world.database, world.dispatcher, world.clock, budget=timedelta(seconds=20))


def _open_rows(world: CaseWorld) -> int:
    with world.database.read() as session:
        return session.exec(
            select(func.count()).select_from(OutboxEntry).where(col(OutboxEntry.done_at).is_(None))
        ).one()


async def test_a_start_that_was_never_sent_arrives(world: CaseWorld, clock) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)  # and the process dies before it starts the workflow
    clock.advance(seconds=5)
    await _relay(world).run_once(world.clock())
    await world.task(token, TaskType.DOCUMENTS)
    assert _open_rows(world) == 0


async def test_decisions_taken_while_no_worker_runs_are_all_applied(
    sqlite_database, vault, clock, temporal_server
) -> None:
    """R14: twenty acknowledged, twenty counted."""
    async with case_world(sqlite_database, vault, clock, temporal_server) as world:
        team = lives.hire_team(world)
        tokens = [world.apply(by=team.officer) for _ in range(20)]
        for token in tokens:
            await world.start(token)
        tasks = [await world.task(token, TaskType.DOCUMENTS) for token in tokens]
        world.tokens = []  # they live on in Temporal while the workers are away
    for task in tasks:
        world.take(task, team.officer, Outcome.ACCEPT)
    assert _open_rows(world) == 20
    async with case_world(sqlite_database, vault, clock, temporal_server, resume=True) as again:
        again.tokens = tokens
        clock.advance(seconds=60)
        await _relay(again).run_once(again.clock())
        for token in tokens:
            await again.task(token, TaskType.ASSESSMENT)
        assert _open_rows(again) == 0
        applied = [row.state for token in tokens for row in again.rows(Task, token) if row.task_no == 1]
        assert applied == [TaskState.DONE] * 20


async def test_a_decision_for_a_workflow_that_is_gone_goes_back_with_the_reason(world: CaseWorld, clock) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    task = await world.task(token, TaskType.DOCUMENTS)
    await world.handle(token).terminate("operator")
    decision_id = world.take(task, team.officer, Outcome.ACCEPT)
    clock.advance(seconds=5)
    await _relay(world).run_once(world.clock())
    assert (world.decision(decision_id).state, world.decision(decision_id).refusal) == ("REFUSED", "workflow-gone")
    (row,) = world.rows(Task, token)
    assert (row.state, row.return_reason) == (TaskState.READY, "workflow-gone")
    with world.database.read() as session:
        assert session.exec(select(AuditEvent.id).where(col(AuditEvent.action) == "decision.refused")).one()


async def test_a_decision_before_its_start_waits_for_it(world: CaseWorld, clock) -> None:
    """No such workflow, but its start is still on the way: that is no reason to refuse."""
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    withdrawn = await world.withdraw(token)
    assert withdrawn.fate == "gone"
    clock.advance(seconds=5)
    relay = _relay(world)
    await relay.run_once(world.clock())
    await world.until(lambda session: session.exec(select(Task).where(col(Task.case_token) == token)).first())
    clock.advance(seconds=60)
    await relay.run_once(world.clock())
    assert (await world.ended(token)).outcome == "withdrawn"


async def test_a_repeated_relay_changes_nothing(world: CaseWorld, clock) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
    await world.task(token, TaskType.ASSESSMENT)
    clock.advance(seconds=60)
    assert await _relay(world).run_once(world.clock()) == 0
