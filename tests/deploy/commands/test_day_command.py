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
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Any:
        self.asked.append((method, path, body))
        if path != "/v1/business-dates":
            return self.answers.pop(0)
        if method == "POST":
            assert body is not None
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


ITEM = {
    "id": "dex_1", "businessDate": "2026-11-23", "state": "OPEN", "step": "debit-orders", "target": "agr_1/1",
    "code": "blocked-by-rule", "codeText": "A rule stands against this debit", "tries": 2, "rule": "WAGE-33",
    "citation": "Regulation, Article 33",
}  # fmt: skip


def test_the_exception_queue_is_told_page_by_page_with_its_rule(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [{"items": [ITEM], "next": "c"}, {"items": [{**ITEM, "id": "dex_2", "rule": None}], "next": None}]
    assert run_command(["day", "exceptions", "--step", "debit-orders"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "dex_1" in first
    assert "(blocked-by-rule, 2 tries)  WAGE-33 Regulation, Article 33" in first
    assert second.endswith("(blocked-by-rule, 2 tries)")
    assert [path for _, path, _ in api.asked] == [
        "/v1/business-dates/exceptions?state=OPEN&step=debit-orders",
        "/v1/business-dates/exceptions?state=OPEN&step=debit-orders&after=c",
    ]


def test_items_are_tried_again_and_closed_and_books_are_opened(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [ITEM, ITEM, {"today": "2026-11-20"}]
    assert run_command(["day", "retry", "dex_1"]) == 0
    assert run_command(["day", "close", "dex_1", "--reason", "mistaken"]) == 0
    assert run_command(["day", "open", "--date", "2026-11-20"]) == 0
    assert api.asked == [
        ("POST", "/v1/business-dates/exceptions/dex_1/retry", None),
        ("POST", "/v1/business-dates/exceptions/dex_1/close", {"reason": "mistaken"}),
        ("POST", "/v1/business-dates/opening", {"businessDate": "2026-11-20"}),
    ]
    assert capsys.readouterr().out.splitlines()[-1] == "the books are open: business date 2026-11-20"
    assert run_command(["day", "close", "dex_1"]) != 0
    assert run_command(["day", "open", "--date", "soon"]) != 0


def test_money_in_suspense_is_told_with_amount_and_date(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    money = {"id": "bkr_1", "valueDate": "2026-11-23", "amountMinor": -1000, "reference": None}
    api.answers = [{"items": [money], "next": None}, {"items": [], "next": None}]
    assert run_command(["day", "suspense"]) == 0
    assert capsys.readouterr().out.split() == ["bkr_1", "2026-11-23", "-1000", "-"]
    assert run_command(["day", "suspense"]) == 0
    assert capsys.readouterr().out == "nothing waits\n"


def test_money_in_suspense_is_assigned_by_one_and_confirmed_by_another(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    told = {"id": "sua_1", "state": "PROPOSED", "valueDate": "2026-11-23", "amountMinor": 1000, "agreementId": "agr_1",
            "reasonText": "The remittance text names it", "shownHash": "f" * 64}  # fmt: skip
    api.answers = [told, told, told | {"state": "CONFIRMED"}, told, told | {"state": "REJECTED"}]
    assert run_command(["day", "assign", "bkr_1", "--agreement", "agr_1", "--reason", "remittance-text"]) == 0
    assert run_command(["day", "confirm", "sua_1"]) == 0
    assert run_command(["day", "confirm", "sua_1", "--reject"]) == 0
    assert [call for call in api.asked if call[0] == "POST"] == [
        ("POST", "/v1/agreements/agr_1/suspense-assignments", {"entryId": "bkr_1", "reasonCode": "remittance-text"}),
        ("POST", "/v1/suspense-assignments/sua_1/confirmation", {"shownHash": "f" * 64}),
        ("POST", "/v1/suspense-assignments/sua_1/rejection", {"shownHash": "f" * 64}),
    ]
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["PROPOSED", "CONFIRMED", "REJECTED"]
