"""The form a client draws is the form the server reads, in both languages."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.forms import parse_decision, reason_codes
from models.domain.states import OUTCOMES, Outcome, TaskType
from models.errors import FormInvalid
from models.texts.forms import DIALECT, json_schema
from models.texts.render import LOCALES

SHOWN = "0f" * 32


def fits(schema: dict[str, Any], value: object) -> bool:
    """As much of JSON Schema as our forms use."""
    types: dict[str, Any] = {"string": str, "integer": int, "null": type(None)}
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, bool) or (kinds and not isinstance(value, tuple(types[kind] for kind in kinds))):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "oneOf" in schema and sum(fits(each, value) for each in schema["oneOf"]) != 1:
        return False
    if isinstance(value, str):
        found = re.search(schema.get("pattern", ""), value.removesuffix("\n") + "\n" * value.endswith("\n"))
        long = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9)
        return long and found is not None
    if isinstance(value, int):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def form_fits(schema: dict[str, Any], body: dict[str, Any]) -> bool:
    def alternative(each: dict[str, Any]) -> bool:
        known = set(each["properties"])
        complete = set(each["required"]) <= set(body) <= known
        return complete and all(fits(each["properties"][name], value) for name, value in body.items())

    return sum(alternative(each) for each in schema["oneOf"]) == 1


_BODIES = st.fixed_dictionaries(
    {"outcome": st.sampled_from([outcome.value for outcome in Outcome])},
    optional={
        "reasonCode": st.sampled_from(["no-hardship", "documents-missing", "terms-unsuitable", "wrong-choice", "x"]),
        "note": st.sampled_from(["x", "", " ", "长" * 2000, "长" * 2001, None, 7]),
        "shownHash": st.sampled_from([SHOWN, SHOWN[1:], None]),
        "amountMinor": st.sampled_from([0, 1, 2_000_000_000, 2_000_000_001, True, "1"]),
        "termMonths": st.sampled_from([0, 1, 60, 61]),
        "concessionBps": st.sampled_from([-1, 0, 10_000, 10_001]),
        "openAccounts": st.sampled_from([0, 10_001]),
        "monthlyObligationMinor": st.sampled_from([0, -1]),
        "worstDaysPastDue": st.sampled_from([0, None]),
        "reportedAt": st.sampled_from(["2026-11-23T02:30:00Z", "2026-11-23T02:30:00+08:00", "yesterday"]),
        "reference": st.sampled_from(["CAC-2026/17", "", "有号"]),
        "evidence": st.sampled_from(["receipt-17", "-"]),
    },
)


@pytest.mark.parametrize("task_type", list(TaskType))
def test_the_schema_lets_through_exactly_what_the_parser_reads(task_type: TaskType) -> None:
    schema = json_schema(task_type, "en")

    @given(_BODIES)
    def check(body: dict[str, Any]) -> None:
        try:
            parse_decision(task_type, body)
        except FormInvalid:
            read = False
        else:
            read = True
        assert form_fits(schema, body) == read

    check()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("task_type", list(TaskType))
def test_every_field_outcome_and_reason_has_words(task_type: TaskType, locale: str) -> None:
    schema = json_schema(task_type, locale)
    assert schema["$schema"] == DIALECT
    assert [each["properties"]["outcome"]["const"] for each in schema["oneOf"]] == list(OUTCOMES[task_type])
    for outcome, each in zip(OUTCOMES[task_type], schema["oneOf"], strict=True):
        assert each["title"]
        for field in each["properties"].values():
            assert field["title"]
            assert field["description"]
        told = each["properties"].get("reasonCode", {"oneOf": []})["oneOf"]
        assert tuple(reason["const"] for reason in told) == reason_codes(task_type, outcome)
        assert all(reason["title"] != reason["const"] for reason in told)
    text = json.dumps(schema, ensure_ascii=False)
    assert (re.search("[一-鿿]", text) is not None) == (locale == "zh-CN")


def test_a_schema_given_away_can_be_changed_without_harm() -> None:
    json_schema(TaskType.APPROVAL, "en")["oneOf"].clear()
    assert json_schema(TaskType.APPROVAL, "en")["oneOf"]
