"""`casework up`: the embedded stack under one supervisor.

The supervisor holds the data directory, starts the children from its only thread (a child told to die with its parent
dies with the *thread* that made it), restarts what falls over, and stops in order. `kill -9` of it takes the children
along. It imports neither the database nor the SDK: it stays small, and there is little in it that can fail.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Final

from deploy import datadir, temporal_server
from deploy.exits import CommandFailed, ExitCode
from deploy.settings import child_environment
from deploy.values import DataDir, Settings

MOST_DEATHS: Final = 5
DEATHS_WINDOW_SECONDS: Final = 60.0
FIRST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
READY_SECONDS: Final = 120.0  # a busy machine, and a migration of a big store
BIGGEST_LOG_BYTES: Final = 16 * 1024 * 1024
# A child that ends with one of these says that another start would end alike.
FINAL_CODES: Final = frozenset(
    {ExitCode.USAGE, ExitCode.DATA, ExitCode.SOFTWARE, ExitCode.TEMPORARY, ExitCode.NO_PERMISSION, ExitCode.CONFIG}
)
_PR_SET_PDEATHSIG: Final = 1
_OUR_PORTS: Final = ("temporal", "temporal_http", "temporal_metrics")
_PORT_CHOICES: Final = 5
_TAIL_BYTES: Final = 4096
_TAIL_LINES: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildSpec:
    """One child of the supervisor.

    Attributes:
        ports: of loopback, which it listens on.
        reports_ready: it gets a descriptor (`--ready-fd N`) and writes one line of JSON to it when it serves.
        stop_seconds: how long it may take to stop before it is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[int, ...] = ()
    reports_ready: bool = False
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0


class PortTaken(Exception):
    """Somebody took a port between the choice and the start of the child that was to listen on it."""


@dataclass(slots=True)
class _Child:
    spec: ChildSpec
    process: subprocess.Popen[bytes] | None = None
    ready: IO[bytes] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DEATHS))
    start_at: float = 0.0
    log_offset: int = 0


def children_of(settings: Settings, ports: Mapping[str, int]) -> tuple[ChildSpec, ...]:
    """What `casework up` runs, in starting order; they are stopped in the opposite order."""
    decided = {
        "CASEWORK_DATA_DIR": str(settings.data.root),
        "CASEWORK_PORT": str(ports["api"]),
        "CASEWORK_TEMPORAL_ADDRESS": f"{temporal_server.LOOPBACK}:{ports['temporal']}",
    }
    server = temporal_server.command(
        store=settings.data.temporal, namespace=settings.temporal.namespace, ports=dict(ports)
    )
    return (
        ChildSpec(
            name="temporal",
            command=tuple(server),
            environment={},
            ports=tuple(ports[name] for name in _OUR_PORTS),
            stop_seconds=5.0,
        ),
        ChildSpec(
            name="app",
            command=(sys.executable, "-P", "-m", "deploy.commands", "app"),
            environment=decided,
            reports_ready=True,
            stop_seconds=15.0,
        ),
    )


def run_up(settings: Settings, *, announce: Callable[[dict[str, Any]], None]) -> ExitCode:
    """Run the stack until a signal says stop.

    Args:
        settings: of the embedded mode.
        announce: called once, when the API answers, with `address`, `temporal`, `pid` and the data directory.

    Raises:
        CommandFailed: 64 in production mode; 75 when somebody holds the directory; 70 when a child dies again and
            again; or the code of a child that cannot start.
    """
    if settings.is_production:
        raise CommandFailed(ExitCode.USAGE, "`up` is the embedded stack; production runs `casework api` and `worker`")
    datadir.make_private()
    with datadir.held(settings.data, purpose="up") as lock:
        datadir.prepare(settings.data)
        for _ in range(_PORT_CHOICES):
            with contextlib.suppress(PortTaken):
                return _run_on(settings, {name: temporal_server.free_port() for name in _OUR_PORTS}, lock, announce)
    raise CommandFailed(ExitCode.UNAVAILABLE, "ports of loopback are taken as soon as they are found")


def _run_on(
    settings: Settings, ports: dict[str, int], lock: int, announce: Callable[[dict[str, Any]], None]
) -> ExitCode:
    ports["api"] = settings.api.port or temporal_server.free_port()
    facts = {
        "address": f"http://{settings.api.host}:{ports['api']}",
        "temporal": f"{temporal_server.LOOPBACK}:{ports['temporal']}",
        "namespace": settings.temporal.namespace,
        "pid": os.getpid(),
        "data": str(settings.data.root),
    }
    datadir.write_private(settings.data.ports, {**facts, "ports": ports})
    try:
        with _signals() as wake:
            supervisor = Supervisor(settings.data, children_of(settings, ports), lock=lock, wake=wake)
            return supervisor.run(lambda: announce(facts))
    finally:
        settings.data.ports.unlink(missing_ok=True)


class Supervisor:
    """Starts children, restarts what dies, stops all of it."""

    def __init__(self, data: DataDir, specs: tuple[ChildSpec, ...], *, lock: int, wake: "Wake") -> None:
        self._data = data
        self._children = [_Child(spec) for spec in specs]
        self._lock = lock
        self._wake = wake
        self._parent = os.getpid()

    def run(self, announce: Callable[[], None]) -> ExitCode:
        """Until a stop signal arrives, or a child cannot be kept alive.

        Raises:
            PortTaken: before anybody was told where we are; another choice may do.
        """
        announced = False
        deadline = time.monotonic() + READY_SECONDS
        try:
            while not self._wake.stopping:
                self._start_due()
                if self._wait() and not announced:
                    announced = True
                    announce()
                if not announced and time.monotonic() > deadline:
                    raise CommandFailed(
                        ExitCode.SOFTWARE, f"not ready after {READY_SECONDS:.0f} s; see {self._data.logs}"
                    )
                self._bury(announced=announced)
        finally:
            self._stop()
        return ExitCode.OK

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None and child.start_at <= now:
                self._start(child)

    def _start(self, child: _Child) -> None:
        command = list(child.spec.command)
        inherited = [self._lock]
        ready_read = ready_write = None
        if child.spec.reports_ready:
            ready_read, ready_write = os.pipe()
            command += ["--ready-fd", str(ready_write)]
            inherited.append(ready_write)
        log = self._data.logs / f"{child.spec.name}.log"
        if log.exists() and log.stat().st_size > BIGGEST_LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            child.log_offset = output.tell()
            child.process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=inherited,
                env=child_environment(child.spec.environment),
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops them in order
                preexec_fn=self._die_with_parent,  # noqa: PLW1509 - no other thread exists
            )
        if ready_read is not None and ready_write is not None:
            os.close(ready_write)
            child.ready = os.fdopen(ready_read, "rb")

    def _die_with_parent(self) -> None:
        """In the child, before exec: go when the supervisor goes, even if it is gone already."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self._parent:
                os._exit(ExitCode.SOFTWARE)

    def _wait(self) -> bool:
        """Sleep until something happens; True when a child reported that it serves."""
        waiting = {child.ready.fileno(): child for child in self._children if child.ready is not None}
        pauses = [child.start_at - time.monotonic() for child in self._children if child.process is None]
        timeout = max(0.0, min([1.0, *pauses]))
        readable, _, _ = select.select([self._wake.descriptor, *waiting], [], [], timeout)
        self._wake.drain()
        reported = False
        for descriptor in readable:
            child = waiting.get(descriptor)
            if child is not None and child.ready is not None:
                reported = bool(child.ready.readline()) or reported
                child.ready.close()
                child.ready = None
        return reported

    def _bury(self, *, announced: bool) -> None:
        for child in self._children:
            if child.process is None or child.process.poll() is None:
                continue
            code = child.process.returncode
            child.process = None
            if not announced and not all(map(temporal_server.is_free, child.spec.ports)):
                raise PortTaken
            if code in FINAL_CODES:
                raise CommandFailed(ExitCode(code), f"{child.spec.name} cannot start\n{self._tail(child)}")
            now = time.monotonic()
            child.deaths.append(now)
            if len(child.deaths) == MOST_DEATHS and now - child.deaths[0] < DEATHS_WINDOW_SECONDS:
                raise CommandFailed(
                    ExitCode.SOFTWARE,
                    f"{child.spec.name} died {MOST_DEATHS} times in {DEATHS_WINDOW_SECONDS:.0f} s "
                    f"(last exit {code}); giving up\n{self._tail(child)}",
                )
            recent = sum(1 for death in child.deaths if now - death < DEATHS_WINDOW_SECONDS)
            child.start_at = now + min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (recent - 1))

    def _stop(self) -> None:
        """The last started first: the API stops taking work before Temporal goes."""
        for child in reversed(self._children):
            process = child.process
            if process is None:
                continue
            process.send_signal(child.spec.stop_signal)
            try:
                process.wait(child.spec.stop_seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            child.process = None

    def _tail(self, child: _Child) -> str:
        log = self._data.logs / f"{child.spec.name}.log"
        with log.open("rb") as file:
            file.seek(max(child.log_offset, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return "\n".join([*(f"  {line}" for line in lines), f"  ({log})"])


@dataclass(slots=True)
class Wake:
    """What signal handlers tell the loop."""

    descriptor: int
    stopping: bool = False

    def drain(self) -> None:
        """Forget what woke us."""
        try:
            while os.read(self.descriptor, 512):
                pass
        except BlockingIOError:
            pass


@contextmanager
def _signals() -> Iterator[Wake]:
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    wake = Wake(read)

    def stop(_number: int, _frame: Any) -> None:
        wake.stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    former = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    try:
        yield wake
    finally:
        signal.set_wakeup_fd(former)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read)
        os.close(write)


def running(data: DataDir) -> dict[str, Any] | None:
    """Addresses of the `casework up` that holds this directory, or None."""
    if datadir.holder(data) is None:
        return None
    facts = datadir.read_json(data.ports)
    return facts if isinstance(facts, dict) else None


def report_ready(descriptor: int, facts: Mapping[str, Any]) -> None:
    """In a child: tell the supervisor that we serve."""
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(json.dumps(facts).encode() + b"\n")
