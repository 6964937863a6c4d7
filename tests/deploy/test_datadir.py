"""One holder per data directory, and nothing in it that others can read."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy import datadir
from deploy.exits import CommandFailed, ExitCode
from deploy.values import DataDir

HOLDER = """
import os, subprocess, sys, time
from pathlib import Path
from deploy import datadir
from deploy.values import DataDir
with datadir.held(DataDir(Path(sys.argv[1])), purpose="up") as lock:
    child = subprocess.Popen(["sleep", "60"], pass_fds=[lock]) if sys.argv[2] == "child" else None
    print(child.pid if child else 0, flush=True)
    time.sleep(60)
"""


def start_holder(root: Path, *, child: bool) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(root), "child" if child else "alone"],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()  # its output may be held open by a child of it
    assert process.stdout is not None
    process.stdout.close()


def test_a_second_holder_waits_then_is_told_who_holds_it(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    process, _ = start_holder(data.root, child=False)
    try:
        begun = time.monotonic()
        with (
            pytest.raises(CommandFailed, match=f"process {process.pid} .*casework up") as caught,
            datadir.held(data, purpose="migrate", patience=0.3),
        ):
            pass
        assert caught.value.code is ExitCode.TEMPORARY
        assert time.monotonic() - begun >= 0.3
        assert datadir.holder(data) == {"pid": process.pid, "purpose": "up"}
    finally:
        end(process)


def test_a_holder_that_goes_within_the_patience_is_followed(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    process, _ = start_holder(data.root, child=False)
    end(process)
    with datadir.held(data, purpose="up", patience=3):
        assert json.loads(data.lock.read_text()) == {"pid": os.getpid(), "purpose": "up"}
    assert datadir.holder(data) is None


def test_the_directory_stays_held_while_a_child_of_a_killed_holder_lives(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    process, child = start_holder(data.root, child=True)
    try:
        end(process)
        with pytest.raises(CommandFailed), datadir.held(data, purpose="up", patience=0.2):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
    with datadir.held(data, purpose="up", patience=3):
        pass


def test_files_of_a_careless_copy_are_closed_to_others(tmp_path: Path) -> None:
    data = DataDir(tmp_path / "data")
    data.root.mkdir(mode=0o755)
    data.database.write_bytes(b"")
    data.database.chmod(0o644)
    datadir.prepare(data)
    assert data.root.stat().st_mode & 0o777 == 0o700
    assert data.files.stat().st_mode & 0o777 == 0o700
    assert data.database.stat().st_mode & 0o777 == 0o600


def test_private_json_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    datadir.write_private(path, {"a": 1})
    datadir.write_private(path, {"a": 2})
    assert datadir.read_json(path) == {"a": 2}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.json"]
    assert datadir.read_json(tmp_path / "missing") is None
