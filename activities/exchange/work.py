"""What reads the bank's files needs of whoever has them read: the daily run, or a batch that waits for answers."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from compliance.audit.unit import Unit, bookkeeping
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.daily import DayStep
from models.domain.tokens import new_token
from models.operations.business_dates import Day
from models.operations.leases import acquire, release
from workflows.support.options import EXCHANGE_LEASE


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


@dataclass(slots=True)
class ExchangeLease:
    """Held by the one who reads a tenant's exchange, for as long as they show that they live.

    It is short, so that a killed reader keeps nobody waiting; one who is slower than it is only read after by another:
    every line is kept once, whoever reads it.
    """

    database: Database
    clock: Clock
    name: str
    holder: str
    until: datetime

    def beat(self) -> bool:
        """Keep it. False: it had lapsed, and somebody else reads on."""
        now = self.clock()
        if self.until - now > EXCHANGE_LEASE / 2:
            return True
        with bookkeeping(self.database) as session:
            if acquire(session, name=self.name, holder=self.holder, now=now, ttl=EXCHANGE_LEASE) is None:
                return False
        self.until = now + EXCHANGE_LEASE
        return True


@contextmanager
def exchange_lease(database: Database, clock: Clock, tenant: str) -> Iterator[ExchangeLease | None]:
    """The lease of the tenant's exchange, let go at the end of the block; None: somebody else reads it now."""
    name, holder, now = f"exchange/{tenant}", new_token("ltk"), clock()
    with bookkeeping(database) as session:
        is_ours = acquire(session, name=name, holder=holder, now=now, ttl=EXCHANGE_LEASE) is not None
    held = ExchangeLease(database, clock, name, holder, now + EXCHANGE_LEASE) if is_ours else None
    try:
        yield held
    finally:
        if held is not None:
            with bookkeeping(database) as session:
                release(session, name=name, holder=holder, now=clock())
