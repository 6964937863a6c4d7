"""The gate's forms: what identifies a case gets through, what identifies a person does not."""

import math
import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.telemetry.fields import REDACTED, clean, is_code, redact_foreign
from models.domain.ids import installment_workflow_id
from models.domain.tokens import new_case_token, new_token, uuid7

PERSONAL = [
    "110101199003074477",
    "11010119900307445X",
    "11010119900307445x",
    "110101900307445",
    "6222021234567890128",
    "6222 0212 3456 7890",
    "6222-0212-3456-7890",
    "13812345678",
    "138 1234 5678",
    "+8613812345678",
    "H12345678",
    "M1234567890",
    "E12345678",
    "zhang.wei@example.com",
]


def test_our_own_identifiers_get_through_whatever_digits_they_hold() -> None:
    token = new_case_token("main")
    values = {
        "case_token": token,
        "workflow_id": installment_workflow_id(token),
        "task_id": new_token("tsk"),
        "decision_id": uuid7(datetime(2026, 11, 21, tzinfo=UTC)),
        "event_id": str(uuid.UUID(int=int("13812345678", 16))),
        "trace_id": "1" * 32,
        "tenant": "main",
        "status": 201,
        "duration_ms": 12.5,
        "route": "/v1/tasks/{task_id}/decisions",
        "error_at": "compliance.audit.seal:88",
        "address": "http://127.0.0.1:8123",
        "rule_id": "CCM-70a",
        "queues": ["cases", "gateways"],
        "attempt": True,
        "outcome": None,
    }
    assert clean(values) == ({**values, "queues": "cases,gateways"}, 0)


@pytest.mark.parametrize("personal", PERSONAL)
@pytest.mark.parametrize(
    "field",
    ["case_token", "decision_id", "reason", "action", "route", "tenant", "queues", "address", "error", "version"],
)
def test_a_number_of_a_person_gets_through_no_field(field: str, personal: str) -> None:
    for value in (personal, f"x.{personal}", f"{personal}-x", [personal]):
        assert clean({field: value})[0] == {field: REDACTED}


def test_a_number_of_a_person_gets_through_no_number() -> None:
    assert clean({"count": 13812345678, "rows": 110101199003074477, "size": 1e300, "lag_s": math.nan}) == (
        dict.fromkeys(("count", "rows", "size", "lag_s"), REDACTED),
        4,
    )


@pytest.mark.parametrize("name", ["name", "id_number", "mobile", "note", "message", "sql", "url", "body", "张伟"])
def test_a_field_that_is_not_on_the_list_is_dropped_and_counted(name: str) -> None:
    assert clean({name: "x", "count": 1}) == ({"count": 1}, 1)


@given(st.text(min_size=1).filter(lambda text: not text.isascii() or any(c in text for c in " \n\t'\"{}<>[]@")))
def test_a_sentence_or_a_chinese_name_is_no_value(text: str) -> None:
    for field in ("reason", "case_token", "tenant", "error"):
        assert clean({field: text})[0] == {field: REDACTED}
    assert not is_code(text)


@pytest.mark.parametrize("personal", [*PERSONAL, "张伟", "北京市朝阳区建国路88号"])
@pytest.mark.parametrize(
    "template", ["user {} failed", "value='{}'", 'bad "{}', "got {{'name': {}}}", "{}", "<{}>", "k={},"]
)
def test_a_foreign_message_loses_its_payload(template: str, personal: str) -> None:
    redacted = redact_foreign(template.format(personal))
    assert personal not in redacted
    assert "[redacted]" in redacted


def test_a_foreign_message_keeps_its_words() -> None:
    assert redact_foreign("Can't connect to server, retrying in 5 s") == "Cant connect to server, retrying in 5 s"
    assert redact_foreign("Completing activity as failed ({'activity_id': '1'})") == (
        "Completing activity as failed ([redacted])"
    )
    assert len(redact_foreign("x" * 10_000)) == 200
