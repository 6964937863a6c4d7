"""The key recorder: brings changes of keys out of the key store's journal into the audit log."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from activities.duties.runner import Duty
from compliance.audit.key_deeds import record_key_deeds
from models.database.engine import Database


@dataclass(slots=True)
class KeyRecorder(Duty):
    """A look at an index that is empty but for the moments after a change."""

    database: Database
    keys: Database
    name: ClassVar[str] = "key-recorder"
    every: ClassVar[timedelta] = timedelta(seconds=30)

    async def run_once(self, now: datetime) -> int:
        """Record what is open."""
        return await asyncio.to_thread(record_key_deeds, self.database, self.keys, now=now)
