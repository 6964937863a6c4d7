"""Spans leave with ids and codes only; whatever else instrumentation writes into them stays inside."""

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags, TraceState

from compliance.telemetry.fields import REDACTED
from compliance.telemetry.metrics import Metrics
from compliance.telemetry.requests import request_spans
from compliance.telemetry.traces import (
    AllowListExporter,
    JsonLinesExporter,
    install_tracing,
    span,
    traceparent_of_current,
    tracer_provider,
    valid_traceparent,
)
from models.errors import DatabaseBusy

CANARY = "110101199003074477"
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = tracer_provider(exporter, component="app", batch=False)
    restore = install_tracing(provider)
    yield exporter
    restore()
    provider.shutdown()


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Path]:
    provider = tracer_provider(JsonLinesExporter(tmp_path / "traces.jsonl"), component="app", batch=False)
    restore = install_tracing(provider)
    yield tmp_path / "traces.jsonl"
    restore()
    provider.shutdown()


def leak_everywhere(provider: TracerProvider) -> None:
    """What instrumentation libraries do: personal data at seven places of a span."""
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("bank", CANARY)]))
    tracer = provider.get_tracer("somebody.else", attributes={"x": CANARY})
    with (
        pytest.raises(ValueError, match=CANARY),
        tracer.start_as_current_span(
            f"GET /subjects/{CANARY}",
            context=trace.set_span_in_context(trace.NonRecordingSpan(context)),
            links=[Link(context, {"who": CANARY})],
            attributes={"http.url": f"http://x/{CANARY}", "db.statement": f"SELECT '{CANARY}'", "case_token": CANARY},
        ) as current,
    ):
        current.add_event(f"found {CANARY}", {"id": CANARY})
        current.set_status(Status(StatusCode.ERROR, CANARY))
        raise ValueError(CANARY)


def everything(spans: Sequence[ReadableSpan]) -> str:
    return "".join(each.to_json() + str(each.context) + str(each.parent) for each in spans)


def test_none_of_the_places_that_leak_by_default_leaks() -> None:
    plain, gated = InMemorySpanExporter(), InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "casework", "host": CANARY}))
    provider.add_span_processor(SimpleSpanProcessor(plain))
    provider.add_span_processor(SimpleSpanProcessor(AllowListExporter(gated)))
    leak_everywhere(provider)
    assert everything(plain.get_finished_spans()).count(CANARY) >= 7
    (span_out,) = gated.get_finished_spans()
    assert CANARY not in everything([span_out])
    assert span_out.name == REDACTED
    assert dict(span_out.attributes or {}) == {"case_token": REDACTED, "error": "ValueError"}
    assert (span_out.events, span_out.links) == ((), ())
    assert span_out.status.status_code is StatusCode.ERROR
    provider.shutdown()


def test_a_span_of_ours_keeps_its_name_and_its_ids(exported: InMemorySpanExporter) -> None:
    with span("outbox.relay", case_token=f"main.{'a' * 26}", attempts=2, outcome=None, name="张伟"):
        pass
    (out,) = exported.get_finished_spans()
    assert out.name == "outbox.relay"
    assert dict(out.attributes or {}) == {"case_token": f"main.{'a' * 26}", "attempts": 2}
    assert dict(out.resource.attributes) == {"service.name": "casework", "service.component": "app"}


@pytest.mark.parametrize("name", ["", "Zhang", f"reveal.{CANARY}", "查询", "a b", "a" * 61, "GET /x"])
def test_a_span_is_named_by_words_of_the_code(name: str) -> None:
    with pytest.raises(ValueError, match="span's name"), span(name):
        pass


def test_of_an_exception_a_span_keeps_type_and_code(exported: InMemorySpanExporter) -> None:
    with pytest.raises(DatabaseBusy), span("audit.seal"):
        raise DatabaseBusy(detail=CANARY)
    (out,) = exported.get_finished_spans()
    assert (out.attributes or {})["error"] == "DatabaseBusy"
    assert (out.attributes or {})["error_code"] == "database-busy"
    assert out.status.status_code is StatusCode.ERROR
    assert out.status.description is None
    assert CANARY not in everything([out])


def test_a_trace_goes_on_across_processes(exported: InMemorySpanExporter) -> None:
    with span("http.request"):
        header = traceparent_of_current()
    assert header is not None
    with span("activity", traceparent=header), span("audit.seal"):
        pass
    spans = {each.name: each for each in exported.get_finished_spans()}
    request, activity, seal = spans["http.request"], spans["activity"], spans["audit.seal"]
    assert request.context is not None
    assert activity.parent is not None
    assert seal.parent is not None
    assert activity.context is not None
    assert activity.parent.span_id == request.context.span_id
    assert seal.parent.span_id == activity.context.span_id
    assert {each.context.trace_id for each in spans.values() if each.context} == {request.context.trace_id}


def test_where_nobody_traces_nothing_is_sent_and_nothing_breaks() -> None:
    with span("http.request"):
        assert traceparent_of_current() is None


@pytest.mark.parametrize(
    "value", [None, "", "x", f"01-{'a' * 32}-{'b' * 16}-01", f"00-{'0' * 32}-{'b' * 16}-01",
              f"00-{'a' * 32}-{'0' * 16}-01", f"00-{'A' * 32}-{'b' * 16}-01", PARENT + "\n", PARENT + "-x", CANARY]
)  # fmt: skip
def test_a_header_from_outside_that_is_no_traceparent_is_ignored(value: object, exported: InMemorySpanExporter) -> None:
    assert valid_traceparent(value) is None
    with span("http.request", traceparent=value):  # type: ignore[arg-type]
        pass
    assert exported.get_finished_spans()[0].parent is None


def test_spans_are_lines_of_json_for_the_owner_alone(lines: Path) -> None:
    with span("http.request", traceparent=PARENT, route="/v1/tasks/{task_id}", status=200), span("audit.seal"):
        pass
    inner, outer = [json.loads(line) for line in lines.read_text().splitlines()]
    assert (outer["name"], outer["trace"], outer["parent"]) == ("http.request", "a" * 32, "b" * 16)
    assert outer["attributes"] == {"route": "/v1/tasks/{task_id}", "status": 200}
    assert inner["parent"] == outer["span"]
    assert outer["duration_us"] >= inner["duration_us"] >= 0
    assert lines.stat().st_mode & 0o777 == 0o600


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    provider = tracer_provider(JsonLinesExporter(path, max_bytes=2000), component="app", batch=False)
    restore = install_tracing(provider)
    for _ in range(50):
        with span("http.request"):
            pass
    restore()
    provider.shutdown()
    assert path.stat().st_size < 3000
    assert path.with_name("traces.jsonl.1").stat().st_size < 3000


def test_a_disk_that_is_full_costs_traces_only(tmp_path: Path) -> None:
    exporter: SpanExporter = JsonLinesExporter(tmp_path / "no" / "such" / "folder")
    assert exporter.export([]) is SpanExportResult.FAILURE


def test_lines_of_the_log_carry_the_span(exported: InMemorySpanExporter, caplog: pytest.LogCaptureFixture) -> None:
    from compliance.telemetry.logs import _GateFormatter

    formatter = _GateFormatter(as_json=True, on_drop=lambda _: None)
    with span("http.request", traceparent=PARENT):
        logging.getLogger("x").warning("inside")
        line = json.loads(formatter.format(caplog.records[-1]))
    assert line["trace_id"] == "a" * 32


def test_a_request_is_one_span_and_one_count(exported: InMemorySpanExporter) -> None:
    metrics = Metrics()
    with request_spans(metrics)("GET", PARENT) as request:
        assert request.trace_id == "a" * 32
        assert (traceparent_of_current() or "").split("-")[1] == "a" * 32
        request.finish(route="/v1/tasks/{task_id}", status=200)
    (out,) = exported.get_finished_spans()
    assert dict(out.attributes or {}) == {"method": "GET", "route": "/v1/tasks/{task_id}", "status": 200}
    assert (
        b'casework_http_requests_total{method="GET",route="/v1/tasks/{task_id}",status="200"} 1.0' in metrics.render()
    )


def test_a_request_has_an_id_even_where_nobody_traces() -> None:
    start = request_spans(Metrics())
    with start("GET", PARENT) as request:
        assert request.trace_id == "a" * 32
    with start("GET", "nonsense") as one, start("GET", None) as other:
        assert len(one.trace_id) == len(other.trace_id) == 32
        assert one.trace_id != other.trace_id
