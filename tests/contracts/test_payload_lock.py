"""What Temporal has stored must stay readable, small, and free of people."""

import copy
import dataclasses
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contracts import lock

PAYLOADS: Final = lock.payloads()

# A container of strings is fine where the strings are identifiers or codes and their number is bounded by the business.
KNOWN_COLLECTIONS: Final = {
    "applied",  # decision id -> fingerprint
    "rounds",  # gate -> count
    "makers",  # person ids
    "excluded_persons",  # person ids
    "done",  # names of a job's steps; some twenty in a stage
    "sides",  # source, target
    "stages",  # of a kind of batch: at most thirteen
    "differs",  # codes of what does not add up
    "lacks",  # codes of what a report still needs
}
ID_SUFFIXES: Final = ("_ids", "_codes", "_tokens", "_hashes", "_keys", "_persons")
# A string under such a name would be somebody's words or somebody's data.
PERSONAL_WORDS: Final = {
    "address", "comment", "description", "detail", "email", "employer", "evidence", "letter", "message", "mobile",
    "name", "note", "password", "phone", "remark", "secret", "text", "title", "words",
}  # fmt: skip
PLAIN: Final = {"str", "int", "bool", "date", "datetime", "Decimal", "None"}


def test_payloads_only_grow() -> None:
    assert lock.violations(lock.read_lock(), lock.current()) == []


def test_the_lock_is_complete() -> None:
    assert lock.read_lock() == lock.current(), "run `python -m tests.contracts.lock` and commit the file"


def _changed(what: str) -> lock.Shape:
    shape = copy.deepcopy(BEFORE)
    match what:
        case "payload gone":
            del shape["a.Input"]
        case "field gone":
            del shape["a.Input"]["amount_minor"]
        case "retyped":
            shape["a.Input"]["amount_minor"] = "str"
        case "made optional":
            shape["a.Input"]["amount_minor"] = "int | None"
        case "new without default":
            shape["a.Input"]["more"] = "int"
        case "default lost":
            shape["a.Input"]["size"] = "int"
        case "new with default":
            shape["a.Input"]["more"] = "int = …"
        case "default gained":
            shape["a.Input"]["amount_minor"] = "int = …"
        case "new payload":
            shape["a.Other"] = {"x": "int"}
    return shape


BEFORE: Final[lock.Shape] = {"a.Input": {"amount_minor": "int", "size": "int = …"}}


@pytest.mark.parametrize(
    "what", ["payload gone", "field gone", "retyped", "made optional", "new without default", "default lost"]
)
def test_a_break_is_seen(what: str) -> None:
    assert len(lock.violations(BEFORE, _changed(what))) == 1


@pytest.mark.parametrize("what", ["new with default", "default gained", "new payload"])
def test_growth_is_no_break(what: str) -> None:
    assert lock.violations(BEFORE, _changed(what)) == []


def test_the_lock_refuses_to_forget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "payloads.lock.json"
    monkeypatch.setattr(lock, "LOCK", path)
    assert lock.main([]) == 0
    grown = lock.read_lock()
    grown["platform.Done"]["once_here"] = "int"
    path.write_text(json.dumps(grown))
    assert lock.main([]) == 1
    assert lock.read_lock() == grown
    assert lock.main(["--replace"]) == 0
    assert lock.read_lock() == lock.current()


def test_types_have_one_spelling() -> None:
    assert lock.spelling(str | None) == lock.spelling(typing.Optional[str]) == "str | None"  # noqa: UP045 - the other style
    assert lock.spelling(tuple[int, ...]) == lock.spelling(typing.Tuple[int, ...]) == "tuple[int, ...]"  # noqa: UP006
    assert lock.spelling(dict[str, tuple[int, ...] | None]) == "dict[str, tuple[int, ...] | None]"


# What a payload may be made of ----------------------------------------------------------------------------------------


def faults(payload: type[Any]) -> list[str]:
    """Fields that could carry anything, everything, or somebody."""
    return [
        f"{field}: {fault}"
        for field, kind in typing.get_type_hints(payload).items()
        for fault in _faults_of_field(field, kind)
    ]


def _faults_of_field(field: str, kind: Any) -> Iterator[str]:
    parts = list(_leaves(kind))
    for part in parts:
        if not dataclasses.is_dataclass(part) and lock.spelling(part) not in PLAIN:
            yield f"{lock.spelling(part)} is no type for a payload"
    text_inside = str in parts
    if text_inside and PERSONAL_WORDS & set(field.split("_")):
        yield "a reference belongs here, not the words themselves"
    if _is_collection(kind):
        if any(typing.get_origin(part) is list or part is list for part in _nodes(kind)):
            yield "a list can be changed and has no bound; use a tuple"
        if text_inside and field not in KNOWN_COLLECTIONS and not field.endswith(ID_SUFFIXES):
            yield "an unbounded collection of strings; pass a reference"


def _nodes(kind: Any) -> Iterator[Any]:
    yield kind
    for argument in typing.get_args(kind):
        yield from _nodes(argument)


def _leaves(kind: Any) -> Iterator[Any]:
    arguments = [argument for argument in typing.get_args(kind) if argument is not Ellipsis]
    if not arguments:
        yield kind
    for argument in arguments:
        yield from _leaves(argument)


def _is_collection(kind: Any) -> bool:
    return any((typing.get_origin(node) or node) in (list, tuple, dict, set, frozenset) for node in _nodes(kind))


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_payload_carries_references_only(name: str) -> None:
    assert faults(PAYLOADS[name]) == []


@pytest.mark.parametrize("name", sorted(PAYLOADS))
def test_a_payload_is_frozen_and_named(name: str) -> None:
    parameters = PAYLOADS[name].__dataclass_params__
    assert parameters.frozen, "a payload that changes after it was sent lies about history"
    assert all(field.kw_only for field in dataclasses.fields(PAYLOADS[name]))
    assert "__slots__" in PAYLOADS[name].__dict__
    assert PAYLOADS[name].__doc__


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("value", Any),
        ("value", dict[str, Any]),
        ("value", object),
        ("file", bytes),
        ("rate", float),
        ("lines", list[str]),
        ("numbers", list[int]),
        ("reasons", tuple[str, ...]),
        ("by_key", dict[str, str]),
        ("note", str),
        ("customer_name", str | None),
        ("numbers", list),
    ],
)
def test_a_fault_is_seen(field: str, kind: Any) -> None:
    payload = dataclasses.make_dataclass("Payload", [(field, kind)])
    assert faults(payload)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fine:
    case_token: str
    amount_minor: int | None
    excluded_persons: tuple[str, ...] = ()
    verdict_ids: tuple[str, ...] = ()
    seqs: tuple[int, ...] = ()
    inner: "tuple[_Fine, ...]" = ()


def test_a_fine_payload_has_no_fault() -> None:
    assert faults(_Fine) == []
