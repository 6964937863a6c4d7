"""Traces: short spans with names from code and allow-listed attributes; no events, no links, no texts of exceptions.

The gate is the exporter, since a finished span cannot be changed any more; whatever instrumentation writes, only this
gets out. Spans go to a file of JSON lines, one per process. Only `traceparent` (W3C) crosses a border, never
`tracestate` or baggage.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from compliance.telemetry.failures import error_fields
from compliance.telemetry.fields import REDACTED, Scalar, clean, is_code

SCOPE: Final = "casework"
_TRACEPARENT: Final = re.compile(r"\A00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")
_SPAN_NAME: Final = re.compile(r"\A[a-z][a-z_]*(?:[.-][a-z_]+)*\Z")
_MAX_NAME: Final = 60
_MAX_FILE_BYTES: Final = 64 * 1024 * 1024

_provider: trace.TracerProvider = trace.NoOpTracerProvider()


def install_tracing(provider: trace.TracerProvider) -> Callable[[], None]:
    """Let `span` make its spans with this provider; returns what puts the former one back."""
    global _provider
    former, _provider = _provider, provider

    def restore() -> None:
        global _provider  # noqa: PLW0603
        _provider = former

    return restore


def tracer_provider(exporter: SpanExporter, *, component: str, batch: bool = True) -> TracerProvider:
    """A provider whose spans reach `exporter` only through the allow-list. `shutdown()` flushes it.

    `component` names the process (`app`, `bulk`, `api`, `worker`).
    """
    # Built by hand: `Resource.create` would add what stands in the environment.
    resource = Resource({"service.name": SCOPE, "service.component": component if is_code(component) else REDACTED})
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    gate = AllowListExporter(exporter)
    provider.add_span_processor(BatchSpanProcessor(gate) if batch else SimpleSpanProcessor(gate))
    return provider


@contextmanager
def span(name: str, /, traceparent: str | None = None, **ids: Scalar) -> Iterator[trace.Span]:
    """One short span around an act of the machine; never around a wait for a person or a timer.

    `name` is a constant of dotted lower-case words. `traceparent` links to another process; without it the span
    continues the present one. `ids` are fields of `fields.FORMS`; None is left out.

    Raises:
        ValueError: the name is not of that form.
    """
    if not _is_span_name(name):
        raise ValueError("a span's name is a constant of dotted lower-case words")
    tracer = _provider.get_tracer(SCOPE)
    attributes = {key: value for key, value in ids.items() if value is not None}
    parent = _context_of(traceparent)
    with tracer.start_as_current_span(
        name, context=parent, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as current:
        try:
            yield current
        except BaseException as error:
            current.set_attributes({key: value for key, value in error_fields(error).items() if value is not None})
            current.set_status(Status(StatusCode.ERROR))
            raise


def traceparent_of_current() -> str | None:
    """The W3C header of the span that is open here; None if there is none."""
    context = trace.get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def valid_traceparent(value: object) -> str | None:
    """The value if it is a `traceparent` of version 00 that names a span; a header from outside may be anything."""
    match = _TRACEPARENT.match(value) if isinstance(value, str) else None
    if match is None or not int(match[1], 16) or not int(match[2], 16):
        return None
    return match[0]


def _context_of(traceparent: str | None) -> otel_context.Context | None:
    value = valid_traceparent(traceparent)
    if value is None:
        return None  # the span that is open here, if any
    _, trace_id, span_id, _ = value.split("-")
    remote = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(remote))


def _is_span_name(name: str) -> bool:
    return len(name) <= _MAX_NAME and _SPAN_NAME.match(name) is not None


class AllowListExporter(SpanExporter):
    """Passes on copies of spans that hold only what the allow-list knows."""

    def __init__(self, inner: SpanExporter) -> None:
        """Pass on to `inner`."""
        self._inner = inner

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Clean and pass on."""
        return self._inner.export([_cleaned(each) for each in spans])

    def shutdown(self) -> None:
        """Shut the inner one down."""
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the inner one."""
        return self._inner.force_flush(timeout_millis)


def _cleaned(span: ReadableSpan) -> ReadableSpan:
    attributes, _ = clean(dict(span.attributes or {}))
    for event in span.events:  # of an exception the type stays
        kind = (event.attributes or {}).get("exception.type")
        if kind is not None and "error" not in attributes:
            attributes["error"] = clean({"error": str(kind).rpartition(".")[2]})[0]["error"]
    scope = span.instrumentation_scope
    ours = scope is not None and scope.name == SCOPE
    return ReadableSpan(
        name=span.name if ours and _is_span_name(span.name) else REDACTED,
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=Resource({key: value for key, value in span.resource.attributes.items() if key in _RESOURCE_KEYS}),
        attributes={key: value for key, value in attributes.items() if value is not None},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=InstrumentationScope(SCOPE),
    )


_RESOURCE_KEYS: Final = frozenset({"service.name", "service.component"})


def _bare(context: SpanContext | None) -> SpanContext | None:
    """Ids only: a trace state from outside may say anything."""
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


class JsonLinesExporter(SpanExporter):
    """One JSON object per span and line, in a file of the process; at 64 MiB it starts anew and keeps the last."""

    def __init__(self, path: Path, *, max_bytes: int = _MAX_FILE_BYTES) -> None:
        """Append to `path`, which no other process writes."""
        self._path = path
        self._max_bytes = max_bytes

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Append; a disk that is full costs traces, nothing else."""
        lines = "".join(json.dumps(_as_line(each), ensure_ascii=True) + "\n" for each in spans)
        try:
            if self._path.exists() and self._path.stat().st_size > self._max_bytes:
                self._path.replace(self._path.with_name(self._path.name + ".1"))
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="ascii") as file:
                file.write(lines)
        except OSError:
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS


def _as_line(span: ReadableSpan) -> dict[str, object]:
    start, end = span.start_time or 0, span.end_time or 0
    context = span.context
    return {
        "name": span.name,
        "trace": f"{context.trace_id:032x}" if context is not None else None,
        "span": f"{context.span_id:016x}" if context is not None else None,
        "parent": f"{span.parent.span_id:016x}" if span.parent is not None else None,
        "start_ns": start,
        "duration_us": (end - start) // 1000,
        "status": span.status.status_code.name,
        "component": span.resource.attributes.get("service.component"),
        "attributes": dict(span.attributes or {}),
    }
