"""A poison case (R29): its step can never be done; it is parked as an incident, and the other cases go on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest_asyncio

from activities.gateways.bureau import BureauRecord, Identity
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.states import CaseStage, TaskType
from models.errors import GatewayRefused
from tests.support.casework import CaseWorld, FakeBureau, case_world
from tests.support.clock import FakeClock
from tests.support.temporal import TemporalServer
from tests.workflows.installments import lives

_CASES = 4


@dataclass
class PoisonedBureau(FakeBureau):
    """Refuses one case for good; counts how often it is asked about each."""

    poison: str = ""
    asked: Counter[str] = field(default_factory=Counter)

    def query(self, identity: Identity, *, query_key: str) -> BureauRecord:
        case = query_key.partition("/")[0]
        self.asked[case] += 1
        if self.poison and self.poison in query_key:
            raise GatewayRefused(params={"reason": "poison"})
        return super().query(identity, query_key=query_key)


@pytest_asyncio.fixture
async def world(
    sqlite_database: Database, vault: Vault, clock: FakeClock, temporal_server: TemporalServer
) -> AsyncIterator[CaseWorld]:
    """A bank whose bureau chokes on one case."""
    async with case_world(sqlite_database, vault, clock, temporal_server, bureau=PoisonedBureau()) as made:
        yield made


async def test_a_poison_case_is_parked_and_the_others_go_on(world: CaseWorld) -> None:
    bureau = world.bureau
    assert isinstance(bureau, PoisonedBureau)
    team = lives.hire_team(world)
    tokens = [world.apply(by=team.officer) for _ in range(_CASES)]
    bureau.poison = tokens[3]

    async def live(token: str) -> None:
        await world.start(token)
        await lives.to_assessment(world, team, token)
        await world.task(token, TaskType.INCIDENT if token == bureau.poison else TaskType.ASSESSMENT)

    await asyncio.gather(*(live(token) for token in tokens))
    incident = await world.task(bureau.poison, TaskType.INCIDENT)
    assert incident.shown["incident"] == {"step": "installments.query_bureau", "code": "gateway-refused"}
    stages = Counter(world.case(token).stage for token in tokens if token != bureau.poison)
    assert stages == {CaseStage.ASSESSMENT: _CASES - 1}
    assert sum(bureau.poison in key for key in bureau.keys) <= 10
    assert sum(bureau.asked.values()) <= _CASES + 9
