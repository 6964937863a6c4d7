"""A batch's run: its steps are known, can break, repeat and lose their answers; gates, people and breakers hold it."""

import asyncio

import pytest

from models.contracts.batch_steps import ChunkDone, Reconciled, RecordsLeft, RepliesTaken, RulesBound, RunClosable
from models.domain.batches.kinds import KINDS, KindName, Origin
from models.domain.batches.states import RunStage
from models.domain.states import Gate, Outcome, TaskType
from tests.support.batch_fakes import CHECKER, MAKER, THIRD, World, read_of
from tests.support.batch_office import BatchOffice, batch_office
from tests.support.breakage import Breakage
from tests.support.temporal import TemporalServer
from tests.support.transfer_office import until

pytestmark = pytest.mark.temporal

OWN = [
    "platform.register_run",
    "batches.wanted",
    "batches.read_run",
    "batches.enter_stage",
    "tasks.open_task",
    "batches.apply_decision",
    "rules.evaluate_gate",
    "batches.end_run",
]
# Refused for good, each becomes an incident.
BULK = [
    "batches.read_rows",
    "batches.validate_rows",
    "batches.quality_report",
    "batches.quarantined",
    "batches.choose_members",
    "batches.freeze_cohort",
    "batches.bind_rules",
    "batches.rehearse",
    "batches.sum_rehearsal",
    "batches.plan_chunks",
    "batches.execute_chunk",
    "batches.send_files",
    "batches.take_replies",
    "batches.make_retries",
    "batches.settle_orders",
    "batches.compare_live",
    "batches.reconcile",
    "batches.write_report",
    "batches.may_close",
    "batches.release_run",
]
GATE = "rules.evaluate_gate"
PATH = [stage.value for stage in KINDS[KindName.AUTO_DEBIT].stages[1:]]


def _world(**keywords: object) -> World:
    """With one round of retries, so that every step is seen."""
    waits = [RepliesTaken(open_orders=2, retries=1, due_in_s=1)]
    return World(answers={"take_replies": waits}, **keywords)  # type: ignore[arg-type]


async def _through(office: BatchOffice) -> None:
    await office.start()
    await office.approve()
    await office.close()
    assert (await office.end())["outcome"] == "completed"


async def test_the_list_of_steps_is_complete(temporal_server: TemporalServer) -> None:
    world, plan = _world(), Breakage()
    async with batch_office(temporal_server, world, plan) as office:
        await _through(office)
    assert sorted(plan.steps()) == sorted(OWN + BULK)
    assert world.stages == PATH
    assert [task.task_type for task in world.tasks] == [TaskType.BATCH_APPROVAL, TaskType.BATCH_CLOSE]
    assert world.gates == [
        f"{gate}/1" for gate in (Gate.BATCH_COHORT, Gate.BATCH_RULE_SET, Gate.BATCH_EXPORT, Gate.BATCH_AFTER_RUN)
    ]


async def test_every_step_twice_is_every_step_once(temporal_server: TemporalServer) -> None:
    world = _world(parts={"read_rows": 3, "rehearse": 2})
    async with batch_office(temporal_server, world, Breakage(repeat=True)) as office:
        await _through(office)
    assert world.stages == PATH
    assert world.executed == {1, 2, 3, 4, 5}
    assert set(world.effects.values()) == {1}


async def test_a_step_whose_answer_is_lost_is_done_once(temporal_server: TemporalServer) -> None:
    waits = [RepliesTaken(open_orders=2, retries=1, due_in_s=1)] * 2  # the first of them is lost
    world, plan = World(answers={"take_replies": waits}), Breakage(lose_answer_of=OWN + BULK)
    async with batch_office(temporal_server, world, plan) as office:
        await _through(office)
    assert set(plan.failed) == set(OWN + BULK)
    assert world.stages == PATH
    assert set(world.effects.values()) == {1}


async def test_every_broken_step_is_an_incident_for_two_and_goes_on(temporal_server: TemporalServer) -> None:
    world = _world(chunks=1)
    broken = [*BULK, GATE]
    async with batch_office(temporal_server, world, Breakage(fail_at=broken, fail_times=1)) as office:
        await office.start()
        answering = asyncio.create_task(_answer(office))
        for _ in broken:
            await office.task(TaskType.INCIDENT)
            await office.decide(TaskType.INCIDENT, Outcome.RETRY)
            await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=THIRD)
        await answering
        assert (await office.end())["outcome"] == "completed"
    incidents = [task.incident_step for task in world.tasks if task.task_type == TaskType.INCIDENT]
    assert sorted(filter(None, incidents)) == sorted(broken)


async def test_a_short_step_refused_for_good_is_tried_again_and_asks_nobody(temporal_server: TemporalServer) -> None:
    """Records that refuse are a defect and no outage: the run rests, tries again, and ends as it would have."""
    others = {"batches.apply_decision", GATE}  # refuses the decision itself; an incident, as a bulk step is
    own = [step for step in OWN if step not in others]
    world, plan = _world(chunks=1), Breakage(fail_at=own, fail_times=1)
    async with batch_office(temporal_server, world, plan) as office:
        await _through(office)
    assert set(plan.failed) == set(own)
    assert world.stages == PATH
    assert not [task for task in world.tasks if task.task_type == TaskType.INCIDENT]


async def _answer(office: BatchOffice) -> None:
    await office.approve()
    await office.close()


async def test_a_long_run_goes_on_as_a_new_one(temporal_server: TemporalServer) -> None:
    world = World(chunks=40)
    async with batch_office(temporal_server, world) as office:
        await office.start(events_per_run=60)
        await office.approve()
        await office.close()
        assert (await office.end())["outcome"] == "completed"
    assert world.executed == set(range(1, 41))
    assert len(world.runs) > 3


@pytest.mark.parametrize("kind", [KindName.PAYROLL, KindName.INTAKE])
async def test_a_kind_is_data(temporal_server: TemporalServer, kind: KindName) -> None:
    world = World(read=read_of(kind))
    async with batch_office(temporal_server, world) as office:
        await _through(office)
    assert world.stages == [stage.value for stage in KINDS[kind].stages[1:]]


async def test_the_run_of_a_business_date_follows_its_orders_and_closes_by_itself(
    temporal_server: TemporalServer,
) -> None:
    world = World(read=read_of(KindName.AUTO_DEBIT, origin=Origin.DAILY, from_file=False))
    async with batch_office(temporal_server, world) as office:
        await office.start()
        assert (await office.end())["outcome"] == "completed"
    assert world.stages == ["awaiting", "reconciling", "reporting", "closing"]
    assert not world.tasks


# -- people ------------------------------------------------------------------------------------------------------------


async def test_the_maker_does_not_approve_and_a_returned_run_begins_anew(temporal_server: TemporalServer) -> None:
    world = World()
    async with batch_office(temporal_server, world) as office:
        await office.start()
        approval = TaskType.BATCH_APPROVAL
        assert await office.refused(approval, Outcome.APPROVE, person=MAKER) == "four-eyes-violation"
        await office.decide(approval, Outcome.RETURN, reason_code="cohort-wrong")
        await office.decide(TaskType.BATCH_GATE, Outcome.RETRY, person=MAKER)
        await office.decide(approval, Outcome.REJECT, reason_code="outside-policy")
        assert await office.end() == {"run": office.run, "outcome": "refused", "reason_code": "outside-policy"}
    assert not world.executed


async def test_gates_rules_and_quarantine_hold_the_run(temporal_server: TemporalServer) -> None:
    world = World()
    world.blocks.update({Gate.BATCH_COHORT: 1, Gate.BATCH_EXPORT: 1})
    world.answers = {"quarantined": [RecordsLeft(count=2)], "bind_rules": [RulesBound(version="", lacks=("none",))]}
    async with batch_office(temporal_server, world) as office:
        await office.start()
        for step in (Gate.BATCH_COHORT, Gate.BATCH_RULE_SET):
            await office.nudge()
            await office.task(TaskType.BATCH_GATE)
            assert world.tasks[-1].incident_step == step
            await office.decide(TaskType.BATCH_GATE, Outcome.RETRY, person=MAKER)
        await office.approve()
        assert await office.refused(TaskType.BATCH_GATE, Outcome.GIVE_UP) == "blocked-by-rule"
        await office.decide(TaskType.BATCH_GATE, Outcome.RETRY, person=MAKER)
        await office.close()
        await office.end()


async def test_a_breaker_asks_a_person_who_has_it_go_on(temporal_server: TemporalServer) -> None:
    world = World(chunks=9, answers={"execute_chunk": [ChunkDone(chunk=1, done=False, stopped="failure-rate")]})
    async with batch_office(temporal_server, world) as office:
        await office.start()
        await office.approve()
        await office.decide(TaskType.BATCH_BREAKER, Outcome.RUN_ON)
        await office.close()
        assert (await office.end())["outcome"] == "completed"
    assert world.executed == set(range(1, 10))
    assert set(world.effects.values()) == {1}


async def test_a_breaker_asks_a_person_who_stops_it(temporal_server: TemporalServer) -> None:
    world = World(answers={"take_replies": [RepliesTaken(open_orders=3, stopped="failure-rate")]})
    async with batch_office(temporal_server, world) as office:
        await office.start()
        await office.approve()
        await office.decide(TaskType.BATCH_BREAKER, Outcome.STOP, reason_code="error-rate")
        await office.close()
        assert (await office.end())["outcome"] == "cancelled"
    assert world.stages[-4:] == ["awaiting", "reconciling", "reporting", "closing"]
    assert world.effects["withdraw_orders/"] == 1


async def test_people_pause_and_resume_it(temporal_server: TemporalServer) -> None:
    world = World(chunks=6)
    plan = Breakage(hold="batches.execute_chunk")
    async with batch_office(temporal_server, world, plan) as office:
        await office.start()
        await office.approve()
        await plan.held.wait()
        world.paused = True
        plan.release.set()
        await office.nudge()
        world.paused = False
        await office.nudge()
        await office.close()
        await office.end()
    assert world.executed == set(range(1, 7))


@pytest.mark.parametrize("stage", [RunStage.APPROVING, RunStage.EXECUTING])
async def test_people_cancel_it_at_any_point(temporal_server: TemporalServer, stage: RunStage) -> None:
    world = World(chunks=30)
    if stage is RunStage.EXECUTING:
        world.during = lambda name: setattr(world, "cancelled", world.cancelled or len(world.executed) > 4)
    async with batch_office(temporal_server, world) as office:
        await office.start()
        if stage is RunStage.APPROVING:
            await office.task(TaskType.BATCH_APPROVAL)
            world.cancelled = True
            await office.nudge()
        else:
            await office.approve()
            await office.close()
        assert (await office.end())["outcome"] == "cancelled"
    assert bool(world.executed) == (stage is RunStage.EXECUTING)
    assert len(world.executed) < 30
    assert ("stopping" in world.stages) == (stage is RunStage.EXECUTING)


async def test_what_differs_is_an_incident_and_what_is_lacking_bars_the_close(temporal_server: TemporalServer) -> None:
    world = World(
        answers={
            "reconcile": [Reconciled(orders=3, settled_minor=1, differs=("file-sum",))],
            "may_close": [RunClosable(lacks=("suspense-open",))],
        }
    )
    async with batch_office(temporal_server, world) as office:
        await office.start()
        await office.approve()
        assert await office.refused(TaskType.INCIDENT, Outcome.GIVE_UP) == "blocked-by-rule"
        await office.decide(TaskType.INCIDENT, Outcome.RETRY, person=CHECKER)
        await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=THIRD)
        assert await office.refused(TaskType.BATCH_CLOSE, Outcome.CONFIRM) == "blocked-by-rule"
        await office.decide(TaskType.BATCH_CLOSE, Outcome.RETRY)
        await office.close()
        await office.end()


async def test_an_operator_who_cancels_in_temporal_leaves_no_task_behind(temporal_server: TemporalServer) -> None:
    world = World()
    async with batch_office(temporal_server, world) as office:
        await office.start()
        await office.task(TaskType.BATCH_APPROVAL)
        await office.handle().cancel()
        await until(lambda: world.ended is not None)
    assert world.ended is not None
    assert world.ended.reason_code == "cancelled-by-operator"
