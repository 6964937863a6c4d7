"""The sealer: gives audit events their place in the log, within a second."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from activities.duties.runner import Duty
from compliance.audit.seal import SealKeys, pending_since, seal_pending
from compliance.telemetry.metrics import Metrics
from models.database.engine import Database


@dataclass(slots=True)
class Sealer(Duty):
    """Empties the queue of unsealed events. `anchor` is the file outside the database that remembers checkpoints."""

    database: Database
    keys: SealKeys
    anchor: Path
    metrics: Metrics = field(default_factory=Metrics)
    name: ClassVar[str] = "sealer"
    every: ClassVar[timedelta] = timedelta(milliseconds=500)

    async def run_once(self, now: datetime) -> int:
        """Seal all that waits, in transactions of at most 500 events."""
        total, lag = 0, await asyncio.to_thread(self._lag, now)
        while sealed := await asyncio.to_thread(self._seal, now):
            total += sealed
            self.metrics.count_sealed(sealed, lag_seconds=lag)
        return total

    def _lag(self, now: datetime) -> float:
        """How long the oldest event has waited, seconds."""
        with self.database.read() as session:
            oldest = pending_since(session)
        return 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())

    def _seal(self, now: datetime) -> int:
        return seal_pending(self.database, self.keys, now=now, anchor=self.anchor, limit=500)
