"""Every step of the case is known, can break, repeat, and lose its answer; nothing is lost and nothing doubles."""

import asyncio

import pytest
from sqlmodel import col, select
from temporalio.worker import Interceptor

from models.domain.states import CaseStage, Outcome, TaskState, TaskType
from models.tables.agreements import Agreement, AgreementEvent, AgreementText, LedgerEntry, PlanOffer, Signature
from models.tables.core import CardBalance, CoreOrder
from models.tables.installments import AffordabilityAssessment, BureauReport, Proposal, RuleVerdict
from models.tables.tasks import Decision, Task
from tests.support.breakage import Breakage
from tests.support.casework import CaseWorld, case_world
from tests.workflows.installments import lives

# In the order in which a life comes to them first.
STEPS = [
    "platform.register_run",
    "tasks.open_task",
    "installments.apply_decision",
    "rules.evaluate_gate",
    "core.read_balances",
    "installments.query_bureau",
    "installments.assess_affordability",
    "installments.prepare_offers",
    "installments.prepare_agreement",
    "installments.invite",
    "installments.seal_agreement",
    "core.block_card",
    "core.recall_collection",
    "installments.activate",
    "platform.record_stage",
    "tasks.cancel_task",
    "installments.close_agreement",
    "core.release_card",
    "installments.close_letter",
]
BREACH = ["installments.break_agreement", "core.resume_collection"]
# Refused for good, these become an incident that two persons mend; the others are the ground the case stands on.
GROUND = ["platform.register_run", "tasks.open_task", "platform.record_stage", "tasks.cancel_task"]
INCIDENTAL = [step for step in STEPS if step not in (*GROUND, "installments.apply_decision")]


@pytest.fixture
def bank(sqlite_database, vault, clock, temporal_server):
    def make(*interceptors: Interceptor):
        return case_world(sqlite_database, vault, clock, temporal_server, interceptors=interceptors)

    return make


def _one_of_each(world: CaseWorld, token: str) -> None:
    """What a completed case leaves behind: each effect exactly once."""
    states = [task.state for task in world.rows(Task, token)]
    assert (states.count(TaskState.DONE), states.count(TaskState.CANCELLED)) == (5, 1)  # the missed payment was cured
    assert [decision.state for decision in world.rows(Decision, token)] == ["APPLIED"] * 5
    gates = [verdict.gate_key for verdict in world.rows(RuleVerdict, token)]
    assert len({(verdict.gate_key, verdict.rule_id) for verdict in world.rows(RuleVerdict, token)}) == len(gates)
    for table in (BureauReport, CardBalance, AffordabilityAssessment, AgreementText, Signature, Agreement):
        assert len(world.rows(table, token)) == 1, table
    assert [row.kind for row in world.rows(Proposal, token)] == ["recommendation", "chosen-plan"]
    assert len({offer.family for offer in world.rows(PlanOffer, token)}) == len(world.rows(PlanOffer, token)) >= 5
    assert sorted(order.kind for order in world.rows(CoreOrder, token)) == sorted(
        ["block-card", "recall-collection", "release-card"]
    )
    (agreement,) = world.rows(Agreement, token)
    with world.database.read() as session:
        entries = session.exec(select(LedgerEntry).where(col(LedgerEntry.agreement_id) == agreement.id)).all()
        events = session.exec(select(AgreementEvent).where(col(AgreementEvent.agreement_id) == agreement.id)).all()
    assert [event.kind for event in events] == ["activated", "payment"]
    assert sum(entry.amount_minor for entry in entries) == 0


async def _whole_life(world: CaseWorld, team: lives.Team, token: str) -> None:
    """From application to the last repayment, with a missed payment that was cured on the way."""
    await lives.to_service(world, team, token)
    await lives.cured(world, token)
    await lives.paid_off(world, token)


async def _started(world: CaseWorld) -> tuple[lives.Team, str]:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    return team, token


async def test_the_list_of_steps_is_complete(bank) -> None:
    plan = Breakage()
    async with bank(plan) as world:
        team, token = await _started(world)
        await _whole_life(world, team, token)
        assert (await world.ended(token)).outcome == "completed"
        assert plan.steps() == STEPS
        _one_of_each(world, token)
        other = world.apply(by=team.officer)
        await world.start(other)
        await lives.broken(world, team, other)
        assert (await world.ended(other)).outcome == "broken"
        assert plan.steps() == [*STEPS, *BREACH]


async def test_every_step_twice_is_every_step_once(bank) -> None:
    async with bank(Breakage(repeat=True)) as world:
        team, token = await _started(world)
        await _whole_life(world, team, token)
        assert (await world.ended(token)).outcome == "completed"
        _one_of_each(world, token)


async def test_a_step_whose_answer_is_lost_is_done_once(bank) -> None:
    plan = Breakage(lose_answer_of=STEPS)
    async with bank(plan) as world:
        team, token = await _started(world)
        await _whole_life(world, team, token)
        assert (await world.ended(token)).outcome == "completed"
        assert plan.failed == dict.fromkeys(STEPS, 1)
        _one_of_each(world, token)


async def test_a_broken_step_becomes_an_incident_and_the_case_goes_on(bank) -> None:
    async with bank(Breakage(fail_at=INCIDENTAL, fail_times=1)) as world:
        team, token = await _started(world)
        life = asyncio.create_task(_whole_life(world, team, token))
        assert [await _mend(world, team, token) for _ in INCIDENTAL] == INCIDENTAL
        await life
        assert (await world.ended(token)).outcome == "completed"


async def test_a_breach_is_handled_though_its_steps_break(bank) -> None:
    async with bank(Breakage(fail_at=BREACH, fail_times=1)) as world:
        team, token = await _started(world)
        await lives.broken(world, team, token)
        assert [await _mend(world, team, token) for _ in BREACH] == BREACH
        assert (await world.ended(token)).outcome == "broken"


async def _mend(world: CaseWorld, team: lives.Team, token: str) -> str:
    """Two persons have a broken step tried again. Answers which it was."""
    incident = await world.task(token, TaskType.INCIDENT)
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.RETRY)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)
    return str(incident.shown["incident"]["step"])


async def test_a_decision_that_cannot_be_applied_goes_back_to_the_inbox(bank) -> None:
    async with bank(Breakage(fail_at="installments.apply_decision", fail_times=1)) as world:
        team, token = await _started(world)
        answer = await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
        assert answer.fate == "refused"
        assert world.case(token).stage == CaseStage.DOCUMENTS
        await lives.declined(world, team, token)
        assert (await world.ended(token)).outcome == "cancelled"


async def test_a_broken_ground_step_parks_the_case_until_it_is_mended(bank) -> None:
    plan = Breakage(fail_at=GROUND, fail_times=1)
    async with bank(plan) as world:
        team, token = await _started(world)
        await _whole_life(world, team, token)
        assert (await world.ended(token)).outcome == "completed"  # after the rest: each step was tried again
        assert plan.failed == dict.fromkeys(GROUND, 1)
