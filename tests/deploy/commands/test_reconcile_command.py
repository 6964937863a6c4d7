"""`casework reconcile`: asks for a period, tells the differences, and ends with what it found."""

import json
from collections.abc import Iterator
from typing import Any, Self

import pytest

from deploy.commands import reconcile
from deploy.commands.cli import run_command

DIFFERENCE = {
    "kind": "wrong-amount", "about": "debit", "agreementId": "agr_1", "orderId": "dbo_1", "eventId": None,
    "lineId": "bkr_1", "expectedMinor": 100, "foundMinor": 90, "expectedOn": "2026-11-20", "foundOn": "2026-11-21",
}  # fmt: skip


class Api:
    """An API that remembers what it was asked."""

    def __init__(self) -> None:
        self.today: str | None = "2026-11-23"
        self.asked: list[str] = []
        self.differences: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, _method: str, path: str) -> Any:
        self.asked.append(path)
        if path.endswith("/business-dates"):
            return {"today": self.today}
        if path.endswith("/cases"):
            return {"cases": 3, "counts": {}, "gaps": self.gaps}
        return {
            "first": "2026-11-01", "last": "2026-11-22", "asOf": "2026-11-22", "orders": 7, "lines": 8, "agreeing": 6,
            "pending": 1, "differences": self.differences,
        }  # fmt: skip


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api()
    monkeypatch.setattr(reconcile, "client_of", lambda *_: made)
    return made


def test_the_month_before_the_open_date_agrees(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["reconcile"]) == 0
    assert api.asked[-1] == "/v1/reconciliations?from=2026-10-23&until=2026-11-22&source=records"
    assert "7 orders, 8 bank lines, 6 agree, 1 pending" in capsys.readouterr().out


def test_a_difference_is_told_and_is_the_exit_code(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.differences = [DIFFERENCE]
    assert run_command(["reconcile", "--from", "2026-11-01", "--until", "2026-11-22", "--files"]) == 1
    assert api.asked[-1] == "/v1/reconciliations?from=2026-11-01&until=2026-11-22&source=files"
    out, err = capsys.readouterr()
    assert "wrong-amount  debit  agr_1  dbo_1  bkr_1  expectedMinor 100, foundMinor 90" in out
    assert "1 differences" in err


def test_gaps_of_cases_are_told(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["reconcile", "--cases"]) == 0
    api.gaps = [{"kind": "decision", "caseToken": "main.x", "name": "d1"}]
    assert run_command(["reconcile", "--cases", "--json"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[-1])["gaps"] == api.gaps


def test_what_is_no_date_and_books_that_are_not_open_are_said(api: Api) -> None:
    assert run_command(["reconcile", "--from", "soon"]) == 64
    api.today = None
    assert run_command(["reconcile"]) == 65
