"""`traceparent` travels from the request through the workflow to its activities, and nothing else does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.runtime import Runtime
from temporalio.worker import Replayer, Worker

from compliance.telemetry.metrics import Metrics
from compliance.telemetry.temporal import TracingInterceptor, core_telemetry
from compliance.telemetry.traces import install_tracing, span, traceparent_of_current, tracer_provider
from tests.compliance.telemetry.workflows import Fails, Seen
from tests.support.temporal import TemporalServer
from workflows.support.sandbox import STRICT_RUNNER

pytestmark = pytest.mark.temporal
CANARY = "13812345678"


@activity.defn(name="seen.normal", no_thread_cancel_exception=True)
def normal() -> list[str]:
    """What an activity on a thread knows about its trace."""
    return [traceparent_of_current() or "", str(structlog.contextvars.get_contextvars().get("activity"))]


@activity.defn(name="seen.short", no_thread_cancel_exception=True)
def short() -> list[str]:
    return [traceparent_of_current() or ""]


@activity.defn(name="seen.fails", no_thread_cancel_exception=True)
def fails() -> None:
    raise ApplicationError(f"about {CANARY}", type="no-such-thing", non_retryable=True)


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = tracer_provider(exporter, component="app", batch=False)
    restore = install_tracing(provider)
    yield exporter
    restore()
    provider.shutdown()


def worker_of(client: Client, task_queue: str, pool: ThreadPoolExecutor) -> Worker:
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[Seen, Fails],
        activities=[normal, short, fails],
        activity_executor=pool,
        workflow_runner=STRICT_RUNNER,
    )


def trace_of(traceparent: str) -> str:
    return traceparent.split("-")[1]


async def headers_of(handle: WorkflowHandle[object, object]) -> set[str]:
    """Every header in a history, with its value checked for form."""
    names: set[str] = set()
    for event in (await handle.fetch_history()).events:
        for attributes in (
            event.workflow_execution_started_event_attributes,
            event.activity_task_scheduled_event_attributes,
            event.workflow_execution_update_accepted_event_attributes.accepted_request.input,
            event.workflow_execution_continued_as_new_event_attributes,
        ):
            names |= set(attributes.header.fields)
    return names


async def test_activities_belong_to_the_trace_of_the_start_or_of_the_update(
    temporal_server: TemporalServer, task_queue: str, exported: InMemorySpanExporter
) -> None:
    metrics = Metrics()
    client = await temporal_server.connect(interceptors=[TracingInterceptor(on_activity=metrics.observe_activity)])
    with ThreadPoolExecutor(4) as pool:
        async with worker_of(client, task_queue, pool):
            with span("http.request"):
                started = traceparent_of_current() or ""
                handle = await client.start_workflow(Seen.run, args=[0, True], id=task_queue, task_queue=task_queue)
            with span("http.request"):
                decided = traceparent_of_current() or ""
                in_update, name = await handle.execute_update(Seen.decide)
            at_start = await handle.result()
    assert name == at_start[1] == "seen.normal"
    assert trace_of(at_start[0]) == trace_of(at_start[2]) == trace_of(started)
    assert trace_of(in_update) == trace_of(decided) != trace_of(started)

    activities = [each for each in exported.get_finished_spans() if each.name == "activity"]
    parents = sorted(f"{each.parent.span_id:016x}" for each in activities if each.parent is not None)
    assert parents == sorted([started.split("-")[2]] * 2 + [decided.split("-")[2]])
    assert {(each.attributes or {})["activity"] for each in activities} == {"seen.normal", "seen.short"}
    assert b'casework_activity_seconds_count{activity="seen.normal",result="ok"} 2.0' in metrics.render()

    assert await headers_of(handle) == {"traceparent"}
    # A worker without the interceptor replays the history: headers are no part of what must repeat.
    replayer = Replayer(
        workflows=[Seen],
        workflow_runner=STRICT_RUNNER,
        namespace=temporal_server.namespace,
        data_converter=client.data_converter,
    )
    await replayer.replay_workflow(await handle.fetch_history())


async def test_the_trace_goes_on_in_the_next_run(
    temporal_server: TemporalServer, task_queue: str, exported: InMemorySpanExporter
) -> None:
    client = await temporal_server.connect(interceptors=[TracingInterceptor()])
    with ThreadPoolExecutor(4) as pool:
        async with worker_of(client, task_queue, pool):
            with span("http.request"):
                started = traceparent_of_current() or ""
                handle = await client.start_workflow(Seen.run, args=[1, False], id=task_queue, task_queue=task_queue)
            in_second_run = await handle.result()
    assert trace_of(in_second_run[0]) == trace_of(started)
    assert await headers_of(client.get_workflow_handle(task_queue, run_id=handle.first_execution_run_id)) == {
        "traceparent"
    }


async def test_without_a_trace_no_header_is_sent_and_each_activity_is_a_trace_of_its_own(
    temporal_server: TemporalServer, task_queue: str, exported: InMemorySpanExporter
) -> None:
    client = await temporal_server.connect(interceptors=[TracingInterceptor()])
    with ThreadPoolExecutor(4) as pool:
        async with worker_of(client, task_queue, pool):
            handle = await client.start_workflow(Seen.run, args=[0, False], id=task_queue, task_queue=task_queue)
            await handle.result()
    assert await headers_of(handle) == set()
    assert [each.parent for each in exported.get_finished_spans()] == [None, None]


async def test_of_a_failing_activity_the_span_tells_type_and_code(
    temporal_server: TemporalServer, task_queue: str, exported: InMemorySpanExporter
) -> None:
    metrics = Metrics()
    client = await temporal_server.connect(interceptors=[TracingInterceptor(on_activity=metrics.observe_activity)])
    with ThreadPoolExecutor(4) as pool:
        async with worker_of(client, task_queue, pool):
            with pytest.raises(WorkflowFailureError):
                await client.execute_workflow(Fails.run, id=task_queue, task_queue=task_queue)
    (out,) = exported.get_finished_spans()
    assert (out.attributes or {})["error"] == "ApplicationError"
    assert (out.attributes or {})["error_code"] == "no-such-thing"
    assert CANARY not in out.to_json()
    assert b'casework_activity_seconds_count{activity="seen.fails",result="failed"} 1.0' in metrics.render()


def test_the_native_part_can_be_told_to_log_through_us() -> None:
    assert Runtime(telemetry=core_telemetry()) is not None
