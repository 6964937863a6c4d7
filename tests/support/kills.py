"""A process that dies right behind a commit, before anybody hears of it; of whichever of the two stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import pytest
from sqlmodel import Session

from models.database.engine import Database


class Killed(BaseException):
    """Not an error that anybody could catch and go on from."""


@dataclass(slots=True)
class Killer:
    """Counts commits of every database of this process, and kills behind each `every`-th."""

    every: int
    commits: int = 0
    kills: int = 0

    def committed(self) -> None:
        self.commits += 1
        if self.every and self.commits % self.every == 0:
            self.kills += 1
            raise Killed


@contextmanager
def killing(monkeypatch: pytest.MonkeyPatch, every: int) -> Iterator[Killer]:
    """From now on; 0 counts only."""
    killer, write = Killer(every), Database.write

    @contextmanager
    def dying(self: Database) -> Iterator[Session]:
        with write(self) as session:
            yield session
        killer.committed()

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", dying)
        yield killer


class Moment(StrEnum):
    """When the process dies, of one write."""

    BEFORE = "before"  # nothing of it is done
    EFFECT = "after-effect"  # all is done, and what the write was to say of it is not committed
    COMMITTED = "after-commit-before-ack"  # it is committed, and nobody hears of it


@dataclass(slots=True)
class CrashPoint:
    """Kills at the `nth` write of every database of this process; once. `fired`: it came to that."""

    moment: Moment
    nth: int
    writes: int = 0
    fired: bool = False

    def at(self, moment: Moment) -> None:
        """Die if it is time to."""
        if moment is self.moment and self.writes == self.nth and not self.fired:
            self.fired = True
            raise Killed


@contextmanager
def crashing(monkeypatch: pytest.MonkeyPatch, moment: Moment, nth: int) -> Iterator[CrashPoint]:
    """A process that dies at one point of a step."""
    point, write = CrashPoint(moment, nth), Database.write

    @contextmanager
    def dying(self: Database) -> Iterator[Session]:
        point.writes += 1
        point.at(Moment.BEFORE)
        with write(self) as session:
            yield session
            point.at(Moment.EFFECT)
        point.at(Moment.COMMITTED)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", dying)
        yield point
