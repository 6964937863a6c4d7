"""`casework transfer`: what is asked of the API, how a job is followed, whom it waits for, and the exit codes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from deploy.commands import transfer, transfer_watch
from deploy.commands.cli import run_command

JOB = "main.0123456789abcdefghjkmnpqrs"


class Api:
    """An API whose job takes one step whenever it is looked at, along the steps that a test gives."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, Any]] = []
        self.answer: Any = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Any:
        self.asked.append((method, path, body))
        if path == f"/v1/transfers/{JOB}" and method == "GET":
            step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
            return {"job": JOB, "counts": {}, "paused": False, **step}
        if path.endswith("/progress"):
            return {"rows": {"accepted": 2_020}, "waves": {}}
        if path == "/v1/tasks/search":
            return {"items": self.tasks}
        return self.answer

    def download(self, path: str, **_: str) -> bytes:
        self.asked.append(("GET", path, None))
        return b"%PDF-1.7 report"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api()
    monkeypatch.setattr(transfer, "client_of", lambda *_: made)
    monkeypatch.setattr(transfer_watch, "_POLL_S", 0)
    return made


def test_a_job_is_followed_to_its_end(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.steps = [{"stage": "collecting"}, {"stage": "verifying"}, {"stage": "ended", "outcome": "completed"}]
    assert run_command(["transfer", "run", JOB]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"{JOB}  ended  completed"
    api.steps = [{"stage": "ended", "outcome": "rolled-back"}]
    assert run_command(["transfer", "run", JOB]) == 1


def test_it_stops_where_people_are_asked_and_says_whom(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.steps = [{"stage": "verifying", "counts": {"rows": {"read": 2022, "held": 2}}}]
    task = {
        "caseToken": JOB,
        "type": "transfers.quarantine",
        "title": "Row in quarantine",
        "candidateRole": "case-officer",
    }
    states = ("READY", "READY", "DECIDING")
    api.tasks = [task | {"id": f"tsk_{number}", "state": state} for number, state in enumerate(states)]
    assert run_command(["transfer", "run", JOB]) == 75
    told = capsys.readouterr().out
    assert "waits for 2 × Row in quarantine (case-officer)" in told
    assert "rows.accepted" in told
    assert ("POST", "/v1/tasks/search") in [(method, path) for method, path, _ in api.asked]


def test_a_task_that_somebody_answers_meanwhile_does_not_end_the_watch(api: Api) -> None:
    answered: list[Any] = [{"id": "tsk_1", "caseToken": JOB, "type": "t", "state": "READY"}]
    api.tasks = answered
    api.steps = [{"stage": "verifying", "version": number} for number in range(8)]
    api.steps.append({"stage": "ended", "outcome": "completed"})
    assert run_command(["transfer", "run", JOB]) == 0


def test_a_wanted_stage_ends_the_watch_and_an_unknown_one_is_refused(api: Api) -> None:
    api.steps = [{"stage": "collecting"}, {"stage": "verifying"}]
    assert run_command(["transfer", "run", JOB, "--until", "collecting"]) == 0
    assert run_command(["transfer", "run", JOB, "--until", "lunch"]) == 65


def test_a_paused_job_is_said_to_be_paused(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.steps = [{"stage": "updating", "paused": True}]
    assert run_command(["transfer", "run", JOB]) == 75
    assert "paused" in capsys.readouterr().out


def test_a_plan_is_sent_as_it_stands_with_its_event(api: Api, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text("cutoverOn = 2026-12-31\n", encoding="utf-8")
    api.answer = {"job": JOB, "stage": "classifying", "classes": ["C"]}
    assert run_command(["transfer", "new", str(plan), "--event", "merger", "--source-tenant", "other"]) == 0
    method, path, body = api.asked[-1]
    assert (method, path) == ("POST", "/v1/transfers")
    assert body == {
        "planToml": "cutoverOn = 2026-12-31\n",
        "transferEvent": "merger",
        "transferred": "institution",
        "recipientAbroad": False,
        "sourceTenant": "other",
    }
    plan.write_bytes(b"\xff")
    assert run_command(["transfer", "new", str(plan), "--event", "merger"]) == 65


def test_what_stands_against_a_job_is_said_with_its_rule(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.steps = [{"stage": "planning"}]
    api.answer = {"missing": [], "blocked": []}
    assert run_command(["transfer", "check", JOB]) == 0
    api.tasks = [{"id": "tsk_1", "caseToken": JOB, "type": "transfers.gate", "state": "READY"}]
    rule = {"rule": "PIPL-22", "title": "Notice", "citation": "个人信息保护法 Art. 22", "missing": ["told_at"]}
    api.answer = {"missing": ["announcement"], "blocked": [rule]}
    assert run_command(["transfer", "check", JOB]) == 1
    told = capsys.readouterr().out
    assert "evidence missing: announcement" in told
    assert "个人信息保护法 Art. 22  (not known: told_at)" in told


def test_a_plan_to_fill_in_is_written(api: Api, tmp_path: Path) -> None:
    api.answer = {"toml": "waveRows = 5000\n"}
    out = tmp_path / "plan.toml"
    assert run_command(["transfer", "template", "--out", str(out), "--cutover", "2026-12-31"]) == 0
    assert api.asked[-1][1] == "/v1/transfers/plan-template?classes=C&cutoverOn=2026-12-31"
    assert out.read_text(encoding="utf-8") == "waveRows = 5000\n"


def test_a_rollback_is_asked_for_and_waits_for_a_second_person(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answer = {"id": "trb_1"}
    assert run_command(["transfer", "rollback", JOB, "--wave", "2", "--reason", "wrong-mapping", "--yes"]) == 0
    _, path, body = api.asked[-1]
    assert path == f"/v1/transfers/{JOB}/rollbacks"
    assert (body["wave"], body["reasonCode"]) == (2, "wrong-mapping")
    assert "another person" in capsys.readouterr().out
    assert run_command(["transfer", "rollback", JOB, "--record", "cus_1", "--reason", "moved-wrongly", "--yes"]) == 0
    assert api.asked[-1][1:] == (
        f"/v1/transfers/{JOB}/records/cus_1/rollback-requests",
        {"reasonCode": "moved-wrongly"},
    )


def test_a_report_is_written_once(api: Api, tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    assert run_command(["transfer", "report", JOB, "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"%PDF")
    assert out.stat().st_mode & 0o077 == 0
    assert run_command(["transfer", "report", JOB, "--out", str(out)]) == 73
    assert run_command(["transfer", "report", JOB, "--out", str(tmp_path / "report.doc")]) == 65


def test_a_suggested_mapping_is_written_to_a_file(api: Api, tmp_path: Path) -> None:
    name = {"field": "name", "column": "姓名", "constant": None, "confidence": 980}
    api.answer = {"mapping": "version = 1\n", "fields": [name], "missing": ["id_number"]}
    out = tmp_path / "m.toml"
    assert run_command(["transfer", "suggest", JOB, "--place", "a.csv", "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == "version = 1\n"
