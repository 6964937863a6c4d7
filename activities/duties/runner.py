"""Duties: plain loops under a SQL lease in every worker process.

They are not workflows, since the relay must work while Temporal is down.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import structlog

from compliance.audit.unit import bookkeeping
from models.database.engine import Database
from models.domain.clock import Clock
from models.operations import leases

log = structlog.get_logger(__name__)


class Duty(ABC):
    """Something that must be done again and again by one process at a time."""

    name: ClassVar[str]
    every: ClassVar[timedelta]

    @abstractmethod
    async def run_once(self, now: datetime) -> int:
        """Do what is to be done now; safe to repeat and to kill. Returns how much was done."""


@dataclass(slots=True)
class DutyRunner:
    """Runs duties until told to stop. `holder` names this process in the lease."""

    duties: Sequence[Duty]
    database: Database
    clock: Clock
    holder: str
    lease_ttl: timedelta = timedelta(seconds=10)

    async def run(self, stop: asyncio.Event) -> None:
        """Every duty in a loop of its own; a duty that fails is tried again at its next turn."""
        await asyncio.gather(*(self._loop(duty, stop) for duty in self.duties))

    async def _loop(self, duty: Duty, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                if await asyncio.to_thread(self._is_holder, duty):
                    await duty.run_once(self.clock())
            except Exception as error:  # noqa: BLE001 - a duty outlives whatever it meets; the log names the type only
                log.warning("duty.failed", duty=duty.name, error_type=type(error).__name__)
            try:
                await asyncio.wait_for(stop.wait(), duty.every.total_seconds())
            except TimeoutError:
                continue
        await asyncio.to_thread(self._release, duty)

    def _is_holder(self, duty: Duty) -> bool:
        with bookkeeping(self.database) as session:
            ttl = max(self.lease_ttl, 3 * duty.every)
            token = leases.acquire(session, name=duty.name, holder=self.holder, now=self.clock(), ttl=ttl)
        return token is not None

    def _release(self, duty: Duty) -> None:
        try:
            with bookkeeping(self.database) as session:
                leases.release(session, name=duty.name, holder=self.holder, now=self.clock())
        except Exception as error:  # noqa: BLE001 - it lapses by itself
            log.warning("duty.lease-not-released", duty=duty.name, error_type=type(error).__name__)
