"""What is counted, and that no label can name a case or a person."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from compliance.telemetry.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_each_act_is_counted_under_its_name() -> None:
    metrics = Metrics()
    metrics.observe_request(method="POST", route="/v1/tasks/{task_id}/decisions", status=201, seconds=0.02)
    metrics.count_decision(state="APPLIED")
    metrics.count_drift(kind="task-missing")
    metrics.count_drift(kind="task-missing", rows=2)
    metrics.count_relay(kind="decision", result="accepted")
    metrics.count_sealed(7, lag_seconds=0.4)
    metrics.count_dropped(3)
    metrics.observe_activity("tasks.open_task", "ok", 0.003)
    found = samples(metrics)
    route = ("route", "/v1/tasks/{task_id}/decisions")
    assert found["casework_http_requests_total", (("method", "POST"), route, ("status", "201"))] == 1
    assert found["casework_http_request_seconds_sum", (("method", "POST"), route)] == 0.02
    assert found["casework_decisions_total", (("state", "APPLIED"),)] == 1
    assert found["inbox_drift_total", (("kind", "task-missing"),)] == 3
    assert found["casework_relay_sends_total", (("kind", "decision"), ("result", "accepted"))] == 1
    assert found["casework_audit_sealed_total", ()] == 7
    assert found["casework_audit_seal_lag_seconds", ()] == 0.4
    assert found["casework_log_fields_dropped_total", ()] == 3
    assert found["casework_activity_seconds_count", (("activity", "tasks.open_task"), ("result", "ok"))] == 1


def test_gauges_are_read_when_somebody_looks() -> None:
    metrics = Metrics()
    tasks, age = {"installments.documents": 3.0}, [12.5]
    metrics.read_open_tasks(lambda: tasks)
    metrics.read_outbox_age(lambda: age[0])
    assert samples(metrics)["casework_tasks_open", (("type", "installments.documents"),)] == 3
    tasks["installments.documents"], age[0] = 4, 0.0
    found = samples(metrics)
    assert found["casework_tasks_open", (("type", "installments.documents"),)] == 4
    assert found["casework_outbox_age_seconds", ()] == 0


def test_a_database_that_does_not_answer_costs_its_own_gauge_only() -> None:
    metrics = Metrics()

    def fail() -> float:
        raise OSError("13812345678")

    metrics.read_outbox_age(fail)
    metrics.count_sealed(1)
    found = samples(metrics)
    assert ("casework_outbox_age_seconds", ()) not in found
    assert found["casework_scrape_failures", ()] == 1
    assert found["casework_audit_sealed_total", ()] == 1


@pytest.mark.parametrize("value", ["110101199003074477", "张伟", "13812345678", "a b", "x" * 130])
def test_a_label_that_could_be_a_person_is_other(value: str) -> None:
    metrics = Metrics()
    metrics.observe_request(method=value, route=f"/v1/subjects/{value}", status=200, seconds=0)
    metrics.count_decision(state=value)
    metrics.count_drift(kind=value)
    metrics.count_relay(kind=value, result=value)
    metrics.observe_activity(value, value, 0)
    metrics.read_open_tasks(lambda: {value: 1.0})
    assert value not in metrics.render().decode()
    assert samples(metrics)["casework_decisions_total", (("state", "other"),)] == 1


def test_two_of_them_share_nothing() -> None:
    one, other = Metrics(), Metrics()
    one.count_sealed(1)
    assert samples(other)["casework_audit_sealed_total", ()] == 0
