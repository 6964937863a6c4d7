"""Telemetry of one process: logs to standard error, spans to a file, metrics to the registry that `/metrics` shows."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from temporalio.runtime import Runtime

from compliance.telemetry.logs import configure_logging, route_uncaught
from compliance.telemetry.metrics import Metrics
from compliance.telemetry.temporal import TracingInterceptor, core_telemetry
from compliance.telemetry.traces import JsonLinesExporter, install_tracing, tracer_provider
from deploy import datadir
from deploy.values import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Telemetry:
    """What the parts of a process report to."""

    metrics: Metrics
    interceptor: TracingInterceptor


@contextmanager
def telemetry(settings: Settings, *, component: str) -> Iterator[Telemetry]:
    """Switch telemetry on for this process; everything that leaves it goes through the allow-list of fields."""
    metrics = Metrics()
    configure_logging(json=settings.log_json, on_drop=metrics.count_dropped)
    # A line per case and request of the SDK's and the HTTP client's own says nothing that our events do not.
    for name in ("httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    route_uncaught()
    Runtime.set_default(Runtime(telemetry=core_telemetry()), error_if_already_set=False)
    settings.data.logs.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    # Several processes of one kind may share the directory in production; the embedded app is alone.
    name = f"traces-{component}-{os.getpid()}.jsonl" if settings.is_production else f"traces-{component}.jsonl"
    provider = tracer_provider(JsonLinesExporter(settings.data.logs / name), component=component)
    restore = install_tracing(provider)
    try:
        yield Telemetry(metrics=metrics, interceptor=TracingInterceptor(on_activity=metrics.observe_activity))
    finally:
        restore()
        provider.shutdown()
