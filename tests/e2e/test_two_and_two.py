"""Two `casework api` and two `casework worker`, in production mode on PostgreSQL and an external Temporal."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from activities.gateways.core import Card
from activities.gateways.simulated_core import SimulatedCore
from activities.gateways.simulated_core_files import answer_orders, write_balances
from deploy.demo.lives import BRANCH, Life, application
from deploy.demo.mailbox import ReceivedPhones
from deploy.demo.office import Line
from deploy.demo.receivers import HookReceiver
from models.database.engine import Database, open_database
from models.domain.ids import installment_workflow_id
from models.domain.shanghai import shanghai_date
from models.domain.states import TaskType
from models.domain.tokens import new_token
from tests.e2e.site import ADMINS, TENANT, Alternating, Issuer, Site, hired, ready, subject_of
from tests.support.databases import PostgresDatabases
from tests.support.played import Played, Wire, debts_of_all, decisions_in_histories, lives_of, stores_agree
from tests.support.processes import wait_until
from tests.support.temporal import TemporalServer, running_server

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(300)]

_CASES = 5
_AT_ONCE = 5
_CORE_LOOKS_EVERY_SECONDS = 0.2
_FIRST, _NEXT = "2026.11", "2026.12"
_CASES_PATH = "/v1/installment-cases"


def _no_schema(_database: Database) -> None:
    """Nothing: `casework migrate` makes it."""


@pytest.fixture
def external(tmp_path: Path) -> Iterator[TemporalServer]:
    """A Temporal server that the installation only knows the address of."""
    with running_server(tmp_path, namespace="casework") as server:
        yield server


@pytest.fixture
def provider() -> Iterator[HookReceiver]:
    """The bank's provider of text messages."""
    with HookReceiver() as receiver:
        yield receiver


@asynccontextmanager
async def card_core(root: Path, *, owed: Mapping[Card, int | None]) -> AsyncIterator[None]:
    """The bank's card core: it hands out balances, and looks into the exchange directory now and then."""
    core, over = SimulatedCore(), asyncio.Event()
    today = shanghai_date(datetime.now(UTC))
    for day in (today - timedelta(days=1), today):  # the test may run over midnight
        write_balances(core, root, owed=owed, tenant=TENANT, business_date=day)

    async def answer() -> None:
        while not over.is_set():
            await asyncio.to_thread(answer_orders, core, root, tenant=TENANT)
            await asyncio.sleep(_CORE_LOOKS_EVERY_SECONDS)

    async with asyncio.TaskGroup() as group:
        group.create_task(answer())
        try:
            yield
        finally:
            over.set()


@pytest.fixture
def site(
    tmp_path: Path, postgres: PostgresDatabases, external: TemporalServer, provider: HookReceiver
) -> Iterator[Site]:
    """An installation, set up as an operator would."""
    with postgres.fresh(_no_schema) as data, postgres.fresh(_no_schema) as keys:
        made = Site(
            tmp_path,
            Issuer(tmp_path),
            CASEWORK_DATABASE_URL=data.engine.url.render_as_string(hide_password=False),
            CASEWORK_KEYS_DATABASE_URL=keys.engine.url.render_as_string(hide_password=False),
            CASEWORK_TEMPORAL_ADDRESS=external.address,
            CASEWORK_TEMPORAL_NAMESPACE=external.namespace,
            CASEWORK_BUILD_ID=_FIRST,
            CASEWORK_SMS_URL=provider.url,
            CASEWORK_EXCHANGE_DIR=str(tmp_path / "exchange"),
        )
        admins = [argument for login in ADMINS for argument in ("--admin", f"{login}={subject_of(login)}")]
        tenant = ("tenant", "create", TENANT, "--name", "Bank", "--model-assessed-on", "2026-01-05")
        for arguments in (("keys", "init"), ("migrate",), (*tenant, *admins)):
            made.command(*arguments)
        try:
            yield made
        finally:
            made.kill()


@asynccontextmanager
async def two_apis(site: Site) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of two API processes, over TLS."""
    async with AsyncExitStack() as open_clients:
        clients = {}
        for name in ("api-1", "api-2"):
            http = httpx.AsyncClient(base_url=site.start_api(name), timeout=30, trust_env=False, verify=site.trust)
            clients[name] = await open_clients.enter_async_context(http)
        for name, client in clients.items():
            await ready(site, name, client)
        yield list(clients.values())


async def test_cases_on_two_apis_and_two_workers(
    site: Site, external: TemporalServer, provider: HookReceiver, tmp_path: Path
) -> None:
    site.start("worker-1", "worker")
    site.start("worker-2", "worker", "--queue", "cases", "--queue", "gateways")
    owed = {Card(TENANT, number): total for number, total in debts_of_all().items()}
    async with two_apis(site) as clients, card_core(tmp_path / "exchange" / "core", owed=owed):
        wire = Wire(Alternating(clients))
        office = await hired(site, Line(wire, patience_seconds=30))
        phones = ReceivedPhones(provider.inbox.messages)
        played = Played(office=office, wire=wire, lives=lives_of(office, phones, _CASES))
        twin = await same_key_at_both(clients, played)
        await played.play(at_once=_AT_ONCE)
        played.lives.append(twin)
        client = await Client.connect(external.address, namespace=external.namespace)
        assert len(await workers_of(client, played)) == 2  # teeth: both of them worked
        assert rollout(site, "status") == {"current": _FIRST, "builds": [_FIRST]}

        await go_over_to_the_next_build(site, played)
        told = await decisions_in_histories(client, played)

    assert {life.token: life.outcome for life in played.lives} == {life.token: life.plan.end for life in played.lives}
    tried = sum(life.seen["own-approval-tried"] for life in played.lives)
    assert 0 < tried == sum(life.seen["own-approval-refused"] for life in played.lives)
    assert sum(life.seen[TaskType.INCIDENT_CONFIRM] for life in played.lives) > 0  # nobody connected a bureau
    assert site.stop(*site.running) == [0, 0, 0, 0]
    database = open_database(site.environment["CASEWORK_DATABASE_URL"])
    try:
        tally = stores_agree(database, played)
    finally:
        database.dispose()
    print(tally)
    assert told == tally.applied
    assert tally.refused == 0
    report = json.loads(site.command("audit", "verify", "--json").stdout)
    assert report["ok"] is True
    assert report["leaves"] > report["pending"]


async def same_key_at_both(clients: list[httpx.AsyncClient], played: Played) -> Life:
    """One request, sent to both processes at the same moment, many times: one case, one answer; withdrawn again."""
    life, key = played.lives[0], new_token("twin")
    body = application(life.row) | {"branch": BRANCH, "consents": []}
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {played.office.officer.token}"}
    answers = await asyncio.gather(
        *(client.post(_CASES_PATH, json=body, headers=headers) for client in clients for _ in range(5))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["token"] for answer in answers}) == 1
    assert len({answer.content for answer in answers}) == 1
    twin = lives_of(played.office, life.phones, 1)[0]
    twin.token = answers[0].json()["token"]
    assert await twin._withdraw()
    twin.outcome, twin.plan = "withdrawn", type(twin.plan)(name="sent to both", end="withdrawn")
    return twin


async def go_over_to_the_next_build(site: Site, played: Played) -> None:
    """A new build gets no work until it is promoted; then cases under way go over to it, and the old one can go."""
    office = played.office
    under_way = lives_of(office, played.lives[0].phones, 3)
    await asyncio.gather(*(life.apply() for life in under_way))
    site.start("worker-3", "worker", CASEWORK_BUILD_ID=_NEXT)
    await asyncio.to_thread(wait_until, lambda: rollout(site, "status")["builds"] == [_FIRST, _NEXT], seconds=60)
    assert rollout(site, "status")["current"] == _FIRST
    with pytest.raises(AssertionError, match="no worker has announced build unheard"):
        rollout(site, "promote", "unheard")
    assert rollout(site, "promote", _NEXT)["current"] == _NEXT
    assert await asyncio.to_thread(site.stop, "worker-1", "worker-2") == [0, 0]
    site.start("worker-4", "worker", CASEWORK_BUILD_ID=_NEXT)
    await asyncio.to_thread(wait_until, lambda: "worker.serving" in site.log("worker-4"), seconds=60)
    await asyncio.gather(*(life.go_on() for life in under_way))
    played.lives.extend(under_way)


def rollout(site: Site, *arguments: str) -> dict[str, object]:
    """What `casework rollout` says."""
    found: dict[str, object] = json.loads(site.command("rollout", *arguments, "--json").stdout)
    return found


async def workers_of(client: Client, played: Played) -> set[str]:
    """The processes that worked on the cases' workflows, by Temporal's account."""
    found = set()
    for life in played.lives:
        history = await client.get_workflow_handle(installment_workflow_id(life.token)).fetch_history()
        for event in history.events:
            if event.HasField("workflow_task_completed_event_attributes"):
                found.add(event.workflow_task_completed_event_attributes.identity)
    return found
