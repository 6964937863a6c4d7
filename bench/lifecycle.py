"""Start-up of the embedded stack, and recovery after `kill -9`."""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import httpx

from bench.measuring import seconds
from bench.registry import Figure, measures
from deploy.demo.stack import Stack, running_stack, start_stack

TIMES = 5
_HEALTHY = 200
_PATIENCE_SECONDS = 60


@measures("lifecycle")
def lifecycle(scale: float) -> Iterable[Figure]:
    """From the command to ready on an empty and on a used directory, and from `kill -9` of the supervisor to ready."""
    times = max(2, int(TIMES * scale))
    with tempfile.TemporaryDirectory(prefix="casework-bench-") as folder:
        data = Path(folder) / "data"
        began = time.perf_counter()
        with running_stack(data) as first:
            _until_ready(first)
            yield Figure(name="start-up, empty directory", value=time.perf_counter() - began, unit="s")
        starts = [_start_and_stop(data) for _ in range(times)]
        yield Figure(name="start-up, median", value=median(starts), unit="s", at_most=5.0)
        recoveries = [_kill_and_recover(data) for _ in range(times)]
        yield Figure(name="recovery after kill -9, median", value=median(recoveries), unit="s", at_most=10.0)


def _start_and_stop(data: Path) -> float:
    opened: list[Stack] = []
    took = seconds(lambda: opened.append(_ready(data)))
    opened[0].stop()
    return took


def _kill_and_recover(data: Path) -> float:
    killed = _ready(data)

    def again() -> None:
        killed.kill()
        opened.append(_ready(data))

    opened: list[Stack] = []
    took = seconds(again)
    opened[0].stop()
    return took


def _ready(data: Path) -> Stack:
    stack = start_stack(data)
    _until_ready(stack)
    return stack


def _until_ready(stack: Stack) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if httpx.get(f"{stack.address}/readyz").status_code == _HEALTHY:
            return
        time.sleep(0.02)
    raise RuntimeError("the stack is not ready")
