"""Cases played through a stack while its processes are killed; and the book-keeping that shows what the kills hit."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path

import httpx
import pytest

from deploy import datadir
from deploy.demo.office import Line, open_office
from deploy.demo.stack import Stack, start_stack
from deploy.temporal_server import free_port
from deploy.values import DataDir
from tests.support.played import Played, Wire, lives_of, phones_of
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
        again: the supervisor is killed once more while it is coming up.
    """

    after: int
    target: str = "up"
    moment: Moment = Moment.ANY
    again: bool = False


@dataclass(slots=True)
class Siege:
    """A data directory, its stack at an address that stays, and the cases that are played through it."""

    data: DataDir
    port: int
    cases: int
    stack: Stack | None = None
    played: Played | None = None
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
        assert self.played is not None
        playing = asyncio.create_task(self.played.play(at_once=AT_ONCE))
        try:
            for blow in blows:
                await self._until(lambda blow=blow: len(self.played.wire.acknowledged) >= blow.after, playing)
                with closing(sqlite3.connect(f"file:{self.data.database}?mode=ro", uri=True)) as store:
                    under_way = partial(_is_under_way, store, blow.moment)
                    await self._until(under_way, playing)
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
        assert self.played is not None
        begun = time.monotonic()
        self.played.wire.restarts += 1
        if blow.target == "up":
            os.kill(self.stack.process.pid, signal.SIGKILL)
            self._count_unanswered()
            self.stack.kill()
            await asyncio.to_thread(wait_until, self.nothing_is_left, seconds=GONE_WITHIN_SECONDS)
            if blow.again:
                await self._kill_while_starting()
            await self.start()
        else:
            old = self.child(blow.target)
            os.kill(old, signal.SIGKILL)
            self._count_unanswered()
            await asyncio.to_thread(wait_until, lambda: self.has_child_other_than(old, blow.target), seconds=30)
            await self._until_ready()
        self.back_after.append(time.monotonic() - begun)

    async def _kill_while_starting(self) -> None:
        starting = asyncio.create_task(self.start())
        await asyncio.to_thread(wait_until, lambda: self._with_word("app"), seconds=60)
        [supervisor] = self._with_word("up")
        os.kill(supervisor, signal.SIGKILL)
        await asyncio.to_thread(wait_until, self.nothing_is_left, seconds=GONE_WITHIN_SECONDS)
        with pytest.raises(RuntimeError, match="ended with -9"):
            await starting

    def _count_unanswered(self) -> None:
        assert self.played is not None
        with closing(sqlite3.connect(f"file:{self.data.database}?mode=ro", uri=True)) as store:
            stored = {row[0] for row in store.execute("SELECT id FROM decisions")}
        self.unanswered.append(len(stored - self.played.wire.acknowledged.keys()))

    async def _until_ready(self) -> None:
        assert self.played is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                if (await self.played.wire.http.get("/readyz")).status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(0.05)
        raise AssertionError("the stack did not become ready again")

    # -- processes -----------------------------------------------------------------------------------------------------

    def pids(self) -> list[int]:
        """Every process of this data directory."""
        return alive_with(str(self.data.root))

    def nothing_is_left(self) -> bool:
        """No process of this data directory lives, and nobody holds its lock."""
        return not self.pids() and datadir.holder(self.data) is None

    def child(self, mark: str) -> int:
        """The child of the supervisor whose command line holds the word `mark`."""
        found = self._with_word(mark)
        assert len(found) == 1, (mark, found)
        return found[0]

    def has_child_other_than(self, old: int, mark: str) -> bool:
        """The supervisor has put another one in its place."""
        return any(pid != old for pid in self._with_word(mark))

    def _with_word(self, word: str) -> list[int]:
        found = []
        for pid in self.pids():
            with suppress(OSError):
                if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
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
            wire = Wire(http)
            line = Line(wire, patience_seconds=PATIENCE_SECONDS)  # type: ignore[arg-type]
            office = open_office(line, siege.stack.login_file)
            await office.log_in()
            await office.hire_senior()
            siege.played = Played(office=office, wire=wire, lives=lives_of(office, phones_of(siege.data), cases))
            yield siege
    finally:
        if siege.stack is not None and siege.stack.process.poll() is None:
            siege.stack.kill()
        wait_until(siege.nothing_is_left, seconds=5)


def _is_under_way(store: sqlite3.Connection, moment: Moment) -> bool:
    return moment is Moment.ANY or bool(store.execute(_UNDER_WAY[moment]).fetchone()[0])
