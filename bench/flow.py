"""A case from application to decided and to active, and a decision through the API, beside the same shapes empty."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker

from bench.floor_workflows import DECISIONS, LIFE, STEPS, EmptyCase, EmptyLife, EmptyUpdate, empty_step
from bench.measuring import Stores, empty_stores, percentile
from bench.registry import Figure, Floor, measures
from deploy.demo.book import generate_book
from deploy.demo.lives import Life
from deploy.demo.mailbox import ReceivedPhones
from deploy.demo.office import Line, Office, open_office
from deploy.demo.plans import Plan, cast
from deploy.demo.stack import Stack, running_stack
from models.domain.states import TaskType
from tests.support.casework import CaseWorld, case_world
from tests.support.temporal import TemporalServer, running_server
from tests.workflows.installments import lives

CASES = 200
IN_FLIGHT = 16
DECISIONS_ALONE = 60
DECISIONS_TOGETHER = 320
USERS = 16
HASTE_S = 1.0  # between two decisions of one person who does hardly anything but press buttons
THINKING_S = 5.0  # between two of one of many
_QUEUE = "bench-floor"
_LOOK_AGAIN_S = 0.02
_WAIT = timedelta(seconds=30)


@measures("case")
def case(scale: float) -> Iterable[Figure]:
    """Application to the approval of a chosen plan, and to an agreement in force: real SQL, vault and documents."""
    cases = max(10, int(CASES * scale))
    with (
        empty_stores() as stores,
        tempfile.TemporaryDirectory(prefix="casework-bench-") as folder,
        running_server(Path(folder), namespace="bench") as server,
    ):
        floor = asyncio.run(_floor_cases(server, cases, EmptyCase, DECISIONS))
        same = asyncio.run(_floor_cases(server, cases, EmptyLife, len(LIFE) - 1))
        decided, active = asyncio.run(_our_cases(stores, server, cases))
    manner = f"machine part, {min(IN_FLIGHT, cases)} in flight"
    yield Figure(
        name=f"application to decided, {manner}",
        value=decided * 1_000 / cases,
        unit="ms/case",
        floor=Floor(name=f"{STEPS} empty normal activities, {DECISIONS} empty Updates", value=floor * 1_000 / cases),
        ratio_at_most=0.6,
    )
    yield Figure(
        name=f"application to active, {manner}",
        value=active * 1_000 / cases,
        unit="ms/case",
        floor=Floor(name="the same shape empty", value=same * 1_000 / cases),
        ratio_at_most=2,
    )


async def _our_cases(stores: Stores, server: TemporalServer, cases: int) -> tuple[float, float]:
    from deploy.clock import wall_clock  # noqa: PLC0415

    async with case_world(stores.data, stores.vault, wall_clock, server) as world:
        team = lives.hire_team(world)

        async def one(life: Callable[[CaseWorld, lives.Team, str], Awaitable[None]]) -> None:
            token = world.apply(by=team.officer)
            await world.start(token)
            await life(world, team, token)

        await one(lives.to_service)
        decided = await _timed(lambda: one(lives.to_signing), cases)
        return decided, await _timed(lambda: one(lives.to_service), cases)


async def _floor_cases(server: TemporalServer, cases: int, shape: Any, decisions: int) -> float:
    client = await server.connect(data_converter=pydantic_data_converter)
    worker = Worker(client, task_queue=_QUEUE, workflows=[shape], activities=[empty_step])
    numbers = iter(range(10**9))

    async def one() -> None:
        name = f"floor-{shape.__name__}-{next(numbers)}"
        handle = await client.start_workflow(shape.run, id=name, task_queue=_QUEUE)
        for _ in range(decisions):
            await handle.execute_update(shape.decide, rpc_timeout=_WAIT)
        await handle.result()

    async with worker:
        await one()
        return await _timed(one, cases)


async def _timed(one: Any, times: int) -> float:
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def gated() -> None:
        async with gate:
            await one()

    began = time.perf_counter()
    await asyncio.gather(*(gated() for _ in range(times)))
    return time.perf_counter() - began


@measures("decision")
def decision(scale: float) -> Iterable[Figure]:
    """A decision through the whole HTTP path of the embedded stack, beside an empty Update on the same server."""
    alone, together = max(10, int(DECISIONS_ALONE * scale)), max(USERS, int(DECISIONS_TOGETHER * scale))
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as folder:
        data = Path(folder) / "data"
        with running_stack(data) as stack:
            yield from asyncio.run(_decisions(stack, alone, together))


async def _decisions(stack: Stack, alone: int, together: int) -> list[Figure]:
    async with AsyncExitStack() as opened:
        http = await opened.enter_async_context(httpx.AsyncClient(base_url=stack.address, timeout=60))
        office = open_office(Line(http), stack.login_file)
        await office.log_in()
        tasks = await waiting_tasks(office, 2 * alone + 2 * together)
        client = await Client.connect(stack.facts["temporal"], namespace=stack.facts["namespace"])
        worker = Worker(client, task_queue=_QUEUE, workflows=[EmptyUpdate])
        await opened.enter_async_context(worker)
        figures = []
        waiting = iter(tasks)
        for users, count, rest, bound in (
            (1, alone, HASTE_S, 100),
            (USERS, together, THINKING_S, 250),
            (1, alone, 0.0, 100),
            (USERS, together, 0.0, 250),
        ):
            part = list(islice(waiting, count))
            floor = await _empty_updates(client, users, len(part), rest)
            ours = await _at_once(users, [lambda task=task: accept(office, task) for task in part], rest)
            who = f"{users} users" if users > 1 else "one user"
            manner = f"{who}, {rest:.0f} s between two of one's own" if rest else f"{who} without a pause"
            for name, share in (("p50", 0.5), ("p95", 0.95)):
                figures.append(
                    Figure(
                        name=f"{manner}, {name}",
                        value=percentile(ours, share) * 1_000,
                        unit="ms",
                        floor=Floor(name="empty Update", value=percentile(floor, share) * 1_000),
                        at_most=bound if share > 0.9 else None,
                    )
                )
        return figures


async def waiting_tasks(office: Office, count: int) -> list[tuple[str, str]]:
    """So many new cases at their first task; the tasks' ids and versions."""
    plan, phones = Plan(name="bench", end=""), ReceivedPhones({})  # nobody of them comes to sign
    rows = [row for _, row in cast(list(generate_book(600, 1)))]
    office_lives = [Life(office, plan, rows[number % len(rows)], phones) for number in range(count)]
    for first in range(0, count, IN_FLIGHT):
        for life in office_lives[first : first + IN_FLIGHT]:
            life.token = await life._apply()
    found: list[tuple[str, str]] = []
    cursor: str | None = None
    while len(found) < count:
        body: dict[str, Any] = {"filter": {"type": TaskType.DOCUMENTS}, "limit": 200}
        page = (
            await office.officer.call("POST", "/v1/tasks/search", json=body | ({"cursor": cursor} if cursor else {}))
        ).json()
        found += [(item["id"], f'"v{item["version"]}"') for item in page["items"]]
        cursor = page["nextCursor"]
        if cursor is None and len(found) < count:
            found, _ = [], await asyncio.sleep(0.2)
    return found[:count]


async def accept(office: Office, task: tuple[str, str], *, applied: bool = False) -> None:
    """Decide it; `applied`: ask under the same key until the workflow has applied it."""
    headers = {"If-Match": task[1], "Idempotency-Key": f"bench-{task[0]}"}
    path, body = f"/v1/tasks/{task[0]}/decisions", {"outcome": "accept"}
    answer = await office.officer.call("POST", path, json=body, headers=headers, expect=(201, 202))
    where = answer.headers["location"]
    while applied and answer.json()["state"] != "APPLIED":
        await asyncio.sleep(_LOOK_AGAIN_S)
        answer = await office.officer.call("GET", where)


async def _empty_updates(client: Client, users: int, count: int, rest: float) -> list[float]:
    handles = [
        await client.start_workflow(EmptyUpdate.run, id=f"floor-{users}-{number}", task_queue=_QUEUE)
        for number in range(count)
    ]
    took = await _at_once(
        users,
        [lambda handle=handle: handle.execute_update(EmptyUpdate.decide, rpc_timeout=_WAIT) for handle in handles],
        rest,
    )
    for handle in handles:
        await handle.terminate()
    return took


async def _at_once(users: int, calls: list[Any], rest: float) -> list[float]:
    """So many users take the calls in turn; each rests after every call. Seconds of each call, without the rest."""
    waiting, took = iter(calls), []

    async def user(number: int) -> None:
        await asyncio.sleep(rest * number / users)  # people do not start in step
        for call in waiting:
            began = time.perf_counter()
            await call()
            took.append(time.perf_counter() - began)
            await asyncio.sleep(rest)

    await asyncio.gather(*(user(number) for number in range(users)))
    return took
