"""What reads the bank's files needs of whoever has them read: the daily run, or a batch that waits for answers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol

from compliance.audit.unit import Unit, bookkeeping
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.daily import DayStep
from models.domain.tokens import new_token
from models.operations.business_dates import Day
from models.operations.leases import acquire, release

_TERM: Final = timedelta(minutes=2)  # longer than any one file takes; a killed reader is followed after it


class ExchangeWork(Protocol):
    """One reading. Each `once` is one unit of work with its event."""

    @property
    def day(self) -> Day:
        """The tenant and its business date."""

    @property
    def step(self) -> DayStep:
        """Under which what cannot be read stands in the exception queue."""

    def once(self, act: Callable[[Unit, datetime], Mapping[str, int]]) -> None:
        """Do it in one unit of work."""

    def note(self, target: str, code: str) -> None:
        """Put one item into the exception queue."""

    def rest(self) -> None:
        """Let others write."""


@contextmanager
def exchange_lease(database: Database, clock: Clock, tenant: str) -> Iterator[bool]:
    """Whether we are the one who reads the tenant's exchange now; let go at the end of the block."""
    name, holder = f"exchange/{tenant}", new_token("ltk")
    with bookkeeping(database) as session:
        held = acquire(session, name=name, holder=holder, now=clock(), ttl=_TERM) is not None
    try:
        yield held
    finally:
        if held:
            with bookkeeping(database) as session:
                release(session, name=name, holder=holder, now=clock())
