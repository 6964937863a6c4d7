"""A process that dies right behind a commit, before anybody hears of it; of whichever of the two stores."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
