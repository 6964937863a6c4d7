"""The trace that a request belongs to, for what goes on after its answer."""

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator


def current_traceparent() -> str | None:
    """The W3C `traceparent` of the span under way, or None where nobody traces."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")
