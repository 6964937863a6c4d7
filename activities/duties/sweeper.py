"""The sweeper: drops what has lost its meaning, such as expired log-ins."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.database.engine import Database
from models.operations.sessions import purge_sessions

_INSTALLATION = "_"


@dataclass(slots=True)
class Sweeper(Duty):
    """Sweeps now and then; a sweep that finds nothing leaves no event."""

    database: Database
    name: ClassVar[str] = "sweeper"
    every: ClassVar[timedelta] = timedelta(minutes=10)

    async def run_once(self, now: datetime) -> int:
        """Sweep once."""
        return await asyncio.to_thread(self._sweep, now)

    def _sweep(self, now: datetime) -> int:
        deed = Deed(tenant=_INSTALLATION, action="sessions.swept", target="sessions", actor="duty:sweeper", at=now)
        gone = 0
        with unit_of_work(self.database, deed) as unit:
            gone = purge_sessions(unit.session, now=now)
            if not gone:
                raise Unchanged
            unit.deed.facts = {"rows": gone}
        return gone
