"""The HTTP interface as a file: a change of it is seen in review, and a promise is not broken by accident.

`docs/openapi.json` is written anew by `pytest tests/api/test_openapi_lock.py --write-openapi`.
"""

import json
from pathlib import Path
from typing import Any, Final

from tests.support.api import Office

LOCK: Final = Path(__file__).parents[2] / "docs" / "openapi.json"


def _document(office: Office) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(office.app.state.describe(), ensure_ascii=False, default=str))
    document["info"].pop("version", None)  # the product's version says nothing about the interface
    return document


def test_the_interface_is_the_locked_one(sqlite_office: Office, request) -> None:
    now = _document(sqlite_office)
    if request.config.getoption("--write-openapi", default=False):
        LOCK.write_text(json.dumps(now, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    locked = json.loads(LOCK.read_text())
    changed = sorted(
        path for path in {*now["paths"], *locked["paths"]} if now["paths"].get(path) != locked["paths"].get(path)
    )
    assert changed == [], "the interface has changed: see the difference, then write docs/openapi.json anew"
    assert now == locked


def test_every_operation_is_described(sqlite_office: Office) -> None:
    document = _document(sqlite_office)
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "operationId" in operation
    ]
    names = [operation["operationId"] for _, _, operation in operations]
    assert len(names) == len(set(names))
    assert all(operation.get("description") or operation.get("summary") for _, _, operation in operations)
    assert all(path == "/" or path.islower() or "{" in path for path, _, _ in operations)
