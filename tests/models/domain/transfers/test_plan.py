"""A plan: each class has a template that is a valid plan; what is wrong is named with field and rule; one hash."""

from datetime import date
from typing import Any

import pytest

from models.domain.transfers.consumers import consumers_of
from models.domain.transfers.plan import Plan, plan_from_toml
from models.domain.transfers.plan_templates import as_toml, template
from models.errors import FormInvalid

STAFF = "stf_" + "0" * 26
_CONSUMER = {"name": "warehouse", "kind": "parquet", "form": "pseudonymous"}
CLASSES = [("A",), ("B",), ("C",), ("D",), ("E",), ("F",), ("E", "G")]


def _filled(classes: tuple[str, ...] = ("E",)) -> dict[str, Any]:
    plan = template(classes, cutover_on=date(2026, 12, 1), staff=STAFF)
    return plan | {"impactAssessment": "pia_" + "1" * 26} if "G" in classes else plan


@pytest.mark.parametrize("classes", CLASSES)
def test_the_template_of_each_class_is_a_plan_as_toml_and_as_json(classes: tuple[str, ...]) -> None:
    plan = Plan.read(_filled(classes), classes=classes)
    again = Plan.read(plan_from_toml(as_toml(_filled(classes))), classes=classes)
    assert again.hash() == plan.hash()
    assert Plan.read(plan.record(), classes=classes).hash() == plan.hash()


def test_the_hash_follows_every_value_and_no_spelling() -> None:
    plan = Plan.read(_filled(), classes=("E",))
    assert Plan.read(dict(reversed(_filled().items())), classes=("E",)).hash() == plan.hash()
    assert Plan.read(_filled() | {"errorBudget": 6}, classes=("E",)).hash() != plan.hash()


def _with(path: str, value: Any) -> dict[str, Any]:
    plan: dict[str, Any] = _filled()
    *parents, last = path.split("/")
    found: Any = plan
    for name in parents:
        found = found[int(name)] if isinstance(found, list) else found[name]
    found[int(last) if isinstance(found, list) else last] = value
    return plan


@pytest.mark.parametrize(
    ("path", "value", "pointer", "code"),
    [
        ("errorBudget", 1_001, "/plan/errorBudget", "too-large"),
        ("waveRows", 0, "/plan/waveRows", "too-small"),
        ("wavesAtOnce", 21, "/plan/wavesAtOnce", "too-large"),
        ("scope/fields/3", "shoe_size", "/plan/scope/fields/3", "not-one-of"),
        ("scope/fields", ["name"], "/plan/scope/fields", "plan-field-needed"),
        ("scope/classes/0", "hobbies", "/plan/scope/classes/0", "not-one-of"),
        ("scope/classes", ["contact"], "/plan/scope/fields", "plan-field-needed"),
        ("scope/dataGrade", "secret", "/plan/scope/dataGrade", "not-one-of"),
        ("timetable/0/stage", "lunch", "/plan/timetable/0/stage", "not-one-of"),
        ("timetable/0/ends", "2020-01-01", "/plan/timetable/0/ends", "ends-before-it-begins"),
        ("owners/0/staff", "张三", "/plan/owners/0/staff", "pattern"),
        ("owners/0/department", "privacy", "/plan/owners", "named-twice"),
        ("risks", [], "/plan/risks", "too-short"),
        ("emergency/steps", [], "/plan/emergency/steps", "too-short"),
        ("keyDifferences", {"email": "keep"}, "/plan/keyDifferences/email", "not-one-of"),
        ("consumers", [{"name": "crm", "kind": "hook", "form": "sealed"}], "/plan/consumers/0", "wrong-format"),
        ("consumers", [{"name": "crm", "kind": "pigeon", "form": "sealed"}], "/plan/consumers/0", "wrong-format"),
        ("consumers", [{"name": "core"}], "/plan/consumers/0", "wrong-format"),
        ("consumers", [_CONSUMER, _CONSUMER], "/plan/consumers", "named-twice"),
        ("notice", {}, "/plan/notice", "missing"),
        ("favourite", 1, "/plan/favourite", "unknown-field"),
    ],
)
def test_what_is_wrong_is_named_with_its_field_and_rule(path: str, value: Any, pointer: str, code: str) -> None:
    with pytest.raises(FormInvalid) as refused:
        Plan.read(_with(path, value), classes=("E",))
    assert (pointer, code) in [(fault.pointer, fault.code) for fault in refused.value.faults]


def test_a_plan_names_who_gets_the_changed_records() -> None:
    plan = Plan.read(_with("consumers", [_CONSUMER]), classes=("E",))
    assert [(each.name, each.kind) for each in consumers_of(plan.record())] == [("warehouse", "parquet")]


def test_a_file_that_is_no_toml_is_refused_as_such() -> None:
    with pytest.raises(FormInvalid) as refused:
        plan_from_toml("= broken")
    assert [fault.code for fault in refused.value.faults] == ["plan-not-toml"]
