"""Start-up of the embedded stack, and recovery after `kill -9`: until it is ready, until what was under way is done."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import httpx

from bench.flow import accept, waiting_tasks
from bench.measuring import seconds
from bench.registry import Figure, measures
from deploy.demo.office import Line, open_office
from deploy.demo.stack import Stack, running_stack, start_stack
from deploy.supervise import MOST_DEATHS
from tests.support.processes import alive_with

TIMES = 5
IN_FLIGHT = 10
CHILDREN = {"app": "the API with its workers", "start-dev": "Temporal"}
_HEALTHY = 200
_PATIENCE_SECONDS = 60
_UNDER_WAY_SECONDS = 0.1


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
        for word, child in CHILDREN.items():
            with running_stack(data) as stack:
                _until_ready(stack)
                # One more within a minute, and the supervisor would rightly give the child up.
                took = asyncio.run(_kill_under(stack, word, min(times, MOST_DEATHS - 1)))
            yield Figure(
                name=f"{IN_FLIGHT} decisions under way applied after kill -9 of {child}, median",
                value=median(took), unit="s", at_most=10.0,
            )  # fmt: skip


async def _kill_under(stack: Stack, word: str, times: int) -> list[float]:
    """Seconds from each kill of a child to the last acknowledgement that the workflow has applied a decision."""
    took = []
    async with httpx.AsyncClient(base_url=stack.address, timeout=60) as http:
        office = open_office(Line(http, patience_seconds=_PATIENCE_SECONDS), stack.login_file)
        await office.log_in()
        tasks = iter(await waiting_tasks(office, times * IN_FLIGHT))
        for _ in range(times):
            deciding = [asyncio.create_task(accept(office, next(tasks), applied=True)) for _ in range(IN_FLIGHT)]
            await asyncio.sleep(_UNDER_WAY_SECONDS)
            began = time.perf_counter()
            _kill(stack, word)
            await asyncio.gather(*deciding)
            took.append(time.perf_counter() - began)
    return took


def _kill(stack: Stack, word: str) -> None:
    under = {pid for pid in alive_with(stack.facts["data"]) if pid != stack.process.pid}
    lines = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in under}
    (child,) = (pid for pid, line in lines.items() if word.encode() in line)
    os.kill(child, signal.SIGKILL)


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
