"""Cases played through a stack while its processes are killed; and the book-keeping that shows what the kills hit."""

import asyncio
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx

from deploy import datadir
from deploy.demo.book import generate_book
from deploy.demo.lives import Life
from deploy.demo.office import Line, Office, open_office
from deploy.demo.plans import CASES, cast
from deploy.demo.stack import Stack, start_stack
from deploy.temporal_server import free_port
from deploy.values import DataDir
from tests.support.processes import alive_with, wait_until

SEED = 20_261_121
BOOK_SIZE = 600
AT_ONCE = 6
PATIENCE_SECONDS = 60.0
GONE_WITHIN_SECONDS = 2.0
_POLL_SECONDS = 0.001


class Moment(StrEnum):
    """What must be under way in the data store when the kill comes."""

    ANY = "any"
    DECISION = "decision"  # committed, and the workflow has not answered yet
    START = "start"  # a case committed, whose workflow has not taken its first step yet


_UNDER_WAY = {
    Moment.DECISION: "SELECT count(*) FROM decisions WHERE state = 'PENDING'",
    Moment.START: "SELECT count(*) FROM outbox WHERE kind = 'start' AND done_at IS NULL",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """One kill.

    Attributes:
        after: acknowledged decisions, counted over the whole siege.
        target: `up` for the supervisor, else the word in the command line of its child (`app`, `start-dev`).
    """

    after: int
    target: str = "up"
    moment: Moment = Moment.ANY


@dataclass(slots=True)
class Wire:
    """An HTTP client that remembers what was sent under each key, and each decision that was acknowledged.

    Attributes:
        sends: how often a request was sent under its key. Whatever has no memory for keys would have its effect as often.
        last_sent: when it was sent last, by the clock of this machine.
        acknowledged: decision id to the status it was acknowledged with.
        after_restart: decisions acknowledged by another process than the one that was first asked.
        restarts: how many blows have fallen.
    """

    http: httpx.AsyncClient
    sends: Counter[str] = field(default_factory=Counter)
    last_sent: dict[str, datetime] = field(default_factory=dict)
    first_asked: dict[str, int] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)  # what was made under each key: the last word of the path
    acknowledged: dict[str, int] = field(default_factory=dict)
    after_restart: set[str] = field(default_factory=set)
    restarts: int = 0

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """As `httpx.AsyncClient.request`."""
        key = request.get("headers", {}).get("Idempotency-Key")
        if key is not None:
            self.sends[key] += 1
            self.last_sent[key] = datetime.now(UTC)
            self.first_asked.setdefault(key, self.restarts)
        answer = await self.http.request(method, path, **request)
        if key is not None and answer.is_success:
            self._note(key, path, answer)
        return answer

    def _note(self, key: str, path: str, answer: httpx.Response) -> None:
        self.made[key] = path.rpartition("/")[2]
        body = answer.json()
        decision = body.get("decisionId") if isinstance(body, dict) else None
        if decision is not None:
            self.acknowledged.setdefault(decision, answer.status_code)
            if self.first_asked[key] < self.restarts:
                self.after_restart.add(decision)


@dataclass(slots=True)
class Siege:
    """A data directory, its stack at an address that stays, and the cases that are played through it."""

    data: DataDir
    port: int
    cases: int
    lives: list[Life] = field(default_factory=list)
    stack: Stack | None = None
    office: Office | None = None
    wire: Wire | None = None
    unanswered: list[int] = field(default_factory=list)  # at each blow: decisions in the store, not acknowledged yet
    back_after: list[float] = field(default_factory=list)  # seconds from blow to readiness

    async def start(self) -> None:
        """Start the stack, at the same address each time."""
        self.stack = await asyncio.to_thread(start_stack, self.data.root, port=self.port)

    async def run(self, blows: list[Blow]) -> None:
        """Play all cases to their end while the blows fall.

        Raises:
            AssertionError: the cases had ended before the last blow, or a killed process left something behind.
        """
        assert self.wire is not None
        playing = asyncio.create_task(self._play())
        try:
            for blow in blows:
                await self._until(lambda blow=blow: len(self.wire.acknowledged) >= blow.after, playing)
                if blow.moment is not Moment.ANY:
                    with closing(sqlite3.connect(f"file:{self.data.database}?mode=ro", uri=True)) as store:
                        question = _UNDER_WAY[blow.moment]
                        await self._until(lambda: store.execute(question).fetchone()[0], playing)
                        await self._fall(blow)
                else:
                    await self._fall(blow)
            await playing
        finally:
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing

    async def _until(self, condition: Callable[[], object], playing: "asyncio.Task[None]") -> None:
        while not condition():
            if playing.done():
                await playing
                raise AssertionError("all cases have ended before the blow could fall")
            await asyncio.sleep(_POLL_SECONDS)

    async def _fall(self, blow: Blow) -> None:
        assert self.stack is not None
        assert self.wire is not None
        begun = time.monotonic()
        self.wire.restarts += 1
        if blow.target == "up":
            os.kill(self.stack.process.pid, signal.SIGKILL)
            self._count_unanswered()
            self.stack.kill()
            await asyncio.to_thread(wait_until, self.nothing_is_left, seconds=GONE_WITHIN_SECONDS)
            await self.start()
        else:
            old = self.child(blow.target)
            os.kill(old, signal.SIGKILL)
            self._count_unanswered()
            await asyncio.to_thread(wait_until, lambda: self.has_child_other_than(old, blow.target), seconds=30)
            await self._until_ready()
        self.back_after.append(time.monotonic() - begun)

    def _count_unanswered(self) -> None:
        assert self.wire is not None
        with closing(sqlite3.connect(f"file:{self.data.database}?mode=ro", uri=True)) as store:
            stored = {row[0] for row in store.execute("SELECT id FROM decisions")}
        self.unanswered.append(len(stored - self.wire.acknowledged.keys()))

    async def _until_ready(self) -> None:
        assert self.wire is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if (await self.wire.http.get("/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.05)
        raise AssertionError("the stack did not become ready again")

    async def _play(self) -> None:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(life: Life) -> None:
            async with gate:
                await life.play()

        await asyncio.gather(*(one(life) for life in self.lives))

    # -- processes -----------------------------------------------------------------------------------------------------

    def pids(self) -> list[int]:
        """Every process of this data directory."""
        return alive_with(str(self.data.root))

    def nothing_is_left(self) -> bool:
        """No process of this data directory lives, and nobody holds its lock."""
        return not self.pids() and datadir.holder(self.data) is None

    def child(self, mark: str) -> int:
        """The child of the supervisor whose command line holds the word `mark`."""
        found = self._children(mark)
        assert len(found) == 1, (mark, found)
        return found[0]

    def has_child_other_than(self, old: int, mark: str) -> bool:
        """The supervisor has put another one in its place."""
        return any(pid != old for pid in self._children(mark))

    def _children(self, mark: str) -> list[int]:
        assert self.stack is not None
        found = []
        for pid in self.pids():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                if mark in words and pid != self.stack.process.pid:
                    found.append(pid)
        return found


@asynccontextmanager
async def besieged(folder: Path, *, cases: int) -> AsyncIterator[Siege]:
    """A fresh installation with its staff at work and `cases` cases of all plans before them; gone with the block."""
    siege = Siege(DataDir(folder / "data"), port=free_port(), cases=cases)
    try:
        await siege.start()
        assert siege.stack is not None
        async with httpx.AsyncClient(base_url=siege.stack.address, timeout=30, trust_env=False) as http:
            siege.wire = Wire(http)
            line = Line(siege.wire, patience_seconds=PATIENCE_SECONDS)  # type: ignore[arg-type]
            siege.office = open_office(line, siege.stack.login_file)
            await siege.office.log_in()
            await siege.office.hire_senior()
            siege.lives = lives_of(siege.office, cases)
            yield siege
    finally:
        if siege.stack is not None and siege.stack.process.poll() is None:
            siege.stack.kill()
        wait_until(siege.nothing_is_left, seconds=5)


def lives_of(office: Office, cases: int) -> list[Life]:
    """So many cases, spread evenly over the plans of the demo, the end of each known beforehand."""
    roles = cast(list(generate_book(BOOK_SIZE, SEED)))
    chosen = [roles[number * CASES // cases] for number in range(cases)]
    return [Life(office, plan, row, by_senior=number % 2 == 0) for number, (plan, row) in enumerate(chosen)]
