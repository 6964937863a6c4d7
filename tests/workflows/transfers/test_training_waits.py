"""A job whose sponsor has not passed the course waits, says who must pass it, and goes on when that is recorded."""

from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.states import OPEN_TASK_STATES, Outcome, TaskType
from models.domain.transfers.states import JobStage
from models.tables.staff import Staff
from models.tables.tasks import Task
from models.tables.transfer_grants import TransferGrant
from models.texts.render import LOCALES, render
from tests.support.temporal import TemporalServer
from tests.support.transfer_desk import transfer_desk
from tests.support.transfer_fakes import FakeWave, World
from tests.support.transfer_jobs import TARGET
from tests.support.transfer_office import fake_office, until

pytestmark = pytest.mark.temporal


@pytest.mark.parametrize(
    ("step", "held_in"),
    [
        ("transfers.snapshot", JobStage.BACKING_UP),
        ("transfers.collect", JobStage.COLLECTING),
        ("transfers.quality_report", JobStage.VERIFYING),
        ("transfers.match", JobStage.VERIFYING),
        ("transfers.send_notices", JobStage.NOTIFYING),
        ("transfers.write_report", JobStage.AUDITING),
    ],
)
async def test_a_step_waits_for_the_course_and_goes_on_by_itself(
    temporal_server: TemporalServer, step: str, held_in: JobStage
) -> None:
    world = World(grant_ends_at=step)
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        if held_in in (JobStage.NOTIFYING, JobStage.AUDITING):
            await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await office.task(TaskType.TRANSFER_TRAINING)
        asked = world.tasks[-1]
        assert (asked.incident_step, asked.blocked) == (step, ())
        assert world.stages[-1] == held_in
        world.trained = True
        await office.nudge()
        await until(lambda: asked.task_no in world.cancelled_tasks)
        if held_in not in (JobStage.NOTIFYING, JobStage.AUDITING):
            await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert TaskType.INCIDENT not in {task.task_type for task in world.tasks}


async def test_whoever_looks_again_before_the_grant_is_there_is_asked_again(temporal_server: TemporalServer) -> None:
    world = World(trained=False)
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        await office.decide(TaskType.TRANSFER_TRAINING, Outcome.RETRY)
        await until(lambda: [task.task_type for task in world.tasks].count(TaskType.TRANSFER_TRAINING) == 2)
        world.trained = True
        await office.decide(TaskType.TRANSFER_TRAINING, Outcome.RETRY)
        await office.task(TaskType.TRANSFER_GO_NO_GO)


async def test_a_job_that_waits_for_the_course_can_be_cancelled(temporal_server: TemporalServer) -> None:
    world = World(trained=False)
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        await office.task(TaskType.TRANSFER_TRAINING)
        world.cancelled = True
        await office.nudge()
        assert (await office.end())["outcome"] == "cancelled"


async def test_a_wave_rests_without_the_course_and_moves_on_without_anybodys_decision(
    temporal_server: TemporalServer,
) -> None:
    world = World(waves={1: FakeWave(3)}, grant_ends_at="transfers.move_rows")
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.task(TaskType.TRANSFER_TRAINING)
        assert world.waves[1].code is None, "it rests; it has not stopped"
        world.trained = True
        await office.nudge()
        await office.client.get_workflow_handle(wave_workflow_id(office.job, 1)).signal("nudged")
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert world.waves[1].moved == {"1/", "1/1", "1/2"}
        assert TaskType.TRANSFER_WAVE_STOPPED not in {task.task_type for task in world.tasks}


@pytest.mark.parametrize("lack", ["none", "expired"])
async def test_the_task_says_who_must_pass_the_course_and_why(
    sqlite_database, temporal_server: TemporalServer, clock, lack: str
) -> None:
    world = World(trained=False)  # the steps; the job's own records say the same
    async with transfer_desk(sqlite_database, temporal_server, clock, world) as desk:
        with sqlite_database.write() as session:
            of_job = col(TransferGrant.job) == desk.job
            grant = session.exec(select(TransferGrant).where(of_job)).one()
            sponsor = session.get_one(Staff, grant.staff_id).login
            if lack == "none":
                session.delete(grant)
            else:
                session.exec(update(TransferGrant).where(of_job).values(valid_until=clock() - timedelta(days=1)))
            opener = session.get_one(Staff, desk.row().created_by).login
        await desk.up_to_go()
        task = await desk.task(TaskType.TRANSFER_TRAINING)
        who = sponsor if lack == "expired" else opener
        assert (task.tenant, task.candidate_role) == (TARGET, "privacy-officer")
        told = task.shown["training"]
        assert (told["who"], told["because"], told["grants"]) == (who, lack, f"/v1/transfers/{desk.job}/grants")
        assert task.shown["step"] == "transfers.snapshot"
        for locale in LOCALES:
            assert who in render("task.transfers.training.title", task.title_params, locale)
        with sqlite_database.write() as session:
            values = grant.model_dump() | {"id": "tgr_new", "valid_until": clock() + timedelta(days=30)}
            session.add(TransferGrant(**values))
        world.trained = True
        await desk.dispatcher.nudge(transfer_workflow_id(desk.job))
        await desk.task(TaskType.TRANSFER_GO_NO_GO)
        with sqlite_database.read() as session:
            left = session.exec(select(Task.state).where(col(Task.id) == task.id)).one()
        assert left not in OPEN_TASK_STATES
