"""Kills by chance of a stack's processes, one after the other; each time the installation is let become whole again."""

import os
import signal
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import httpx

from deploy.demo.stack import start_stack
from tests.chaos.siege import Siege
from tests.support.processes import wait_until

Ask = Callable[..., list[tuple[Any, ...]]]
PATIENCE_S: Final = 300.0  # on a busy machine
# Five deaths of the same child within a minute would make the supervisor give up, and rightly; a death of its own
# begins the count anew.
TARGETS: Final = ("up", "app", "app", "start-dev", "start-dev", "start-dev")
_RECENT_S: Final = 90.0
_MOST_RECENT: Final = 3


@dataclass(slots=True)
class StruckSiege(Siege, ABC):
    """A siege whose kills are drawn while the work goes on.

    Attributes:
        hit: at each kill: phase, process, and how far the work was.
    """

    rng: Random = field(default_factory=Random)
    hit: list[tuple[str, str, int]] = field(default_factory=list)
    _deaths: dict[str, list[float]] = field(default_factory=dict)

    def up(self) -> None:
        """Start the stack at its address; on a busy machine it may need longer than it gives itself."""
        with suppress(RuntimeError):
            self.stack = start_stack(self.data.root, port=self.port, sandbox=True, settings=self.settings())
            return
        self.stack = start_stack(self.data.root, port=self.port, sandbox=True, settings=self.settings())

    def settings(self) -> Mapping[str, str]:
        """More of them than an empty directory has, by the names of their variables."""
        return {}

    @abstractmethod
    def standing(self) -> int:
        """How far the work is."""

    def assert_conserved(self) -> None:
        """Prove what must hold at any moment, between two transactions.

        Raises:
            AssertionError: it does not.
        """
        with closing(self._opened()) as store:
            store.execute("BEGIN")  # the stack goes on meanwhile: all is asked of one moment
            self.prove_conserved(lambda query, *parameters: store.execute(query, parameters).fetchall())

    @abstractmethod
    def prove_conserved(self, ask: Ask) -> None:
        """What must hold, by what `ask` sees.

        Raises:
            AssertionError: it does not.
        """

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """One read of the data store, beside the stack."""
        with closing(self._opened()) as store:
            return store.execute(query, parameters).fetchall()

    def _opened(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.data.database}?mode=ro", uri=True, timeout=30)

    def draw(self) -> str:
        """One of the processes, by chance."""
        return self.rng.choice([each for each in TARGETS if self._may_die(each)])

    def strike(self, phase: str, target: str | None = None) -> None:
        """Kill a process, by chance where none is named, and wait until the installation is whole again. Blocking."""
        assert self.stack is not None
        target = target or self.draw()
        self.hit.append((phase, target, self.standing()))
        begun = time.monotonic()
        if target == "up":
            os.kill(self.stack.process.pid, signal.SIGKILL)
            self.stack.kill()
            wait_until(self.nothing_is_left, seconds=10)
            self.assert_conserved()
            self._deaths.clear()
            self.up()
        else:
            self._deaths.setdefault(target, []).append(begun)
            old = self.child(target)
            os.kill(old, signal.SIGKILL)
            self.struck(target)
            wait_until(lambda: self.has_child_other_than(old, target), seconds=60)
        wait_until(self._is_ready, seconds=PATIENCE_S)
        self.assert_conserved()
        self.back_after.append(time.monotonic() - begun)

    def struck(self, target: str) -> None:
        """A child lies dead, and nobody stands in its place yet."""

    def _may_die(self, target: str) -> bool:
        recent = [each for each in self._deaths.get(target, ()) if time.monotonic() - each < _RECENT_S]
        return target == "up" or len(recent) < _MOST_RECENT

    def _is_ready(self) -> bool:
        assert self.stack is not None
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.stack.address}/readyz", timeout=10, trust_env=False).is_success
        return False
