"""Decision forms as JSON Schema (2020-12) with labels in the reader's language, from the models that parse them."""

import copy
from functools import cache
from typing import Any, Final

from models.domain.forms import FORMS, reason_codes
from models.domain.states import Outcome, TaskType
from models.texts.render import render

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(task_type: TaskType, locale: str) -> dict[str, Any]:
    """What a decision on such a task may hold: one alternative per outcome, told apart by `outcome`."""
    return copy.deepcopy(_schema(task_type, locale))


@cache
def _schema(task_type: TaskType, locale: str) -> dict[str, Any]:
    return {
        "$schema": DIALECT,
        "$id": f"urn:casework:decision-form:{task_type}",
        "title": render(f"task.{task_type}.name", {}, locale),
        "type": "object",
        "required": ["outcome"],
        "oneOf": [_alternative(task_type, outcome, locale) for outcome in FORMS[task_type]],
    }


def _alternative(task_type: TaskType, outcome: Outcome, locale: str) -> dict[str, Any]:
    schema = FORMS[task_type][outcome].model_json_schema(by_alias=True)
    # `outcome` first and the remark last, as a person fills it in.
    names = sorted(schema["properties"], key=lambda name: (name != "outcome", name in {"note", "shownHash"}))
    properties = {name: _property(name, schema["properties"][name], locale) for name in names}
    properties["outcome"]["title"] = render(f"outcome.{outcome}", {}, locale)
    codes = reason_codes(task_type, outcome)
    if codes:
        del properties["reasonCode"]["enum"]
        properties["reasonCode"]["oneOf"] = [
            {"const": code, "title": render(f"reason.{code}", {}, locale)} for code in codes
        ]
    return {
        "title": render(f"outcome.{outcome}", {}, locale),
        "type": "object",
        "additionalProperties": False,
        "required": schema["required"],
        "properties": properties,
    }


def _property(name: str, found: dict[str, Any], locale: str) -> dict[str, Any]:
    """One field. An optional one may also be null: then the types stand in one list, which forms can draw."""
    rules = dict(found)
    alternatives = rules.pop("anyOf", None)
    if alternatives is not None:
        rules = {**next(each for each in alternatives if each.get("type") != "null")}
        rules["type"] = [rules["type"], "null"]
    rules.pop("default", None)
    rules["title"] = render(f"form.{name}.title", {}, locale)
    rules["description"] = render(f"form.{name}.help", {}, locale)
    return rules
