"""`casework day`: asks for the runs, follows them to the end, and tells what they did."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Self

import pytest

from deploy.commands import day
from deploy.commands.cli import run_command


class Api:
    """An API whose books move on one date whenever they are looked at after a request."""

    def __init__(self, today: str | None) -> None:
        self.today, self.until, self.runs = today, None, []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, _path: str, *, body: dict[str, Any] | None = None) -> Any:
        if method == "POST":
            self.until = body["until"]
            return {"until": self.until}
        if self.until is not None and self.today <= self.until:
            steps = [{"step": "post", "finished": True, "figures": {"paid": 2, "suspense": 0}}]
            self.runs.insert(0, {"businessDate": self.today, "state": "DONE", "steps": steps})
            self.today = (date.fromisoformat(self.today) + timedelta(days=1)).isoformat()
        return {"today": self.today, "openExceptions": 0, "runs": list(self.runs)}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api("2026-11-23")
    monkeypatch.setattr(day, "client_of", lambda *_: made)
    monkeypatch.setattr(day, "_POLL_S", 0)
    return made


def test_the_open_date_is_run_and_its_figures_told(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["day", "run"]) == 0
    assert api.until == "2026-11-23"
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-23  post: paid 2",
        "business date 2026-11-24; 0 in the exception queue",
    ]


def test_dates_are_run_up_to_the_wanted_one(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["day", "run", "--until", "2026-11-26", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["today"], [each["businessDate"] for each in told["runs"]]) == (
        "2026-11-27",
        ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"],
    )


def test_nothing_is_asked_for_when_the_books_stand_beyond_the_date(api: Api) -> None:
    assert run_command(["day", "run", "--until", "2026-11-20"]) == 0
    assert api.until is None


def test_books_that_are_not_open_and_a_date_that_is_none_are_said(api: Api) -> None:
    assert run_command(["day", "run", "--until", "tomorrow"]) != 0
    api.today = None
    assert run_command(["day", "run"]) != 0
    assert run_command(["day", "show"]) == 0
