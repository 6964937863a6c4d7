"""The embedded stack in processes of its own, as an operator starts it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.support.processes import alive_with, wait_until

REPOSITORY = Path(__file__).parents[2]
READY_SECONDS = 90.0  # a busy machine


class Stack:
    """`casework up` on a data directory; ends with the block, whatever happened in it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Use `folder/data`. Nothing is started yet."""
        self.data = folder / "data"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CASEWORK_")},
            "CASEWORK_DATA_DIR": str(self.data),
            "XDG_CONFIG_HOME": str(folder / "config"),
            **environment,
        }
        self.process: subprocess.Popen[str] | None = None
        self.facts: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> dict[str, Any]:
        """Start, wait until it is ready, and say what it said."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.commands", "up", "--port", "0", "--json"],
            cwd=REPOSITORY, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, errors = self.process.communicate(timeout=READY_SECONDS)
            raise AssertionError(f"up ended with {self.process.returncode}: {errors}")
        self.facts = json.loads(line)
        return self.facts

    def kill(self) -> None:
        """`kill -9` of the supervisor; returns when nothing is left of the stack."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None
        wait_until(lambda: not self.pids(), seconds=5)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=40)
        code = self.process.returncode
        self.process = None
        return code

    def pids(self) -> list[int]:
        """Every process of this stack: the supervisor, its children, and theirs."""
        return alive_with(str(self.data))

    def child(self, mark: str) -> int:
        """The pid of the child whose command line holds `mark`."""
        assert self.process is not None
        found = [
            pid
            for pid in self.pids()
            if mark in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0") and pid != self.process.pid
        ]
        assert len(found) == 1, (mark, found)
        return found[0]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another `casework` command on the same directory."""
        return subprocess.run(
            [sys.executable, "-m", "deploy.commands", *arguments],
            cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip

    def http(self) -> httpx.Client:
        """A client of the API, nobody logged in."""
        return httpx.Client(base_url=self.facts["address"], timeout=20, trust_env=False)

    def log_in(self, login: str = "dev.officer") -> str:
        """An access token of a development account."""
        known = json.loads(self.data.with_name("data.dev-login.json").read_text())
        body = {"tenant": known["tenant"], "login": login, "password": known["password"]}
        with self.http() as client:
            answer = client.post("/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["accessToken"])
