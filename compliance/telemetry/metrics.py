"""The product's metrics. Labels come from code (route templates, states, kinds): none names a case or a person."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from compliance.telemetry.fields import FORMS, REDACTED, clean_value, is_code

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
OTHER: Final = "other"
_REQUEST_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_ACTIVITY_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0)

Readings = Callable[[], Mapping[str, float]]


@dataclass(slots=True)
class Metrics:
    """One registry with everything in it; each process makes its own."""

    registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=True))
    _requests: Counter = field(init=False)
    _request_seconds: Histogram = field(init=False)
    _decisions: Counter = field(init=False)
    _drift: Counter = field(init=False)
    _relay: Counter = field(init=False)
    _sealed: Counter = field(init=False)
    _activity_seconds: Histogram = field(init=False)
    _dropped: Counter = field(init=False)
    _sealer_lag: Gauge = field(init=False)
    _readings: "_Readings" = field(init=False)

    def __post_init__(self) -> None:
        """Register them all, so that a metric is there before its first event."""
        registry = self.registry
        labels = ("method", "route", "status")
        self._requests = Counter("casework_http_requests", "HTTP requests by route template", labels, registry=registry)
        self._request_seconds = Histogram(
            "casework_http_request_seconds", "Duration of HTTP requests by route template", ("method", "route"),
            buckets=_REQUEST_SECONDS, registry=registry,
        )  # fmt: skip
        self._decisions = Counter(
            "casework_decisions", "Decisions by the state they came to", ("state",), registry=registry
        )
        self._drift = Counter(
            "inbox_drift", "Rows of the inbox that the reconciler mended", ("kind",), registry=registry
        )
        self._relay = Counter(
            "casework_relay_sends", "Sends of the relay by kind and result", ("kind", "result"), registry=registry
        )
        self._sealed = Counter("casework_audit_sealed", "Audit events given their place", registry=registry)
        self._activity_seconds = Histogram(
            "casework_activity_seconds", "Duration of one attempt of an activity", ("activity", "result"),
            buckets=_ACTIVITY_SECONDS, registry=registry,
        )  # fmt: skip
        self._dropped = Counter("casework_log_fields_dropped", "Fields that the log gate held back", registry=registry)
        self._sealer_lag = Gauge(
            "casework_audit_seal_lag_seconds", "Age of the oldest event without a place", registry=registry
        )
        self._readings = _Readings()
        registry.register(self._readings)
        ProcessCollector(registry=registry)  # memory, processor time and open files of this process

    def observe_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. `route` is the template (`/v1/tasks/{task_id}`), never the path."""
        where = route if clean_value(FORMS["route"], route) != REDACTED else OTHER
        self._requests.labels(_label(method), where, str(status)).inc()
        self._request_seconds.labels(_label(method), where).observe(seconds)

    def count_decision(self, *, state: str) -> None:
        """Count a decision that came to a state."""
        self._decisions.labels(_label(state)).inc()

    def count_drift(self, *, kind: str, rows: int = 1) -> None:
        """Count rows that the reconciler had to mend."""
        self._drift.labels(_label(kind)).inc(rows)

    def count_relay(self, *, kind: str, result: str) -> None:
        """Count one send of the relay."""
        self._relay.labels(_label(kind), _label(result)).inc()

    def count_sealed(self, events: int, *, lag_seconds: float = 0.0) -> None:
        """Count sealed events and set how old the oldest unsealed one is."""
        self._sealed.inc(events)
        self._sealer_lag.set(lag_seconds)

    def count_dropped(self, fields: int) -> None:
        """Count fields that the log gate held back; fits `configure_logging(on_drop=…)`."""
        self._dropped.inc(fields)

    def observe_activity(self, activity: str, result: str, seconds: float) -> None:
        """Observe one attempt; fits `TracingInterceptor(on_activity=…)`."""
        self._activity_seconds.labels(_label(activity), _label(result)).observe(seconds)

    def read_open_tasks(self, read: Readings) -> None:
        """Open tasks by type, read when somebody scrapes."""
        self._readings.add("casework_tasks_open", "Open tasks by type", "type", read)

    def read_outbox_age(self, read: Callable[[], float]) -> None:
        """Age of the oldest open outbox row in seconds, read when somebody scrapes."""
        self._readings.add(
            "casework_outbox_age_seconds", "Age of the oldest open outbox row", None, lambda: {"": read()}
        )

    def render(self) -> bytes:
        """The Prometheus text; its media type is `CONTENT_TYPE`."""
        return generate_latest(self.registry)


def _label(value: str) -> str:
    return value if is_code(value) else OTHER


class _Readings(Collector):
    """Gauges that ask when scraped. One that cannot answer is left out and counted; the others are still there."""

    def __init__(self) -> None:
        self._sources: list[tuple[str, str, str | None, Readings]] = []
        self._failed = 0

    def add(self, name: str, text: str, label: str | None, read: Readings) -> None:
        self._sources.append((name, text, label, read))

    def describe(self) -> Iterable[Metric]:
        return ()  # asked at registration, when there is nothing to read from yet

    def collect(self) -> Iterator[Metric]:
        for name, text, label, read in self._sources:
            try:
                values = read()
            except Exception:  # noqa: BLE001  a scrape must not fail with the database
                self._failed += 1
                continue
            family = GaugeMetricFamily(name, text, labels=[label] if label is not None else [])
            for key, value in values.items():
                family.add_metric([_label(key)] if label is not None else [], value)
            yield family
        yield GaugeMetricFamily("casework_scrape_failures", "Readings that failed so far", value=self._failed)
