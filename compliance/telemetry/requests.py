"""The span and the metrics of one HTTP request, for the outermost layer of the api (`api.edge.StartSpan`)."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

import structlog
from opentelemetry import trace

from compliance.telemetry.metrics import Metrics
from compliance.telemetry.traces import span, valid_traceparent


@dataclass(slots=True)
class RequestSpan:
    """One request. `trace_id`, 32 hex digits, is what problems and logs call the request by."""

    trace_id: str
    _span: trace.Span
    _method: str
    _metrics: Metrics
    _began: float = field(default_factory=time.perf_counter)

    def finish(self, *, route: str, status: int) -> None:
        """Close the account: the route's template (never the path) and the status that was sent."""
        self._span.set_attributes({"route": route, "status": status})
        self._metrics.observe_request(
            method=self._method, route=route, status=status, seconds=time.perf_counter() - self._began
        )


StartSpan = Callable[[str, str | None], AbstractContextManager[RequestSpan]]


def request_spans(metrics: Metrics) -> StartSpan:
    """What the edge asks for: method and incoming `traceparent` in, a request's span out. Logs in it carry its ids."""

    @contextmanager
    def start(method: str, traceparent: str | None) -> Iterator[RequestSpan]:
        with span("http.request", traceparent=traceparent, method=method) as current:
            trace_id = _trace_id(current, traceparent)
            with structlog.contextvars.bound_contextvars(request_id=trace_id):
                yield RequestSpan(trace_id, current, method, metrics)

    return start


def _trace_id(current: trace.Span, traceparent: str | None) -> str:
    """The span's; the caller's or a random one where nobody traces."""
    context = current.get_span_context()
    if context.is_valid:
        return f"{context.trace_id:032x}"
    given = valid_traceparent(traceparent)
    return given.split("-")[1] if given is not None else os.urandom(16).hex()
