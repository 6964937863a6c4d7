"""Long steps of a batch's run in chunks (`activities.support.chunked`)."""

import time
from dataclasses import dataclass

from activities.support.chunked import ChunkedWork
from models.database.engine import Database
from models.domain.clock import Clock
from models.tables.batch_runs import BatchRun


@dataclass(frozen=True, slots=True)
class RunWork(ChunkedWork):
    """One step of one run."""

    run: BatchRun

    @classmethod
    def of(cls, database: Database, clock: Clock, token: str) -> "RunWork":
        """Read the run and start the watch.

        Raises:
            NoResultFound: no such run.
        """
        with database.read() as session:
            run = session.get_one(BatchRun, token)
        return cls(database, clock, run.tenant, run.token, time.monotonic(), run)

    def is_held(self) -> bool:
        """Whether a person has paused the run meanwhile, or asked for its end."""
        with self.database.read() as session:
            run = session.get_one(BatchRun, self.run.token, populate_existing=True)
            return run.paused_at is not None or run.cancel_asked_at is not None
