"""The embedded stack as a child process, started as a user would: for the demo, the benches and the kill tests."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.settings import child_environment

_STOP_SECONDS: Final = 20


@dataclass(slots=True)
class Stack:
    """A running `casework up`: its process, and what it said when it was ready."""

    process: subprocess.Popen[str]
    facts: dict[str, Any]

    @property
    def address(self) -> str:
        """Where the API is."""
        return str(self.facts["address"])

    @property
    def login_file(self) -> Path:
        """Where the development log-in stands."""
        return Path(self.facts["dev_login_file"])

    def kill(self) -> None:
        """`kill -9` of the supervisor."""
        self.process.kill()
        self.process.wait()
        _shut(self.process)

    def stop(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        _shut(self.process)


def start_stack(
    data: Path, *, port: int = 0, sandbox: bool = False, settings: Mapping[str, str] | None = None
) -> Stack:
    """Start `casework up` over a data directory and wait until it is ready.

    Args:
        data: the directory; made if it is not there.
        port: of the API; 0 takes a free one.
        sandbox: its first institution may date business ahead of the clock.
        settings: more of them, by the names of their variables.

    Raises:
        RuntimeError: it ended instead.
    """
    command = [sys.executable, "-m", "deploy.commands", "up", "--json", "--port", str(port), "--data", str(data)]
    environment = child_environment(({"CASEWORK_SANDBOX": "true"} if sandbox else {}) | dict(settings or {}))
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        code = process.wait()
        _shut(process)
        raise RuntimeError(f"`casework up` ended with {code}; see {data / 'logs'}")
    return Stack(process, json.loads(line))


@contextmanager
def running_stack(
    data: Path, *, port: int = 0, sandbox: bool = False, settings: Mapping[str, str] | None = None
) -> Iterator[Stack]:
    """A stack that is stopped at the end; arguments as `start_stack`.

    Raises:
        RuntimeError: it did not start.
    """
    stack = start_stack(data, port=port, sandbox=sandbox, settings=settings)
    try:
        yield stack
    finally:
        if stack.process.poll() is None:
            stack.stop()


def _shut(process: subprocess.Popen[str]) -> None:
    if process.stdout is not None:
        process.stdout.close()
