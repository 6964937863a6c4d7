"""`casework batch plan`: what is asked of the API, what is shown before a second person's word, and the exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from deploy.commands import batch_plan
from deploy.commands.cli import run_command

PLAN = "bpl_0123456789"
PATH = f"/v1/batch-plans/{PLAN}"
TOLD: dict[str, Any] = {
    "plan": PLAN,
    "name": "annual-fees",
    "kind": "fee-collection",
    "state": "active",
    "paused": False,
    "branch": "hq",
    "criteria": {"fee": {"code": "annual", "amountMinor": 20_000}},
    "settings": {},
    "ruleSet": "fees",
    "rhythm": "month-day",
    "monthDay": 5,
    "hour": 9,
    "overlap": "skip",
    "catchUpHours": 12,
    "shownHash": "ab" * 32,
}


class Api:
    """An API with one plan."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Any:
        self.asked.append((method, path, body))
        if (method, path) == ("GET", "/v1/batch-plans"):
            return {"items": [TOLD, TOLD | {"paused": True}]}
        return TOLD | {"backfill": "bbf_1"} | (body or {})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api()
    monkeypatch.setattr(batch_plan, "client_of", lambda *_: made)
    return made


def plan_command(*arguments: str) -> int:
    return run_command(["batch", "plan", *arguments])


def test_a_plan_is_proposed_from_a_file_and_listed(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = {"name": "annual-fees", "kind": "fee-collection", "ruleSet": "fees", "rhythm": "bank-days"}
    (tmp_path / "plan.json").write_text(json.dumps(wish))
    assert plan_command("propose", str(tmp_path / "plan.json")) == 0
    assert api.asked == [("POST", "/v1/batch-plans", wish)]
    assert plan_command("list") == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-2].endswith("month-day 5, 09:00  active")
    assert told[-1].endswith("paused")
    assert plan_command("list", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["plan"] == PLAN
    (tmp_path / "plan.json").write_text("[]")
    assert plan_command("propose", str(tmp_path / "plan.json")) == 2


def test_a_second_person_is_shown_the_plan_and_their_word_is_bound_to_it(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan_command("confirm", PLAN, "--yes") == 0
    assert api.asked[0] == ("GET", PATH, None)
    assert api.asked[1] == ("POST", f"{PATH}/decision", {"outcome": "confirm", "shownHash": TOLD["shownHash"]})
    assert "ruleSet = fees" in capsys.readouterr().out
    assert plan_command("confirm", PLAN, "--yes", "--refuse", "outside-policy") == 0
    assert api.asked[3][2] == {"outcome": "refuse", "shownHash": TOLD["shownHash"], "reasonCode": "outside-policy"}
    assert plan_command("confirm", PLAN, "--yes", "--refuse", "no") == 65
    assert len(api.asked) == 4


def test_a_plan_is_held_made_up_for_and_ended(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan_command("pause", PLAN) == 0
    assert plan_command("resume", PLAN) == 0
    assert plan_command("backfill", PLAN, "--from", "2026-11-02", "--to", "2026-11-06") == 0
    assert "2026-11-02 to 2026-11-06" in capsys.readouterr().out
    assert plan_command("backfill", PLAN, "--from", "2026-11-09") == 0
    assert plan_command("retire", PLAN, "--yes") == 0
    assert [(path, body) for _, path, body in api.asked] == [
        (f"{PATH}/pause", None),
        (f"{PATH}/resumption", None),
        (f"{PATH}/backfills", {"firstDate": "2026-11-02", "lastDate": "2026-11-06"}),
        (f"{PATH}/backfills", {"firstDate": "2026-11-09", "lastDate": "2026-11-09"}),
        (f"{PATH}/retirement", None),
    ]
    assert plan_command("backfill", PLAN, "--from", "soon") != 0
    assert len(api.asked) == 5
