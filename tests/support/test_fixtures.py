"""The fixtures keep what they promise; a test that trusts a broken fixture proves nothing."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import inspect, text
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.errors import CannotOpen
from tests.support.breakage import INJECTED, Breakage
from tests.support.clock import FakeClock
from tests.support.databases import PostgresDatabases, create_data_schema
from tests.support.network import OutsideConnectionRefused
from tests.support.people import people, person
from tests.support.vaults import throw_away_vault


def test_clock_moves_only_by_hand(clock: FakeClock) -> None:
    before = clock()
    assert clock() == before
    assert clock.advance(timedelta(hours=1), days=1) == before + timedelta(hours=25)
    clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    assert clock() == datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="time zone"):
        clock.set(datetime(2030, 1, 1))


@pytest.mark.parametrize("_again", [1, 2])
def test_a_database_has_the_schema_and_is_empty(database: Database, _again: int) -> None:
    """Run twice, so that the second would see what the first left behind."""
    with database.engine.begin() as connection:
        assert {"tasks", "audit_events", "outbox"} <= set(inspect(connection).get_table_names())
        assert connection.execute(text("SELECT count(*) FROM tenants")).scalar() == 0
        connection.execute(
            text("INSERT INTO tenants (code, name, sandbox, created_at) VALUES ('main', 'n', false, '2026-01-01')")
        )


def test_two_databases_of_one_server_are_apart(postgres: PostgresDatabases) -> None:
    with postgres.fresh(create_data_schema) as one, postgres.fresh(create_data_schema) as other:
        with one.engine.begin() as connection:
            connection.execute(
                text("INSERT INTO tenants (code, name, sandbox, created_at) VALUES ('main', 'n', false, '2026-01-01')")
            )
        with other.engine.begin() as connection:
            assert connection.execute(text("SELECT count(*) FROM tenants")).scalar() == 0


def test_a_vault_opens_what_it_sealed_and_no_other_vault_does(
    vault: Vault, postgres_keys_database: Database, clock: FakeClock
) -> None:
    address = CellAddress(tenant="main", table="t", column="c", row="r", subject="sub_1")
    for one in (vault, throw_away_vault(postgres_keys_database, clock)):
        one.ensure_tenant("main")
        one.create_subject(tenant="main", subject_id="sub_1")
    sealed = vault.seal(address, "words")
    assert vault.open_text(address, sealed) == "words"
    with pytest.raises(CannotOpen):
        one.open_text(address, sealed)


def test_people_are_the_same_every_time_and_valid() -> None:
    assert people(3) == people(5)[:3]
    assert person(3) == people(3)[-1]
    assert len({one.id_number for one in people(50)}) == 50


def test_outside_connections_are_refused(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET) as outside, pytest.raises(OutsideConnectionRefused):
        outside.connect(("192.0.2.1", 443))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside, pytest.raises(OutsideConnectionRefused):
        outside.sendto(b"x", ("192.0.2.1", 53))
    with pytest.raises(OutsideConnectionRefused):
        httpx.get("https://bank.example/")


async def test_outside_connections_are_refused_in_a_loop_too() -> None:
    with pytest.raises(OutsideConnectionRefused):
        await asyncio.open_connection("192.0.2.1", 443)


def test_local_connections_are_allowed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
        socket.create_connection(("localhost", server.getsockname()[1])).close()


# Breakage -------------------------------------------------------------------------------------------------------------


class _Steps:
    def __init__(self) -> None:
        self.done: list[str] = []

    @activity.defn(name="probe.first", no_thread_cancel_exception=True)
    async def first(self) -> int:
        self.done.append("first")
        return len(self.done)

    @activity.defn(name="probe.second", no_thread_cancel_exception=True)
    def second(self) -> int:
        self.done.append("second")
        return len(self.done)


@workflow.defn(name="probe")
class _Probe:
    @workflow.run
    async def run(self) -> None:
        patience = timedelta(seconds=10)
        await workflow.execute_local_activity_method(_Steps.first, start_to_close_timeout=patience)
        await workflow.execute_activity_method(_Steps.second, start_to_close_timeout=patience)


async def _run(client: Client, queue: str, plan: Breakage) -> tuple[list[str], ApplicationError | None]:
    steps = _Steps()
    with ThreadPoolExecutor(2) as pool:
        async with Worker(
            client,
            task_queue=queue,
            workflows=[_Probe],
            activities=[steps.first, steps.second],
            activity_executor=pool,
            max_concurrent_activities=2,
            workflow_runner=UnsandboxedWorkflowRunner(),
            interceptors=[plan],
        ):
            try:
                await client.execute_workflow(_Probe.run, id=queue, task_queue=queue)
            except WorkflowFailureError as failure:
                # A normal activity's error comes wrapped; a local activity's comes as it is.
                cause = failure.cause.cause if isinstance(failure.cause, ActivityError) else failure.cause
                assert isinstance(cause, ApplicationError)
                return steps.done, cause
    return steps.done, None


@pytest.mark.temporal
async def test_an_unbroken_run_is_only_watched(temporal_client: Client, task_queue: str) -> None:
    plan = Breakage()
    assert await _run(temporal_client, task_queue, plan) == (["first", "second"], None)
    assert plan.seen == ["probe.first", "probe.second"]


@pytest.mark.temporal
@pytest.mark.parametrize(("name", "done"), [("probe.first", []), ("probe.second", ["first"])])
async def test_one_step_breaks_local_or_not(
    temporal_client: Client, task_queue: str, name: str, done: list[str]
) -> None:
    plan = Breakage(fail_at=name)
    seen, failure = await _run(temporal_client, task_queue, plan)
    assert seen == done
    assert failure is not None
    assert failure.type == INJECTED
    assert plan.seen[-1] == name


@pytest.mark.temporal
async def test_every_step_runs_twice(temporal_client: Client, task_queue: str) -> None:
    plan = Breakage(repeat=True)
    assert await _run(temporal_client, task_queue, plan) == (["first", "first", "second", "second"], None)
    assert plan.seen == ["probe.first", "probe.second"]


@pytest.mark.temporal
@pytest.mark.parametrize("name", ["probe.first", "probe.second"])
async def test_a_lost_answer_makes_the_step_run_again(temporal_client: Client, task_queue: str, name: str) -> None:
    plan = Breakage(lose_answer_of=name)
    done, failure = await _run(temporal_client, task_queue, plan)
    assert failure is None
    assert len(done) == 3
    assert plan.seen.count(name) == 2
    assert plan.steps() == ["probe.first", "probe.second"]


# Time ----------------------------------------------------------------------------------------------------------------


@workflow.defn(name="sleeper")
class _Sleeper:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=400))


@pytest.mark.temporal
async def test_time_is_skipped(time_skipping: WorkflowEnvironment, task_queue: str) -> None:
    before = await time_skipping.get_current_time()
    async with Worker(
        time_skipping.client, task_queue=task_queue, workflows=[_Sleeper], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        await time_skipping.client.execute_workflow(_Sleeper.run, id=task_queue, task_queue=task_queue)
    assert await time_skipping.get_current_time() - before >= timedelta(days=400)
