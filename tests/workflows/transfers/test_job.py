"""A transfer job: its steps are known, can break, repeat and lose their answers; gates, people and waves hold it."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.contracts.transfer_job import JobRead
from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import JobStage, WaveState
from tests.support.breakage import Breakage
from tests.support.temporal import TemporalServer
from tests.support.transfer_fakes import BUYER, MAKER, SELLER, FakeWave, World
from tests.support.transfer_office import fake_office, until

pytestmark = pytest.mark.temporal

STEPS = [
    "platform.register_run",
    "transfers.wanted",
    "tasks.open_task",
    "transfers.apply_decision",
    "rules.evaluate_gate",
    "transfers.enter_stage",
    "transfers.read_job",
    "transfers.snapshot",
    "transfers.prove_backup",
    "transfers.collect",
    "transfers.verify_rows",
    "transfers.quality_report",
    "transfers.quarantined",
    "transfers.make_tokens",
    "transfers.match",
    "transfers.unreviewed",
    "transfers.plan_waves",
    "transfers.waves_standing",
    "transfers.begin_wave",
    "transfers.move_rows",
    "transfers.end_wave",
    "transfers.reconcile",
    "transfers.hand_downstream",
    "transfers.plan_notices",
    "transfers.send_notices",
    "transfers.notices_left",
    "transfers.follow_ups_open",
    "transfers.write_report",
    "transfers.may_close",
    "transfers.destroy_linkage",
    "transfers.end_job",
]
# Steps on the queue of bulk work that are the job's own: refused for good, each becomes an incident.
BULK = [
    step
    for step in STEPS[7:30]
    if step not in ("transfers.waves_standing", "transfers.begin_wave", "transfers.move_rows", "transfers.end_wave")
]
PATH = [
    stage.value for stage in JobStage if stage not in (JobStage.CLASSIFYING, JobStage.NOTIFYING_FIRST, JobStage.ENDED)
]


def _completed(world: World) -> None:
    assert world.ended is not None
    assert world.ended.outcome == "completed"
    assert world.linkage_destroyed
    assert [wave.state for wave in world.waves.values()] == [WaveState.MOVED] * len(world.waves)
    assert [wave.moved for wave in world.waves.values()] == [{"1/", "1/1"}, {"1/"}]
    assert world.stages == PATH


async def _through(world: World, server: TemporalServer, plan: Breakage) -> None:
    async with fake_office(server, world, plan) as office:
        await office.start()
        await office.go()
        await office.close()
        assert (await office.end())["outcome"] == "completed"


async def test_the_list_of_steps_is_complete(temporal_server: TemporalServer) -> None:
    world, plan = World(), Breakage()
    await _through(world, temporal_server, plan)
    assert sorted(plan.steps()) == sorted(STEPS)
    _completed(world)
    assert [task.task_type for task in world.tasks] == [
        "transfers.classification",
        "transfers.plan-approval",
        "transfers.plan-approval",
        "transfers.go-no-go",
        "transfers.close",
    ]
    assert [task.incident_choice for task in world.tasks[1:3]] == ["source", "target"]


async def test_every_step_twice_is_every_step_once(temporal_server: TemporalServer) -> None:
    world = World(parts={"collect": 3, "verify_rows": 2})
    await _through(world, temporal_server, Breakage(repeat=True))
    assert world.ended is not None
    assert len(world.decided) == 5
    assert world.stages == PATH


async def test_a_step_whose_answer_is_lost_is_done_once(temporal_server: TemporalServer) -> None:
    world, plan = World(parts={"collect": 3}), Breakage(lose_answer_of=STEPS)
    await _through(world, temporal_server, plan)
    assert plan.failed == dict.fromkeys(STEPS, 1)
    assert world.ended is not None
    assert world.ended.outcome == "completed"
    assert sorted(key for key in world.rows if key.startswith("collect")) == [
        "collect///",
        "collect///1",
        "collect///2",
    ]


async def test_every_broken_step_is_an_incident_for_two_and_goes_on(temporal_server: TemporalServer) -> None:
    world, plan = World(), Breakage(fail_at=BULK, fail_times=1)
    async with fake_office(temporal_server, world, plan) as office:
        await office.start()
        answering = asyncio.create_task(_answer_all(office))
        for _ in BULK:
            incident = await office.task(TaskType.INCIDENT)
            assert incident.blocked[0].rule_id == "step-not-mendable"
            await office.decide(TaskType.INCIDENT, Outcome.RETRY, person=SELLER)
            await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=BUYER)
        await answering
        assert (await office.end())["outcome"] == "completed"
        incidents = [task.incident_step for task in world.tasks if task.task_type == TaskType.INCIDENT]
        assert sorted(incidents) == sorted(BULK)
    _completed(world)


async def _answer_all(office) -> None:
    await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
    await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER)
    await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)
    await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
    await office.close()


@pytest.mark.parametrize("step", ["transfers.begin_wave", "transfers.move_rows", "transfers.end_wave"])
async def test_a_broken_step_of_a_wave_stops_the_wave_alone(temporal_server: TemporalServer, step: str) -> None:
    world, plan = World(waves={1: FakeWave(2)}), Breakage(fail_at=step, fail_times=1)
    async with fake_office(temporal_server, world, plan) as office:
        await office.start()
        await office.go()
        await office.task(TaskType.TRANSFER_WAVE_STOPPED)
        assert world.tasks[-1].incident_code == "InjectedFailure"
        await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
        assert world.waves[1].moved == {"1/", "1/1"}


async def test_incidents_may_end_the_job_before_anything_has_moved(temporal_server: TemporalServer) -> None:
    world = World()
    async with fake_office(temporal_server, world, Breakage(fail_at="transfers.collect")) as office:
        await office.start()
        await office.prepare()
        await office.decide(TaskType.INCIDENT, Outcome.GIVE_UP, person=SELLER)
        await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=BUYER)
        assert await office.end() == {
            "job": office.job,
            "outcome": "cancelled",
            "reason_code": "incident-given-up",
        }


async def test_once_rows_have_moved_nobody_gives_up(temporal_server: TemporalServer) -> None:
    world = World()
    async with fake_office(temporal_server, world, Breakage(fail_at="transfers.reconcile", fail_times=1)) as office:
        await office.start()
        await office.go()
        assert await office.refused(TaskType.INCIDENT, Outcome.GIVE_UP) == "blocked-by-rule"
        await office.decide(TaskType.INCIDENT, Outcome.RETRY, person=SELLER)
        await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=BUYER)
        await office.close()
        await office.end()


async def test_a_proof_that_fails_is_an_incident_and_the_step_begins_anew(temporal_server: TemporalServer) -> None:
    world = World(stops={"prove_backup": ["chunk-swapped"]})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        await office.task(TaskType.INCIDENT)
        assert (world.tasks[-1].incident_step, world.tasks[-1].incident_code) == (
            "transfers.prove_backup",
            "chunk-swapped",
        )
        await office.decide(TaskType.INCIDENT, Outcome.RETRY, person=SELLER)
        await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=BUYER)
        await office.task(TaskType.TRANSFER_GO_NO_GO)


# -- gates -------------------------------------------------------------------------------------------------------------

_READ = JobRead(
    sides=("source", "target"),
    abroad=True,
    claims=True,
    consent_first=False,
    tells=True,
    receipt_wait_s=0,
    waves_at_once=20,
)
GATES = {
    Gate.TRANSFER_CLASSIFY: "planning",
    Gate.TRANSFER_PLAN: "approving",
    Gate.TRANSFER_CROSS_BORDER: "approving",
    Gate.TRANSFER_BACKUP: "collecting",
    Gate.TRANSFER_UPDATE: "notifying",
    Gate.TRANSFER_CLAIMS: "notifying",
    Gate.TRANSFER_NOTIFY: "following-up",
    Gate.TRANSFER_AFTER_CUT_OVER: "auditing",
    Gate.TRANSFER_AUDIT: "closing",
}


async def test_every_gate_holds_the_job_until_it_opens(temporal_server: TemporalServer) -> None:
    world = World(read=_READ, waves={})
    world.blocks.update({gate.value: 2 for gate in GATES})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        answering = asyncio.create_task(_answer_all(office))
        for gate in (each for each in GATES for _ in range(2)):
            task = await office.task(TaskType.TRANSFER_GATE)
            assert [(each.outcome, each.rule_id) for each in task.blocked] == [("accept", "PIPL-8")]
            assert world.tasks[-1].incident_step == gate
            assert GATES[gate] not in world.stages
            await office.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await answering
        assert (await office.end())["outcome"] == "completed"
        assert world.gates == [f"{gate.value}/{round_}" for gate in GATES for round_ in (1, 2, 3)]


async def test_a_gate_that_nobody_can_open_ends_the_job(temporal_server: TemporalServer) -> None:
    world = World()
    world.blocks[Gate.TRANSFER_CLASSIFY] = 9
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        await office.decide(TaskType.TRANSFER_GATE, Outcome.GIVE_UP)
        assert (await office.end())["reason_code"] == "barred-by-rule"


async def test_neither_the_law_of_export_nor_of_claims_is_asked_where_it_is_not_concerned(
    temporal_server: TemporalServer,
) -> None:
    world = World()
    await _through(world, temporal_server, Breakage())
    asked = {key.partition("/")[0] for key in world.gates}
    assert asked == {gate.value for gate in GATES} - {"transfers.cross-border", "transfers.claims"}


# -- people ------------------------------------------------------------------------------------------------------------


async def test_both_companies_approve_and_neither_the_maker_nor_one_person_twice(
    temporal_server: TemporalServer,
) -> None:
    world = World()
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        approval = TaskType.TRANSFER_PLAN_APPROVAL
        assert await office.refused(approval, Outcome.APPROVE, person=MAKER) == "four-eyes-violation"
        await office.decide(approval, Outcome.APPROVE, person=SELLER)
        await until(lambda: not (len(world.tasks) < 3))
        assert await office.refused(approval, Outcome.APPROVE, person=SELLER) == "four-eyes-violation"
        await office.decide(approval, Outcome.APPROVE, person=BUYER)
        await office.task(TaskType.TRANSFER_GO_NO_GO)


async def test_a_returned_plan_is_mended_and_approved_anew_by_both(temporal_server: TemporalServer) -> None:
    world = World()
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        approval = TaskType.TRANSFER_PLAN_APPROVAL
        await office.decide(approval, Outcome.APPROVE, person=SELLER)
        await until(lambda: not (len(world.tasks) < 3))
        await office.decide(approval, Outcome.RETURN, person=BUYER, reason_code="plan-incomplete")
        await office.task(TaskType.TRANSFER_GATE)
        assert world.tasks[-1].return_reason == "plan-incomplete"
        await office.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
        await office.task(approval)
        assert [task.incident_choice for task in world.tasks if task.task_type == approval] == [
            "source",
            "target",
            "source",
        ]


@pytest.mark.parametrize(
    ("task_type", "outcome", "ended"),
    [
        (TaskType.TRANSFER_CLASSIFICATION, Outcome.REJECT, "refused"),
        (TaskType.TRANSFER_PLAN_APPROVAL, Outcome.REJECT, "refused"),
        (TaskType.TRANSFER_GO_NO_GO, Outcome.REJECT, "cancelled"),
    ],
)
async def test_a_no_ends_the_job(
    temporal_server: TemporalServer, task_type: TaskType, outcome: Outcome, ended: str
) -> None:
    async with fake_office(temporal_server, World()) as office:
        await office.start()
        if task_type is not TaskType.TRANSFER_CLASSIFICATION:
            await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
        if task_type is TaskType.TRANSFER_GO_NO_GO:
            await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER)
            await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)
        await office.decide(task_type, outcome, reason_code="not-wanted")
        assert (await office.end())["outcome"] == ended


async def test_no_go_sends_the_job_back_to_verification(temporal_server: TemporalServer) -> None:
    world = World()
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.RETURN, reason_code="figures-unclear")
        await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await office.close()
        assert (await office.end())["outcome"] == "completed"


async def test_a_decision_on_other_figures_is_refused(temporal_server: TemporalServer) -> None:
    async with fake_office(temporal_server, World()) as office:
        await office.start()
        await office.prepare()
        task = await office.task(TaskType.TRANSFER_GO_NO_GO)
        given = {"decision_id": "d", "task_no": task.task_no, "outcome": "approve", "person_id": "p", "shown_hash": "x"}
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await office.handle().execute_update("decide", given, id="d")
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "shown-changed"


async def test_record_tasks_hold_the_job_and_a_nudge_lets_it_go(temporal_server: TemporalServer) -> None:
    world = World(open_records={"quarantined": [3], "unreviewed": [1], "follow_ups_open": [2]})
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        for name, stage in (("quarantined", "go-no-go"), ("unreviewed", "go-no-go")):
            await asyncio.sleep(0.3)
            assert stage not in world.stages
            world.open_records[name] = []
            await office.nudge()
        await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
        await until(lambda: not ("following-up" not in world.stages))
        world.open_records["follow_ups_open"] = []
        await office.nudge()
        await office.close()
        await office.end()


async def test_people_pause_the_job_and_have_it_go_on(temporal_server: TemporalServer) -> None:
    world, plan = World(parts={"collect": 4}), Breakage(hold="transfers.collect")
    async with fake_office(temporal_server, world, plan) as office:
        await office.start()
        await office.prepare()
        await plan.held.wait()
        world.paused = True
        plan.release.set()
        await asyncio.sleep(0.5)
        assert "verifying" not in world.stages
        world.paused = False
        await office.nudge()
        await office.task(TaskType.TRANSFER_GO_NO_GO)
        assert len([key for key in world.rows if key.startswith("collect")]) == 4


async def test_people_cancel_it_while_a_task_is_open(temporal_server: TemporalServer) -> None:
    world = World()
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.prepare()
        await office.task(TaskType.TRANSFER_GO_NO_GO)
        world.cancelled = True
        await office.nudge()
        assert (await office.end())["outcome"] == "cancelled"


async def test_what_moved_is_not_cancelled(temporal_server: TemporalServer) -> None:
    world = World(lacks=[("notices-open",)])
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.go()
        await office.task(TaskType.TRANSFER_CLOSE)
        world.cancelled = True
        await office.nudge()
        assert await office.refused(TaskType.TRANSFER_CLOSE, Outcome.CONFIRM) == "blocked-by-rule"
        await office.decide(TaskType.TRANSFER_CLOSE, Outcome.RETRY)
        await office.close()
        assert (await office.end())["outcome"] == "completed"


async def test_an_operator_who_cancels_in_temporal_leaves_no_task_behind(temporal_server: TemporalServer) -> None:
    world = World()
    async with fake_office(temporal_server, world) as office:
        await office.start()
        await office.task(TaskType.TRANSFER_CLASSIFICATION)
        await office.handle().cancel()
        await until(lambda: world.ended is not None)
        assert world.ended.reason_code == "cancelled-by-operator"
