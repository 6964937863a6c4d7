"""Recorded histories are part of the interface: what runs in production today must replay on the code of tomorrow."""

import pytest
from temporalio.workflow import NondeterminismError

from models.domain.states import Outcome, TaskType
from tests.replay import golden
from tests.support.casework import CaseWorld, case_world
from tests.workflows.installments import lives


async def _rule_blocked(world: CaseWorld, team: lives.Team, token: str) -> None:
    await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
    world.add_consent(token)
    await lives.rejected(world, team, token)


async def _withdrawn(world: CaseWorld, team: lives.Team, token: str) -> None:
    await lives.to_approval(world, team, token)
    await world.task(token, TaskType.APPROVAL)
    await world.withdraw(token)


async def _returned(world: CaseWorld, team: lives.Team, token: str) -> None:
    await lives.to_approval(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.RETURN, reason_code="terms-unsuitable")
    await lives.choose(world, team, token, family="step-up")
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.APPROVE)
    await world.decide(token, TaskType.SIGNING, team.officer, Outcome.DECLINE, reason_code="term-too-long")


async def _incident_mended(world: CaseWorld, team: lives.Team, token: str) -> None:
    figures = {"open_accounts": 1, "monthly_obligation_minor": 1, "worst_days_past_due": 1}
    await lives.to_assessment(world, team, token)
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.MEND, mended=figures)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)
    await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.REJECT, reason_code="capacity-insufficient")


async def _given_up(world: CaseWorld, team: lives.Team, token: str) -> None:
    await lives.to_assessment(world, team, token)
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.GIVE_UP)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)


# name -> (life, facts of the application, refusals of the bureau, options of the start)
SCENARIOS = {
    "completed": (lives.completed, {}, 0, {}),
    "broken": (lives.broken, {}, 0, {}),
    "not-signed": (lives.declined, {}, 0, {}),
    "countered": (lives.countered, {}, 0, {}),
    "rejected": (lives.rejected, {}, 0, {}),
    "withdrawn": (_withdrawn, {}, 0, {}),
    "returned-by-approver": (_returned, {}, 0, {}),
    "no-consent-first": (_rule_blocked, {"consent": None}, 0, {}),
    "bureau-mended": (_incident_mended, {}, 1, {}),
    "incident-given-up": (_given_up, {}, 9, {}),
    "continued-as-new": (lives.completed, {}, 0, {"events_per_run": 1}),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_record(scenario: str, sqlite_database, vault, clock, temporal_server) -> None:
    """Record one scenario; collected only under the switch."""
    life, facts, refusals, options = SCENARIOS[scenario]
    async with case_world(sqlite_database, vault, clock, temporal_server, plain=True) as world:
        world.bureau.refusals = refusals
        team = lives.hire_team(world)
        token = world.apply(by=team.officer, **facts)
        await world.start(token, **options)
        await life(world, team, token)
        await world.ended(token)
        await golden.record(scenario, world.handle(token))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with one step under another name must not replay."""
    record = golden.read(scenario)
    changed = [step for step in golden.scheduled(record) if step["name"] == "installments.apply_decision"]
    if changed:
        changed[0]["name"] = "installments.other"
    else:  # a run that only opens a task and goes on: its local step is the command to change
        local = [event for event in record["events"] if "markerRecordedEventAttributes" in event]
        local[0]["markerRecordedEventAttributes"]["markerName"] = "core_patch"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
