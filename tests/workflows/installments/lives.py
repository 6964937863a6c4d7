"""Lives of a case as tests play them: who decides what, in order."""

from dataclasses import dataclass

from models.domain.roles import Role
from models.domain.states import Outcome, TaskType
from models.tables.staff import Staff
from tests.support.casework import TERMS, CaseWorld


@dataclass
class Team:
    """Two officers and two approvers: enough for four eyes, and for a second try."""

    officer: Staff
    approver: Staff
    operator: Staff
    second_operator: Staff


def hire_team(world: CaseWorld) -> Team:
    return Team(
        officer=world.hire(Role.CASE_OFFICER),
        approver=world.hire(Role.APPROVER),
        operator=world.hire(Role.OPERATOR),
        second_operator=world.hire(Role.OPERATOR),
    )


async def to_assessment(world: CaseWorld, team: Team, token: str) -> None:
    await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)


async def to_approval(world: CaseWorld, team: Team, token: str) -> None:
    await to_assessment(world, team, token)
    await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RECOMMEND, terms=TERMS)


async def approved(world: CaseWorld, team: Team, token: str) -> None:
    await to_approval(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.APPROVE)


async def countered(world: CaseWorld, team: Team, token: str) -> None:
    await to_approval(world, team, token)
    lower = TERMS | {"amount_minor": 2_000_000}
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.COUNTER, terms=lower)
    await world.decide(token, TaskType.COUNTER_OFFER, team.officer, Outcome.ACCEPT)


async def rejected(world: CaseWorld, team: Team, token: str) -> None:
    await to_approval(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.REJECT, reason_code="capacity-insufficient")
