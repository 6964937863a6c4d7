"""Against a real server: every kind of payload is sealed, opens again, and nothing of it is in the history in clear."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, ChildWorkflowError, FailureError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, Worker

from compliance.payloads.connect import connect
from compliance.payloads.converter import data_converter
from compliance.vault.keyring import Vault
from models.domain.tokens import new_case_token
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal
CANARY = "王小明-110101199003071230"
_SHORT = timedelta(seconds=10)
_ONCE = RetryPolicy(maximum_attempts=1)


@activity.defn
def echo(value: str) -> str:
    """Say it again, with a heartbeat that carries it too."""
    if not activity.info().is_local:
        activity.heartbeat(value)
    return value


@activity.defn
def fail(value: str) -> None:
    """Fail in a way that tells everything, as careless code would."""
    raise ApplicationError(value, value, type="Careless", non_retryable=True)


@workflow.defn
class Child:
    @workflow.run
    async def run(self, value: str) -> str:
        if value.startswith("fail"):
            raise ApplicationError(value, non_retryable=True)
        return value


@workflow.defn
class Case:
    @workflow.init
    def __init__(self, value: str) -> None:
        self.seen = [value]
        self.over = False

    @workflow.run
    async def run(self, value: str) -> list[str]:
        for call in (workflow.execute_activity, workflow.execute_local_activity):
            self.seen.append(await call(echo, value, start_to_close_timeout=_SHORT))
            try:
                await call(fail, value, start_to_close_timeout=_SHORT, retry_policy=_ONCE)
            except FailureError as error:
                self.seen.append(str(error.__cause__))
        child = f"{workflow.info().workflow_id}/child"
        self.seen.append(await workflow.execute_child_workflow(Child.run, value, id=child))
        try:
            await workflow.execute_child_workflow(Child.run, f"fail {value}", id=f"{child}-2")
        except ChildWorkflowError as error:
            self.seen.append(str(error.__cause__))
        await workflow.wait_condition(lambda: self.over)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if f"give up {value}" in self.seen:
            raise ApplicationError(value, type="GivenUp")
        return self.seen

    @workflow.signal
    def tell(self, value: str) -> None:
        self.seen.append(value)

    @workflow.query
    def told(self, value: str) -> list[str]:
        return [*self.seen, value]

    @workflow.update
    async def decide(self, value: str) -> str:
        self.seen.append(await workflow.execute_activity(echo, value, start_to_close_timeout=_SHORT))
        self.over = True
        return value

    @decide.validator
    def check(self, value: str) -> None:
        if value.startswith("refuse"):
            raise ApplicationError(value, type="DecisionRefused")


@pytest_asyncio.fixture
async def client(temporal_server: TemporalServer, vault: Vault) -> Client:
    vault.ensure_tenant("acme")
    return await connect(address=temporal_server.address, namespace=temporal_server.namespace, vault=vault)


@pytest_asyncio.fixture
async def queue(client: Client, task_queue: str) -> AsyncIterator[str]:
    with ThreadPoolExecutor(4) as pool:
        async with Worker(
            client,
            task_queue=task_queue,
            workflows=[Case, Child],
            activities=[echo, fail],
            activity_executor=pool,
            max_concurrent_activities=4,
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            yield task_queue


def _payloads(message: Any) -> list[Payload]:
    """Every payload anywhere inside a protobuf message, but headers and search attributes."""
    if isinstance(message, Payload):
        return [message]
    found = []
    for descriptor, value in message.ListFields():
        if descriptor.type != descriptor.TYPE_MESSAGE or descriptor.name in ("header", "search_attributes"):
            continue
        if descriptor.message_type.GetOptions().map_entry:
            inner = [value[key] for key in value if hasattr(value[key], "ListFields")]
        else:
            inner = list(value) if hasattr(value, "append") or hasattr(value, "add") else [value]
        for one in inner:
            found += _payloads(one)
    return found


async def _run_one(client: Client, queue: str, word: str) -> Any:
    handle = await client.start_workflow(
        Case.run,
        CANARY,
        id=f"installments/{new_case_token('acme')}",
        task_queue=queue,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        memo={"note": CANARY},
    )
    await handle.signal(Case.tell, f"signal {CANARY}")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await handle.execute_update(Case.decide, f"refuse {CANARY}")
    assert str(refused.value.cause) == f"DecisionRefused: refuse {CANARY}"
    assert f"query {CANARY}" in await handle.query(Case.told, f"query {CANARY}")
    assert await handle.execute_update(Case.decide, f"{word} {CANARY}") == f"{word} {CANARY}"
    assert await (await handle.describe()).memo() == {"note": CANARY}
    return handle


async def _histories(client: Client, workflow_id: str) -> list[Any]:
    ids = (workflow_id, f"{workflow_id}/child", f"{workflow_id}/child-2")
    return [await client.get_workflow_handle(one).fetch_history() for one in ids]


async def test_every_kind_of_payload_is_sealed_and_comes_back(client: Client, queue: str) -> None:
    handle = await _run_one(client, queue, "accept")
    seen = await handle.result()
    assert seen.count(CANARY) == 4  # start, activity, local activity, child
    assert f"Careless: {CANARY}" in seen
    for history in await _histories(client, handle.id):
        for happened in history.events:
            raw = happened.SerializeToString()
            assert "王小明".encode() not in raw, happened
            assert b"110101199003071230" not in raw, happened
            if happened.HasField("marker_recorded_event_attributes"):
                continue  # what the SDK's core notes for itself beside the sealed result
            for payload in _payloads(happened):
                assert payload.metadata["encoding"] == b"binary/encrypted", happened


async def test_a_failed_workflow_tells_only_its_owner_why(client: Client, queue: str) -> None:
    handle = await _run_one(client, queue, "give up")
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert str(failed.value.cause) == f"GivenUp: {CANARY}"
    for history in await _histories(client, handle.id):
        assert "王小明" not in history.to_json()
        assert "110101199003071230" not in history.to_json()


async def test_a_sealed_history_replays_in_its_own_namespace_only(client: Client, queue: str, vault: Vault) -> None:
    handle = await _run_one(client, queue, "accept")
    await handle.result()
    history = await handle.fetch_history()

    def replayer(namespace: str) -> Replayer:
        return Replayer(
            workflows=[Case],
            data_converter=data_converter(vault),
            namespace=namespace,
            workflow_runner=UnsandboxedWorkflowRunner(),
        )

    await replayer(client.namespace).replay_workflow(history)
    with pytest.raises(Exception, match="CannotOpen"):
        await replayer("ReplayNamespace").replay_workflow(history)


async def test_a_signal_in_clear_does_not_reach_the_workflow(client: Client, queue: str) -> None:
    handle = await client.start_workflow(
        Case.run,
        CANARY,
        id=f"installments/{new_case_token('acme')}",
        task_queue=queue,
        task_timeout=timedelta(seconds=1),
    )
    forged = Payloads(payloads=[Payload(metadata={"encoding": b"json/plain"}, data=b'"approved by nobody"')])
    await client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution={"workflow_id": handle.id},  # type: ignore[arg-type]
            signal_name="tell",
            input=forged,
        )
    )
    failed_tasks: list[Any] = []
    deadline = asyncio.get_running_loop().time() + 30
    while not failed_tasks and asyncio.get_running_loop().time() < deadline:
        events = (await handle.fetch_history()).events
        failed_tasks = [one for one in events if one.HasField("workflow_task_failed_event_attributes")]
        await asyncio.sleep(0.05)
    assert failed_tasks
    assert (await handle.describe()).status == WorkflowExecutionStatus.RUNNING
    await handle.terminate()
