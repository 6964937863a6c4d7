"""Carries `traceparent`, and nothing else, through Temporal's headers; one short span for each attempt of an activity.

Give the interceptor to the client alone: workers take it over from there, and twice would make two spans. Workflow code
sees bytes that it copies from the start or the Update to the activities: nothing in it depends on a clock, on the
process or on whether tracing is on.
"""

import logging
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final, NoReturn

import structlog
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Interceptor as ClientInterceptor,
)
from temporalio.client import (
    OutboundInterceptor,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.runtime import LogForwardingConfig, LoggingConfig, TelemetryConfig, TelemetryFilter
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle, ChildWorkflowHandle

from compliance.telemetry.failures import error_fields
from compliance.telemetry.traces import span, traceparent_of_current, valid_traceparent

HEADER: Final = "traceparent"
_ENCODING: Final = {"encoding": b"json/plain"}

Headers = Mapping[str, Payload]
OnActivity = Callable[[str, str, float], None]

# The header of the start or Update whose handler runs now; each handler is a task with a context of its own.
_carried: ContextVar[Payload | None] = ContextVar("casework_traceparent", default=None)


def core_telemetry() -> TelemetryConfig:
    """Logs of the SDK's native part through Python's logging, and so through the gate, not straight to the console."""
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"), append_log_fields_to_message=False)
    filters = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return TelemetryConfig(logging=LoggingConfig(filter=filters, forwarding=forwarding))


class TracingInterceptor(ClientInterceptor, Interceptor):
    """Client and worker side in one. `on_activity` is told activity, result (`ok`, `failed`) and seconds of a try."""

    def __init__(self, *, on_activity: OnActivity | None = None) -> None:
        """Keep whom to tell."""
        self._on_activity = on_activity

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        """The client's side."""
        return _ClientOutbound(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """The activities' side."""
        return _ActivityInbound(next, self._on_activity)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:  # noqa: ARG002
        """The workflows' side."""
        return _WorkflowInbound


def _header() -> dict[str, Payload]:
    value = traceparent_of_current()
    return {} if value is None else {HEADER: Payload(metadata=_ENCODING, data=f'"{value}"'.encode())}


def _value_of(headers: Headers) -> str | None:
    payload = headers.get(HEADER)
    return None if payload is None else valid_traceparent(payload.data.decode("ascii", "replace").strip('"'))


class _ClientOutbound(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        input.headers = _header()
        return await super().start_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        input.headers = _header()
        return await super().start_workflow_update(input)


class _ActivityInbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, on_activity: OnActivity | None) -> None:
        super().__init__(next)
        self._on_activity = on_activity

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        ids = {"activity": info.activity_type, "workflow_id": info.workflow_id, "attempt": info.attempt}
        began, result = time.perf_counter(), "failed"
        try:
            with (
                structlog.contextvars.bound_contextvars(**ids),
                span("activity", traceparent=_value_of(input.headers), **ids),
            ):
                answer = await super().execute_activity(input)
            result = "ok"
        except Exception as error:
            structlog.get_logger(__name__).warning("activity.failed", **ids, **error_fields(error))
            raise
        finally:
            if self._on_activity is not None:
                self._on_activity(info.activity_type, result, time.perf_counter() - began)
        return answer


class _WorkflowInbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        super().init(_WorkflowOutbound(outbound))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        _carried.set(input.headers.get(HEADER))
        return await super().execute_workflow(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        _carried.set(input.headers.get(HEADER))
        return await super().handle_update_handler(input)


class _WorkflowOutbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        input.headers = _carried_header()
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> ActivityHandle[Any]:
        input.headers = _carried_header()
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> ChildWorkflowHandle[Any, Any]:
        input.headers = _carried_header()
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        input.headers = _carried_header()
        super().continue_as_new(input)


def _carried_header() -> dict[str, Payload]:
    payload = _carried.get()
    return {} if payload is None else {HEADER: payload}
