"""Long steps of a transfer job in chunks (`activities.support.chunked`)."""

import time
from dataclasses import dataclass

from activities.support.chunked import CHUNK, TURN, ChunkedWork
from models.database.engine import Database
from models.domain.clock import Clock
from models.tables.transfers import TransferJob

__all__ = ("CHUNK", "TURN", "JobWork")


@dataclass(frozen=True, slots=True)
class JobWork(ChunkedWork):
    """One step of one job."""

    job: TransferJob

    @classmethod
    def of(cls, database: Database, clock: Clock, token: str) -> "JobWork":
        """Read the job and start the watch.

        Raises:
            NoResultFound: no such job.
        """
        with database.read() as session:
            job = session.get_one(TransferJob, token)
        return cls(database, clock, job.tenant, job.token, time.monotonic(), job)

    def is_paused(self) -> bool:
        """Whether a person has paused the job meanwhile."""
        with self.database.read() as session:
            return session.get_one(TransferJob, self.job.token, populate_existing=True).paused_at is not None
