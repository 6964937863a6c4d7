"""The later stages of a transfer job: consent first, notices, waves that stop, rollbacks, and runs that follow runs."""

import asyncio

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from models.contracts.transfer_job import JobRead
from models.contracts.transfers import NoticesLeft
from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import WaveState
from tests.support.breakage import Breakage
from tests.support.temporal import TemporalServer
from tests.support.transfer_fakes import BUYER, SELLER, FakeRollback, FakeWave, World
from tests.support.transfer_office import fake_office, until
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.job import TransferJob
from workflows.transfers.wave import MoveWave

pytestmark = pytest.mark.temporal
_READ = JobRead(
    sides=("source", "target"),
    abroad=True,
    claims=True,
    consent_first=False,
    tells=True,
    receipt_wait_s=0,
    waves_at_once=20,
)
# -- notices -----------------------------------------------------------------------------------------------------------


async def test_consent_comes_before_anything_moves(temporal_server: TemporalServer) -> None:
    read = JobRead(**{name: getattr(_READ, name) for name in _READ.__slots__} | {"consent_first": True})
    world = World(read=read, left=[NoticesLeft(left=2, due_in_s=1), NoticesLeft(left=0)])
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.close()
        await office.end()
        order = [stage for stage in world.stages if stage in ("notifying-first", "updating", "notifying")]
        assert order == ["notifying-first", "updating", "notifying"]
        assert [key for key in world.gates if key.startswith("transfers.notify")] == ["transfers.notify/1"]


async def test_the_public_notice_is_published_last_and_once(temporal_server: TemporalServer) -> None:
    world = World(left=[NoticesLeft(left=3, due_in_s=1), NoticesLeft(left=1)])
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert world.published == 1


# -- waves -------------------------------------------------------------------------------------------------------------


async def test_no_more_than_twenty_waves_at_once(temporal_server: TemporalServer) -> None:
    world = World(waves={number: FakeWave(2) for number in range(1, 24)})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert world.most_moving <= 20
        assert all(wave.moved == {"1/", "1/1"} for wave in world.waves.values())
        assert all(wave.begun == 1 for wave in world.waves.values())


async def test_a_spent_budget_waits_for_a_person_and_the_wave_goes_on(temporal_server: TemporalServer) -> None:
    world = World(wave_stops={2: ["error-budget"]})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.task(TaskType.TRANSFER_WAVE_STOPPED)
        assert (world.tasks[-1].incident_choice, world.tasks[-1].incident_code) == ("2", "error-budget")
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert world.waves[2].begun == 1


async def test_a_wave_is_undone_and_run_again(temporal_server: TemporalServer) -> None:
    world = World(wave_stops={2: ["error-budget"]})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_WAVE)
        await until(lambda: not (world.waves[2].state is not WaveState.UNDONE))
        wave_stopped = TaskType.TRANSFER_WAVE_STOPPED
        assert await office.refused(wave_stopped, Outcome.UNDO_WAVE, person=BUYER) == "blocked-by-rule"
        await office.decide(wave_stopped, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert (world.undone, world.waves[2].attempt, world.waves[2].moved) == ([(2, 1)], 2, {"2/"})
        assert _rounds(world, Gate.TRANSFER_UPDATE) == ["1"], "the job never left the update"


async def test_the_job_is_rolled_back_last_change_first(temporal_server: TemporalServer) -> None:
    world = World(wave_stops={2: ["error-budget"]})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_JOB)
        assert (await office.end())["outcome"] == "rolled-back"
        assert world.undone == [(2, 1), (1, 1)]
        assert not world.moved


async def test_a_wave_on_its_way_makes_way_for_the_rollback_of_the_job(temporal_server: TemporalServer) -> None:
    world = World(waves={1: FakeWave(1), 2: FakeWave(10_000)})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await until(lambda: not (len(world.waves[2].moved) < 3))
        world.rollbacks.append(FakeRollback(id="trb_1", wave=0))
        await office.nudge()
        await office.decide(TaskType.TRANSFER_ROLLBACK, Outcome.CONFIRM)
        assert (await office.end())["outcome"] == "rolled-back"
        assert world.waves[2].code == "held-for-rollback"
        assert not world.moved


async def test_a_rollback_takes_a_second_person_and_may_be_refused(temporal_server: TemporalServer) -> None:
    world = World(lacks=[("notices-open",)])
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.task(TaskType.TRANSFER_CLOSE)
        world.rollbacks.append(FakeRollback(id="trb_1", wave=2))
        await office.nudge()
        await office.decide(TaskType.TRANSFER_ROLLBACK, Outcome.REJECT)
        await office.task(TaskType.TRANSFER_CLOSE)
        assert world.undone == []
        world.rollbacks.append(FakeRollback(id="trb_2", wave=2))
        await office.nudge()
        await office.decide(TaskType.TRANSFER_ROLLBACK, Outcome.CONFIRM)
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert (world.undone, world.waves[2].attempt) == ([(2, 1)], 2)
        assert _rounds(world, Gate.TRANSFER_UPDATE) == ["1", "2"], "it came back to the update from its close"


async def test_a_root_that_differs_after_a_rollback_is_an_incident(temporal_server: TemporalServer) -> None:
    world = World(wave_stops={1: ["error-budget"]}, waves={1: FakeWave(1)}, roots_equal=[False, True])
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_JOB)
        await office.task(TaskType.INCIDENT)
        assert world.tasks[-1].incident_code == "root-differs"
        await office.decide(TaskType.INCIDENT, Outcome.RETRY, person=SELLER)
        await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=BUYER)
        assert (await office.end())["outcome"] == "rolled-back"


def _rounds(world: World, gate: Gate) -> list[str]:
    """How often a gate was asked."""
    return [key.rpartition("/")[2] for key in world.gates if key.startswith(f"{gate}/")]


# -- runs --------------------------------------------------------------------------------------------------------------


async def test_a_long_job_goes_on_as_a_new_run_where_it_stood(temporal_server: TemporalServer) -> None:
    world = World(parts={"collect": 12, "verify_rows": 12}, wave_stops={2: ["error-budget"]})
    async with fake_office(temporal_server, world) as office:
        await office.start(events_per_run=60)
        await office.go()
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_WAVE)
        await until(lambda: not (world.waves[2].state is not WaveState.UNDONE))
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert len(world.runs) > 3
        assert _rounds(world, Gate.TRANSFER_UPDATE) == ["1"]
        assert len([key for key in world.rows if key.startswith(("collect", "verify"))]) == 24


@pytest.mark.long  # a step whose worker is gone is given to another after its heartbeat, a minute
async def test_workers_that_die_leave_the_job_where_it_stood(temporal_server: TemporalServer) -> None:
    world = World(parts={"collect": 3}, waves={1: FakeWave(3), 2: FakeWave(3)})
    plan = Breakage(hold="transfers.collect")
    async with fake_office(temporal_server, world, plan, last=False) as first:
        await first.start()
        await first.prepare()
        await plan.held.wait()
        asyncio.get_running_loop().call_later(0.3, plan.release.set)
    plan = Breakage(hold="transfers.move_rows")
    async with fake_office(temporal_server, world, plan, before=first, last=False) as second:
        await second.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await plan.held.wait()
        asyncio.get_running_loop().call_later(0.3, plan.release.set)
    async with fake_office(temporal_server, world, before=first) as third:
        await third.task(TaskType.TRANSFER_CLOSE, within_s=100)
        await third.close()
        assert (await third.end())["outcome"] == "completed"
    assert [wave.moved for wave in world.waves.values()] == [{"1/", "1/1", "1/2"}] * 2
    assert len([key for key in world.rows if key.startswith("collect")]) == 3


async def test_what_a_job_and_its_waves_did_replays(temporal_server: TemporalServer) -> None:
    world = World(wave_stops={2: ["error-budget"]}, left=[NoticesLeft(left=1)], parts={"collect": 3})
    world.blocks[Gate.TRANSFER_BACKUP] = 1
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        await office.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_WAVE)
        await until(lambda: world.waves[2].state is WaveState.UNDONE)
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        ids = (transfer_workflow_id(office.job), *(wave_workflow_id(office.job, number) for number in world.waves))
        replayer = Replayer(
            workflows=[TransferJob, MoveWave],
            data_converter=pydantic_data_converter,
            workflow_runner=STRICT_RUNNER,
        )
        for workflow_id in ids:
            await replayer.replay_workflow(await office.client.get_workflow_handle(workflow_id).fetch_history())


async def test_a_wave_outlives_a_run_of_its_job(temporal_server: TemporalServer) -> None:
    world = World(waves={1: FakeWave(40)})
    async with fake_office(temporal_server, world) as office:
        await office.start(events_per_run=30)
        await office.go()
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert len(world.runs) > 1
        assert world.waves[1].begun == 1
