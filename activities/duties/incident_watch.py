"""The incident watch: marks reports whose time has run out unmet, and makes all tasks of their incident urgent."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from activities.duties.runner import Duty
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.database.engine import Database
from models.operations.incidents import escalate
from models.queries.incidents import overdue_reports
from models.tables.incidents import IncidentReport

_AT_ONCE: Final = 100


@dataclass(slots=True)
class IncidentWatch(Duty):
    """Looks every half minute: the shortest clock has thirty. A look that finds nothing leaves no event."""

    database: Database
    name: ClassVar[str] = "incident-watch"
    every: ClassVar[timedelta] = timedelta(seconds=30)

    async def run_once(self, now: datetime) -> int:
        """Look once."""
        return await asyncio.to_thread(self._look, now)

    def _look(self, now: datetime) -> int:
        with self.database.read() as session:
            late = overdue_reports(session, now=now, limit=_AT_ONCE)
        return sum(self._escalate(row, now) for row in late)

    def _escalate(self, row: IncidentReport, now: datetime) -> bool:
        deed = Deed(
            tenant=row.tenant,
            action="incident.overdue",
            target=row.incident_id,
            actor=f"duty:{self.name}",
            at=now,
            facts={"clock": row.clock, "authority": row.authority, "dueAt": row.due_at.isoformat()},
        )
        marked = False
        with unit_of_work(self.database, deed) as unit:
            marked = escalate(unit.session, report_id=row.id, now=now)
            if not marked:
                raise Unchanged
        return marked
