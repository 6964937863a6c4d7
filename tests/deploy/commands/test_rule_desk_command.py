"""`casework rules draft …` and `casework calendars`: what is sent, what is asked first, and how a command ends."""

import json
from pathlib import Path
from typing import Any, Self

import pytest

from deploy.commands import calendars, rule_desk
from deploy.commands.cli import run_command
from models.domain.bank_calendar import days_of_year

DRAFT = {
    "id": "rdr_1", "version": "policy/1", "validFrom": "2026-12-01", "state": "DRAFTED", "shownHash": "ab",
    "parameters": {"max_term_months": 48}, "switches": {}, "groups": {},
}  # fmt: skip
FLIP = {
    "caseToken": "main.x", "gate": "installments.negotiation", "rule": "CCM-70b", "before": "PASS", "after": "FAIL",
    "blocksNow": True, "reasonText": "too long", "citation": "Article 70",
}  # fmt: skip


class Api:
    """An API that gives the answers it was told to, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.answers: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Any:
        self.asked.append((method, path, body))
        return self.answers.pop(0)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    for module in (rule_desk, calendars):
        monkeypatch.setattr(module, "client_of", lambda *_: made)
    monkeypatch.setattr(rule_desk, "_POLL_S", 0)
    return made


def test_a_draft_sends_the_whole_policy_with_its_name_and_first_day(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"parameters": {"max_term_months": 48}}), encoding="utf-8")
    api.answers = [DRAFT]
    code = run_command(["rules", "draft", str(policy), "--version", "policy/1", "--valid-from", "2026-12-01"])
    assert code == 0
    sent = {"parameters": {"max_term_months": 48}, "version": "policy/1", "validFrom": "2026-12-01"}
    assert api.asked == [("POST", "/v1/rule-parameters", sent)]
    assert "max_term_months = 48" in capsys.readouterr().out
    assert run_command(["rules", "draft", str(policy), "--version", "v", "--valid-from", "2026-02-30"]) == 2


def test_the_second_person_is_shown_the_draft_and_bound_to_it(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [DRAFT, DRAFT | {"state": "APPROVED"}]
    assert run_command(["rules", "approve", "rdr_1", "--yes"]) == 0
    assert api.asked[1] == ("POST", "/v1/rule-parameters/rdr_1/approval", {"shownHash": "ab"})
    assert capsys.readouterr().out.splitlines()[-1] == "approved"
    api.answers = [DRAFT, DRAFT | {"state": "REJECTED"}]
    assert run_command(["calendars", "reject", "rdr_1", "--yes"]) == 0
    assert api.asked[-1][1] == "/v1/calendars/rdr_1/rejection"


def test_a_pass_is_followed_to_its_end_and_says_by_its_exit_code_whether_a_case_would_fail(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = {
        "id": "rrv_1", "total": 2, "cases": 2, "verdicts": 9, "flips": 1, "nowFailing": 1, "tasksMade": 1,
        "factsChanged": 0, "failedCases": 0, "rulesVersion": "x", "asOf": "2026-12-01",
    }  # fmt: skip
    running, ended = {**counts, "state": "RUNNING", "cases": 1}, {**counts, "state": "DONE"}
    api.answers = [running, running, ended, {"items": [FLIP], "endCursor": None}]
    assert run_command(["rules", "reevaluate", "--as-of", "2026-12-01"]) == 1
    assert api.asked[0] == ("POST", "/v1/rule-reevaluations", {"asOf": "2026-12-01"})
    assert "CCM-70b  PASS -> FAIL  blocks now" in capsys.readouterr().out
    quiet = {**ended, "flips": 0, "nowFailing": 0}
    api.answers = [quiet, quiet, {"items": [], "endCursor": None}]
    assert run_command(["rules", "reevaluate", "--json"]) == 0


def test_a_year_is_uploaded_from_csv_or_json_or_begun_from_the_built_in_table(api: Api, tmp_path: Path) -> None:
    days = [{"date": day.isoformat(), "state": "open", "reason": ""} for day in days_of_year(2027)]
    csv, whole = tmp_path / "year.csv", tmp_path / "year.json"
    lines = ["date,state,reason", *(f"{each['date']},{each['state']}," for each in days)]
    csv.write_text("\n".join(lines), encoding="utf-8")
    whole.write_text(json.dumps({"days": days}), encoding="utf-8")
    for path in (csv, whole):
        api.answers = [DRAFT]
        assert run_command(["calendars", "upload", str(path), "--year", "2027", "--version", "2027/1"]) == 0
        assert api.asked[-1][2] == {"year": 2027, "version": "2027/1", "provisional": False, "days": days}
    api.answers = [DRAFT]
    assert run_command(["calendars", "fill", "--year", "2026", "--version", "2026/1"]) == 0
    filled = {each["date"]: each["state"] for each in api.asked[-1][2]["days"]}
    assert (filled["2026-02-14"], filled["2026-10-01"], len(filled)) == ("open", "closed", 365)
    assert run_command(["calendars", "fill", "--year", "2027", "--version", "2027/1"]) == 2
    csv.write_text("day,state\n", encoding="utf-8")
    assert run_command(["calendars", "upload", str(csv), "--year", "2027", "--version", "2027/1"]) == 2
