"""The shape of every Temporal payload, and the lock that lets it only grow; `python -m tests.contracts.lock` renews it.

Running workflows still send and expect what was once recorded: a field is added with a default, never taken away, never
given another type.
"""

import dataclasses
import importlib
import json
import pkgutil
import sys
import types
import typing
from pathlib import Path
from typing import Any, Final

import models.contracts

LOCK: Final = Path(__file__).with_name("payloads.lock.json")
HAS_DEFAULT: Final = " = …"

Shape = dict[str, dict[str, str]]  # payload -> field -> type, marked if it has a default


def payloads() -> dict[str, type[Any]]:
    """Every dataclass that a module of `models.contracts` defines, by `module.Name`."""
    found: dict[str, type[Any]] = {}
    for info in pkgutil.iter_modules(models.contracts.__path__):
        module = importlib.import_module(f"models.contracts.{info.name}")
        for name, value in vars(module).items():
            if dataclasses.is_dataclass(value) and isinstance(value, type) and value.__module__ == module.__name__:
                found[f"{info.name}.{name}"] = value
    return found


def shape_of(payload: type[Any]) -> dict[str, str]:
    """Field names with the spelling of their types."""
    hints = typing.get_type_hints(payload)
    return {
        field.name: spelling(hints[field.name]) + (HAS_DEFAULT if has_default(field) else "")
        for field in dataclasses.fields(payload)
    }


def has_default(field: "dataclasses.Field[Any]") -> bool:
    """Whether a sender may leave the field out."""
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def spelling(kind: Any) -> str:
    """One spelling of a type, whatever Python version and import style."""
    if kind is type(None):
        return "None"
    if kind is Ellipsis:
        return "..."
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(sorted(map(spelling, arguments), key=lambda name: (name == "None", name)))
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(spelling, arguments))}]"
    return str(kind.__name__)


def violations(locked: Shape, now: Shape) -> list[str]:
    """What a workflow that is running could no longer read."""
    found = []
    for payload, fields in locked.items():
        if payload not in now:
            found.append(f"{payload} is gone")
            continue
        for field, kind in fields.items():
            present = now[payload].get(field)
            if present is None:
                found.append(f"{payload}.{field} is gone")
            elif present.removesuffix(HAS_DEFAULT) != kind.removesuffix(HAS_DEFAULT):
                found.append(f"{payload}.{field} was {kind} and is {present}")
            elif kind.endswith(HAS_DEFAULT) and not present.endswith(HAS_DEFAULT):
                found.append(f"{payload}.{field} lost its default")
        found += [
            f"{payload}.{field} is new and has no default"
            for field, kind in now[payload].items()
            if field not in fields and not kind.endswith(HAS_DEFAULT)
        ]
    return found


def current() -> Shape:
    """The shapes in the source."""
    return {name: shape_of(payload) for name, payload in sorted(payloads().items())}


def read_lock() -> Shape:
    """The shapes that were locked."""
    locked: Shape = json.loads(LOCK.read_text(encoding="utf-8"))
    return locked


def main(arguments: list[str]) -> int:
    """Write the lock; a change that is no growth is refused unless `--replace` says that nothing was released yet."""
    now = current()
    if LOCK.exists() and "--replace" not in arguments:
        found = violations(read_lock(), now)
        if found:
            print(*found, "refused: payloads only grow (--replace before the first release)", sep="\n", file=sys.stderr)
            return 1
    LOCK.write_text(json.dumps(now, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
