"""The supervisor with small children of our own: restarts, giving up, order of stopping, and nothing left behind."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import alive_with, wait_until

REPOSITORY = Path(__file__).parents[2]
DRIVER = """
import json, signal, sys
from pathlib import Path
from deploy import datadir, supervise
from deploy.exits import CommandFailed
from deploy.values import DataDir

data = DataDir(Path(sys.argv[1]))
specs = [supervise.ChildSpec(**spec) for spec in json.loads(sys.argv[2])]
with datadir.held(data, purpose="up", patience=1) as lock:
    datadir.prepare(data)
    with supervise._signals() as wake:
        try:
            supervisor = supervise.Supervisor(data, tuple(specs), lock=lock, wake=wake)
            code = supervisor.run(lambda: print("ready", flush=True))
        except supervise.PortTaken:
            print("port taken", file=sys.stderr)
            code = 1
        except CommandFailed as failed:
            print(failed, file=sys.stderr)
            code = failed.code
sys.exit(code)
"""
# A child that says that it serves, then writes to its log when it is told to stop.
SERVES = """
import os, signal, sys, time
name, fd = sys.argv[1], int(sys.argv[sys.argv.index("--ready-fd") + 1]) if "--ready-fd" in sys.argv else None
def stop(*_):
    with open(sys.argv[2], "a") as log: log.write(name + " stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
with open(sys.argv[2], "a") as log: log.write(f"{name} started {os.getpid()}\\n")
if fd is not None:
    os.write(fd, b"{}\\n"); os.close(fd)
time.sleep(60)
"""
# A child that cannot start, and says so once the one before it serves.
DIES_AFTER_STEADY = """
import pathlib, sys, time
log = pathlib.Path(sys.argv[2])
while not (log.exists() and "steady started" in log.read_text()): time.sleep(0.01)
sys.exit(1)
"""


class Stack:
    """A supervisor of ours in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "events.log"
        self.process: subprocess.Popen[str] | None = None

    def child(self, name: str, code: str = SERVES, *, ready: bool = False) -> dict[str, object]:
        command = [sys.executable, "-c", code, name, str(self.log), str(self.data)]
        return {"name": name, "command": command, "environment": {}, "reports_ready": ready}

    def start(self, *children: dict[str, object]) -> subprocess.Popen[str]:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(self.data), json.dumps(children)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
        )  # fmt: skip
        return self.process

    def events(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def pids(self, name: str) -> list[int]:
        return [int(match.group(1)) for line in self.events() if (match := re.match(rf"{name} started (\d+)", line))]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    made = Stack(tmp_path)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.communicate()
    wait_until(lambda: not alive_with(str(made.data)), seconds=5)


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def test_children_stop_in_the_opposite_order(stack: Stack) -> None:
    process = stack.start(stack.child("first"), stack.child("second", ready=True))
    ready(process)
    wait_until(lambda: len(stack.events()) == 2, seconds=5)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=15)
    assert process.returncode == 0, errors
    assert [line for line in stack.events() if "stopped" in line] == ["second stopped", "first stopped"]


def test_a_child_that_dies_is_started_again(stack: Stack) -> None:
    process = stack.start(stack.child("one", ready=True))
    ready(process)
    os.kill(stack.pids("one")[0], signal.SIGKILL)
    wait_until(lambda: len(stack.pids("one")) == 2, seconds=5)
    assert process.poll() is None


def test_a_child_that_always_dies_ends_it_with_70_and_its_last_words(stack: Stack) -> None:
    dies = "import sys; print('no luck today', file=sys.stderr); sys.exit(1)"
    begun = time.monotonic()
    process = stack.start(stack.child("steady"), stack.child("dies", dies, ready=True))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 70
    assert "dies died 5 times" in errors
    assert "no luck today" in errors
    assert time.monotonic() - begun < 30
    assert stack.events()[-1] == "steady stopped"


def test_a_child_that_dies_since_its_port_was_taken_is_given_another_choice(stack: Stack) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        child = stack.child("dies", DIES_AFTER_STEADY, ready=True) | {"ports": [holder.getsockname()[1]]}
        process = stack.start(stack.child("steady"), child)
        _, errors = process.communicate(timeout=20)
    assert errors == "port taken\n"
    assert stack.events()[-1] == "steady stopped"


@pytest.mark.parametrize("code", [65, 70, 75, 78])
def test_a_child_that_says_it_cannot_start_is_not_tried_again(stack: Stack, code: int) -> None:
    says = f"import sys; open(sys.argv[2], 'a').write('tried\\n'); print('because', file=sys.stderr); sys.exit({code})"
    process = stack.start(stack.child("says", says, ready=True))
    _, errors = process.communicate(timeout=20)
    assert process.returncode == code
    assert "because" in errors
    assert stack.events() == ["tried"]


def test_kill_9_leaves_nothing_behind_within_two_seconds(stack: Stack) -> None:
    process = stack.start(stack.child("first"), stack.child("second", ready=True))
    ready(process)
    wait_until(lambda: len(stack.events()) == 2, seconds=5)
    assert len(alive_with(str(stack.data))) == 3  # teeth: the search does see them
    process.kill()
    process.communicate()
    wait_until(lambda: not alive_with(str(stack.data)), seconds=2)


def test_logs_and_lock_are_private(stack: Stack) -> None:
    os.umask(0o022)
    process = stack.start(stack.child("one", ready=True))
    ready(process)
    assert (stack.data / "logs").stat().st_mode & 0o777 == 0o700
    assert (stack.data / "lock").stat().st_mode & 0o777 == 0o600
