"""An application over HTTP becomes a running workflow, and its withdrawal comes back with the workflow's word."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from tests.support.api import open_office
from tests.support.applications import CASES, application
from tests.support.casework import case_world
from tests.support.clock import FakeClock
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal


async def until(client: httpx.AsyncClient, path: str, *, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        case: dict[str, Any] = (await client.get(path)).json()
        if holds(case):
            return case
        await anyio.sleep(0.02)
    raise AssertionError("it never came")


async def test_from_application_to_withdrawal(
    database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, temporal_server: TemporalServer
) -> None:
    office = open_office(database, vault, clock, tmp_path)
    async with case_world(database, vault, clock, temporal_server, resume=True) as world:
        office.deps.dispatcher = world.dispatcher
        officer = office.staff("officer", Role.CASE_OFFICER)
        async with office.client(officer) as client:
            made = await client.post(CASES, json=application(), headers={"Idempotency-Key": "k"})
            assert made.status_code == 201
            path = made.headers["location"]
            world.tokens.append(made.json()["token"])
            case = await until(client, path, holds=lambda case: case["stage"] == "documents" and case["openTasks"])
            assert case["openTasks"][0]["type"] == "installments.documents"
            # A repeated request still tells of the case as it was made.
            again = await client.post(CASES, json=application(), headers={"Idempotency-Key": "k"})
            assert again.json() == made.json()

            body = {"reasonCode": "customer-asked-to-stop"}
            withdrawn = await client.post(f"{path}/withdrawal", json=body, headers={"Idempotency-Key": "w"})
            assert withdrawn.status_code == 201, withdrawn.text
            assert withdrawn.json()["outcome"] == "withdrawn"
            ended = (await client.get(path)).json()
            assert (ended["stage"], ended["outcome"], ended["openTasks"]) == ("ended", "withdrawn", [])
            late = await client.post(f"{path}/withdrawal", json=body, headers={"Idempotency-Key": "late"})
            assert (late.status_code, late.json()["code"]) == (409, "wrong-state")
            timeline = (await client.get(f"{path}/timeline")).json()
    actions = {event["action"] for event in timeline["items"]}
    assert {"case.created", "task.opened", "case.withdrawal-decided", "decision.applied"} <= actions
    assert not [event["text"] for event in timeline["items"] if event["text"].startswith("event.")]
