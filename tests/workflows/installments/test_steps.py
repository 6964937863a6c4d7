"""Every step of the case is known, can break, repeat, and lose its answer; nothing is lost and nothing doubles."""

import pytest
from temporalio.worker import Interceptor

from models.domain.states import CaseStage, Outcome, TaskType
from models.tables.installments import AffordabilityAssessment, BureauReport, Proposal, RuleVerdict
from models.tables.tasks import Decision, Task
from tests.support.breakage import Breakage
from tests.support.casework import TERMS, CaseWorld, case_world
from tests.workflows.installments import lives

STEPS = [
    "platform.register_run",
    "tasks.open_task",
    "installments.apply_decision",
    "rules.evaluate_gate",
    "installments.query_bureau",
    "installments.assess_affordability",
]
# Refused for good, these become an incident that two persons mend; the others are the ground the case stands on.
INCIDENTAL = ["rules.evaluate_gate", "installments.query_bureau", "installments.assess_affordability"]


@pytest.fixture
def bank(sqlite_database, vault, clock, temporal_server):
    def make(*interceptors: Interceptor):
        return case_world(sqlite_database, vault, clock, temporal_server, interceptors=interceptors)

    return make


def _one_of_each(world: CaseWorld, token: str) -> None:
    """What a completed, approved case leaves behind: each effect exactly once."""
    assert len(world.rows(Task, token)) == 3
    assert [decision.state for decision in world.rows(Decision, token)] == ["APPLIED"] * 3
    assert sorted(verdict.rule_id for verdict in world.rows(RuleVerdict, token)) == ["CCM-70a", "CRED-18", "PIPL-24"]
    assert len(world.rows(BureauReport, token)) == 1
    assert len(world.rows(AffordabilityAssessment, token)) == 1
    assert len(world.rows(Proposal, token)) == 1


async def test_the_list_of_steps_is_complete(bank) -> None:
    plan = Breakage()
    async with bank(plan) as world:
        team = lives.hire_team(world)
        token = world.apply(by=team.officer)
        await world.start(token)
        await lives.approved(world, team, token)
        await world.ended(token)
        assert plan.steps() == STEPS
        _one_of_each(world, token)


async def test_every_step_twice_is_every_step_once(bank) -> None:
    async with bank(Breakage(repeat=True)) as world:
        team = lives.hire_team(world)
        token = world.apply(by=team.officer)
        await world.start(token)
        await lives.approved(world, team, token)
        assert (await world.ended(token)).outcome == "approved"
        _one_of_each(world, token)


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_whose_answer_is_lost_is_done_once(bank, step: str) -> None:
    async with bank(Breakage(lose_answer_of=step)) as world:
        team = lives.hire_team(world)
        token = world.apply(by=team.officer)
        await world.start(token)
        await lives.approved(world, team, token)
        assert (await world.ended(token)).outcome == "approved"
        _one_of_each(world, token)


@pytest.mark.parametrize("step", INCIDENTAL)
async def test_a_broken_step_becomes_an_incident_and_the_case_goes_on(bank, step: str) -> None:
    async with bank(Breakage(fail_at=step, fail_times=1)) as world:
        team = lives.hire_team(world)
        token = world.apply(by=team.officer)
        await world.start(token)
        await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
        incident = await world.task(token, TaskType.INCIDENT)
        assert incident.shown["incident"]["step"] == step
        await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.RETRY)
        await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)
        await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RECOMMEND, terms=TERMS)
        await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.APPROVE)
        assert (await world.ended(token)).outcome == "approved"


async def test_a_decision_that_cannot_be_applied_goes_back_to_the_inbox(bank) -> None:
    async with bank(Breakage(fail_at="installments.apply_decision", fail_times=1)) as world:
        team = lives.hire_team(world)
        token = world.apply(by=team.officer)
        await world.start(token)
        answer = await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
        assert answer.fate == "refused"
        assert world.case(token).stage == CaseStage.DOCUMENTS
        await lives.approved(world, team, token)
        assert (await world.ended(token)).outcome == "approved"


@pytest.mark.parametrize("step", ["platform.register_run", "tasks.open_task"])
async def test_a_broken_ground_step_parks_the_case_until_it_is_mended(bank, step: str, monkeypatch) -> None:
    plan = Breakage(fail_at=step, fail_times=1)
    async with bank(plan) as world:
        team = lives.hire_team(world)
        token = world.apply(by=team.officer)
        await world.start(token)
        await world.task(token, TaskType.DOCUMENTS)  # after the rest: the step was tried again
        assert plan.failed[step] == 1
        await lives.approved(world, team, token)
        assert (await world.ended(token)).outcome == "approved"
