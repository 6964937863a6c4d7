"""`casework batch`: what is asked of the API, how a run is begun with its file and followed, and the exit codes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from deploy.commands import batch, transfer_watch
from deploy.commands.cli import run_command

RUN = "main.0123456789abcdefghjkmnpqrs"
PATH = f"/v1/batches/{RUN}"
COUNTS = {"queued": {"count": 4, "amountMinor": 400}}


class Api:
    """An API whose run takes one step whenever it is looked at, along the steps that a test gives."""

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.tasks: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Any:
        self.asked.append((method, path, body))
        if path.endswith("/progress"):
            return {"stagesDone": 3, "stages": 12, "stage": "executing", "expected": COUNTS, "orders": COUNTS}
        if path == "/v1/tasks/search":
            return {"items": self.tasks}
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        return {"run": RUN, "kind": "payroll", "businessDate": "2026-03-10", "paused": False, **step}

    def upload(self, path: str, file: Path, *, fields: dict[str, str], **_: str) -> Any:
        self.asked.append(("UPLOAD", path, fields | {"content": file.read_text()}))

    def download(self, path: str, **_: str) -> bytes:
        self.asked.append(("GET", path, None))
        return b"%PDF-1.7 report"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    made = Api()
    monkeypatch.setattr(batch, "client_of", lambda *_: made)
    monkeypatch.setattr(transfer_watch, "_POLL_S", 0)
    return made


def test_a_run_is_begun_given_its_file_and_followed_to_its_end(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wages = tmp_path / "wages.csv"
    wages.write_text("rows")
    api.steps = [{"stage": "cohort"}, {"stage": "executing"}, {"stage": "ended", "outcome": "completed"}]
    arguments = ["--kind", "payroll", "--file", str(wages), "--layout", "payroll-csv", "--count", "2", "--total", "700"]
    assert run_command(["batch", "run", *arguments, "--client", "bcl_1", "--account", "fac_1"]) == 0
    assert api.asked[0] == (
        "POST",
        "/v1/batches",
        {"kind": "payroll", "source": "file", "client": "bcl_1", "fundingAccount": "fac_1"},
    )
    sent = {"layout": "payroll-csv", "controlCount": "2", "controlMinor": "700", "content": "rows"}
    assert api.asked[1] == ("UPLOAD", f"{PATH}/file", sent)
    assert f"{RUN}  ended  completed" in capsys.readouterr().out
    api.steps = [{"stage": "ended", "outcome": "cancelled"}]
    assert run_command(["batch", "run", RUN]) == 1


def test_it_stops_where_people_are_asked_and_says_whom(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.steps = [{"stage": "approving"}]
    api.tasks = [
        {
            "id": "tsk_1",
            "caseToken": RUN,
            "type": "batches.approval",
            "title": "Approve",
            "candidateRole": "r",
            "state": "READY",
        }
    ]
    assert run_command(["batch", "run", RUN]) == 75
    told = capsys.readouterr().out
    assert "waits for 1 × Approve (r)" in told
    assert "orders.queued" in told
    assert run_command(["batch", "run", RUN, "--until", "cohort"]) == 0
    assert run_command(["batch", "run", RUN, "--until", "lunch"]) == 65


def test_what_does_not_go_together_is_refused_before_anything_is_asked(api: Api, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("[]")
    assert run_command(["batch", "run"]) == 2
    assert run_command(["batch", "run", RUN, "--kind", "payroll"]) == 2
    assert run_command(["batch", "run", "--kind", "payroll", "--layout", "payroll-csv"]) == 2
    assert run_command(["batch", "run", "--kind", "auto-debit", "--criteria", str(tmp_path / "c.json")]) == 65
    assert api.asked == []


def test_a_run_is_held_ended_and_its_report_written(api: Api, tmp_path: Path) -> None:
    api.steps = [{"stage": "executing"}]
    assert run_command(["batch", "pause", RUN]) == 0
    assert run_command(["batch", "resume", RUN]) == 0
    assert run_command(["batch", "cancel", RUN, "--yes", "--reason", "error-rate"]) == 0
    assert [(path, body) for method, path, body in api.asked if method == "POST"] == [
        (f"{PATH}/pause", None),
        (f"{PATH}/resumption", None),
        (f"{PATH}/cancellation", {"reasonCode": "error-rate"}),
    ]
    out = tmp_path / "report.pdf"
    assert run_command(["batch", "report", RUN, "--out", str(out), "--language", "en"]) == 0
    assert out.read_bytes().startswith(b"%PDF")
    assert api.asked[-1][1] == f"{PATH}/report?format=pdf&language=en"
    assert run_command(["batch", "report", RUN, "--out", str(tmp_path / "report.doc")]) == 65
